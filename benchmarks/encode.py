"""What each way of running the encoder costs, as ratios to sentence-transformers' own default.

    python benchmarks/encode.py [TEXT ...]    # by default the bundled example

Ratios come out of one run on one machine, interleaved, medians of `--rounds`; the last column is
the lowest cosine between a sentence's vector and the one of the default way.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from detector.encoder import MiniLMEncoder
from detector.text.sentences import split

EXAMPLE = sorted((Path(__file__).resolve().parent.parent / "data" / "example").glob("*.txt"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("texts", nargs="*", type=Path, default=EXAMPLE)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--int8", action="store_true", help="also torch dynamic quantisation")
    arguments = parser.parse_args()
    texts = [t for path in arguments.texts for t in split(path.read_text(encoding="utf-8")).texts]

    fp32, bf16 = MiniLMEncoder(precision="fp32"), MiniLMEncoder(precision="bf16")
    library = fp32._model

    def own(encoder: MiniLMEncoder, *, tokens: bool) -> np.ndarray:
        return encoder.encode(texts, tokens=tokens).vectors

    ways: dict[str, Callable[[], np.ndarray]] = {
        "sentence-transformers, batches of 32": lambda: library.encode(
            texts, show_progress_bar=False
        ),
        "sentence-transformers, batches of 8": lambda: library.encode(
            texts, batch_size=8, show_progress_bar=False
        ),
        "fp32, token-budget batches": lambda: own(fp32, tokens=False),
        "fp32, with token vectors": lambda: own(fp32, tokens=True),
        "bf16, token-budget batches": lambda: own(bf16, tokens=False),
        "bf16, with token vectors": lambda: own(bf16, tokens=True),
    }
    if arguments.int8:
        import torch
        from sentence_transformers import SentenceTransformer

        from detector.encoder import _find_model

        folder, _, _ = _find_model(None)
        small = torch.ao.quantization.quantize_dynamic(
            SentenceTransformer(str(folder), device="cpu"), {torch.nn.Linear}, dtype=torch.qint8
        )
        ways["int8 dynamic, batches of 8"] = lambda: small.encode(
            texts, batch_size=8, show_progress_bar=False
        )
    vectors = {name: way() for name, way in ways.items()}  # warm
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began)
    default = next(iter(ways))
    base = statistics.median(seconds[default])
    print(f"{len(texts)} sentences, {base / len(texts) * 1e3:.1f} ms each by default")
    print(f"{'way':<40}{'time / default':>15}{'lowest cosine':>15}")
    for name in ways:
        ratio = statistics.median(seconds[name]) / base
        cosine = float((vectors[name] * vectors[default]).sum(axis=1).min())
        print(f"{name:<40}{ratio:>15.2f}{cosine:>15.5f}")


if __name__ == "__main__":
    main()
