"""What scoring a pair costs beside encoding it: ratios, shares, memory, start.

    python benchmarks/score.py [COPY SOURCE]    # by default the bundled example

Everything is measured in one run: each round encodes the pair's sentences once, scores the pair
without the tagger and then with it, with the same encoder; the shares come from a profile by room.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

from detector import Scorer
from detector.encoder import MiniLMEncoder
from detector.errors import DetectorWarning
from detector.text.sentences import split

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("copy", nargs="?", type=Path, default=EXAMPLE / "copy.txt")
    parser.add_argument("source", nargs="?", type=Path, default=EXAMPLE / "source.txt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="fp32")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DetectorWarning)
    copy = arguments.copy.read_text(encoding="utf-8")
    source = arguments.source.read_text(encoding="utf-8")
    encoder = MiniLMEncoder(precision=arguments.precision)
    scorer, plain = Scorer(encoder=encoder), Scorer(encoder=encoder, tagger=None)
    texts = split(source).texts + split(copy).texts
    encode, without, score = [], [], []
    for one in (scorer, plain):
        one.score(copy=copy, source=source)  # warm
    for _ in range(arguments.rounds):
        began = time.perf_counter()
        encoder.encode(texts)
        encode.append(time.perf_counter() - began)
        began = time.perf_counter()
        plain.score(copy=copy, source=source)
        without.append(time.perf_counter() - began)
        began = time.perf_counter()
        scorer.score(copy=copy, source=source)
        score.append(time.perf_counter() - began)
    print(f"{len(texts)} sentences, encoder {encoder.identity.precision}")
    print(f"encode once      {statistics.median(encode):.3f} s")
    print(f"without tagger   {statistics.median(without):.3f} s")
    print(f"with tagger      {statistics.median(score):.3f} s")
    for name, above, below in (
        ("without / encode", without, encode),
        ("with / without", score, without),
    ):
        ratios = sorted(a / b for a, b in zip(above, below, strict=True))
        print(f"{name:<17}{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(f"peak memory   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    _imports()
    _rooms(scorer, copy, source)


def _imports() -> None:
    def fastest(code: str) -> float:
        took = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            took.append(time.perf_counter() - began)
        return min(took)

    extra = fastest("import detector") - fastest("pass")
    print(f"import        {extra:.3f} s beyond Python's own start")


def _rooms(scorer: Scorer, copy: str, source: str) -> None:
    profile = cProfile.Profile()
    profile.runcall(scorer.score, copy=copy, source=source)
    stats = pstats.Stats(profile)
    calls = {
        "text": ("text.py", "split"),
        "encode": ("encode.py", "encode"),
        "align": ("align.py", "align"),
        "words": ("words.py", "align_words"),
        "figures": ("compare.py", "compare_figures"),
        "names": ("verdicts.py", "compare_names"),
        "adjacency": ("adjacency.py", "predict_adjacency"),
        "features": ("features.py", "matrix"),
        "tagger": ("tagger.py", "predict"),
        "reasons": ("explain.py", "bead_reasons"),
    }
    total = stats.total_tt  # type: ignore[attr-defined]
    print("share of one profiled call (the profiler itself weighs on pure Python):")
    for room, (file, function) in calls.items():
        spent = sum(
            row[3]
            for (path, _, name), row in stats.stats.items()  # type: ignore[attr-defined]
            if name == function and Path(path).name == file
        )
        print(f"  {room:<10}{spent / total:>7.1%}")


if __name__ == "__main__":
    main()
