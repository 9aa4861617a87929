"""Compare variants of the tagger: fp32 with int8, torch with onnxruntime.

    python benchmarks/tagger.py --shared DIR [--pairs N] [--onnx FOLDER]

On pairs held apart and the same token vectors, by variant: F1 and Matthews' correlation of marked
words, area under the ROC curve of the raw drift, the largest change of P(damaged), and milliseconds
a pair on one thread (medians of interleaved rounds).
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from detector.encoder import MiniLMEncoder
from detector.features.evidence import gather_pairs
from detector.models import store
from detector.models.tagger import Tagger
from detector.onnx import OnnxEncoder
from detector.records import Encoding
from detector.training.config import settle
from detector.training.data.corpus import Pair, draw
from detector.training.data.sampling import MARKED
from detector.training.data.splits import gather
from detector.training.evaluate.words import tagged_words, word_metrics


class Remembered:
    """An encoder that encodes each text once, so that all variants get the same vectors."""

    def __init__(self, encoder: MiniLMEncoder) -> None:
        self.encoder, self.identity = encoder, encoder.identity
        self.known: dict[str, tuple[Any, Any, bool]] = {}

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Encode texts not seen before."""
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        made = self.encoder.encode(new)
        rows = zip(new, made.vectors, made.tokens or (), made.truncated, strict=True)
        self.known |= {text: (vector, token, cut) for text, vector, token, cut in rows}
        vectors, kept, cut = zip(*(self.known[text] for text in texts), strict=True)
        return Encoding(np.stack(vectors), kept if tokens else None, cut)


def dynamic(tagger: Tagger) -> Tagger:
    """Quantise the linear layers to dynamic int8; this leaves out the attention's input."""
    torch.backends.mha.set_fastpath_enabled(False)  # it needs plain weights
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        network = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(tagger.network), {torch.nn.Linear}, dtype=torch.qint8
        )
    return Tagger(network, tagger.config)


def stored(tagger: Tagger) -> Tagger:
    """Quantise weights to int8 with a scale for each row; compute in fp32."""
    network = copy.deepcopy(tagger.network)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim == 2:
                scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127.0
                weight.copy_((weight / scale).round() * scale)
    return Tagger(network, tagger.config)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--pairs", type=int, default=400, help="of each table, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--onnx", type=Path, help="what `detector export` wrote")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = settle({"shared": arguments.shared}, accepts=("shared",), file=None)
    tables: dict[str, list[Pair]] = {}
    for pair in gather(settings, fitting=False).apart:
        tables.setdefault(pair.corpus, []).append(pair)
    tables = {name: draw(pairs, arguments.pairs, seed=0) for name, pairs in tables.items()}
    encoder = Remembered(MiniLMEncoder())
    plain = store.load(encoder=encoder.identity).tagger
    variants = {"fp32": plain, "int8 dynamic": dynamic(plain), "int8 weights": stored(plain)}
    if arguments.onnx is not None:
        variants["onnxruntime"] = OnnxEncoder(arguments.onnx, threads=1).tagger
    words(variants, [p for n in (*MARKED, "mlqe_dev") for p in tables.get(n, [])], encoder)
    drift(variants, {n: tables[n] for n in ("wmt", "contrast") if n in tables}, encoder, arguments)


def words(variants: dict[str, Tagger], pairs: list[Pair], encoder: Remembered) -> None:
    print(f"{'marked words':<44}{'variant':<14}{'F1':>22}{'Matthews':>10}")
    for name, tagger in variants.items():
        known = tagger.config
        metrics = word_metrics(
            tagged_words(tagger, pairs, encoder),
            thresholds=known.thresholds,
            edited=known.edited,
            resamples=300,
        )
        for title, entry in metrics.items():
            if "tagger" in entry["finders"]:
                f1, mcc = (entry["finders"]["tagger"][key] for key in ("f1", "mcc"))
                span = f"{f1.value:.4f} [{f1.low:.3f}, {f1.high:.3f}]"
                print(
                    f"{title} ({entry['n']})".ljust(44) + f"{name:<14}{span:>22}{mcc.value:>10.4f}"
                )


def drift(
    variants: dict[str, Tagger],
    tables: dict[str, list[Pair]],
    encoder: Remembered,
    arguments: argparse.Namespace,
) -> None:
    for table, pairs in tables.items():
        labelled = [pair for pair in pairs if pair.label is not None]
        texts = ((pair.source, pair.copy) for pair in labelled)
        beads = [bead.tokens for bead in gather_pairs(texts, encoder)]
        tags_of = {name: tagger.predict(beads) for name, tagger in variants.items()}
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(arguments.rounds):
            for name, tagger in variants.items():
                began = time.process_time()
                tagger.predict(beads)
                seconds[name].append(time.process_time() - began)
        label = np.array([pair.label for pair in labelled])
        print(f"\n{table}, {len(labelled)} pairs")
        print(
            f"{'variant':<14}{'AUROC':>8}{'P moved, most':>15}{'99 %':>8}"
            f"{'ms a pair':>11}{'ratio':>7}"
        )
        base = statistics.median(seconds["fp32"])
        for name, tags in tags_of.items():
            moved = np.concatenate(
                [abs(a.damaged - b.damaged) for a, b in zip(tags, tags_of["fp32"], strict=True)]
            )
            auroc = roc_auc_score(label, [one.drift for one in tags])
            took = statistics.median(seconds[name])
            print(
                f"{name:<14}{auroc:>8.4f}{moved.max():>15.4f}{np.quantile(moved, 0.99):>8.4f}"
                f"{took / len(beads) * 1e3:>11.2f}{took / base:>7.2f}"
            )


if __name__ == "__main__":
    main()
