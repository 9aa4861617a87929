"""Measure how well an archive finds the source of a suspect, beside BM25 and MinHash.

    python benchmarks/archive.py                                    # a small round, some minutes
    python benchmarks/archive.py --suspects 1500 --distractors 100000 --cache FOLDER

Needs DETECTOR_SHARED. Suspects are real round trips of news and encyclopedia documents, of every
system and language in turn; the archive holds every English document of the corpora and
distractors that mix their sentences. Nothing was fitted on them. Intervals are 95 %, by bootstrap
over source documents. Each distinct sentence is encoded once, and its vector kept in --cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from archive_corpus import Made, Suspect, distractors, documents, suspects

from detector.archive.archive import Archive
from detector.archive.articles import Article
from detector.archive.match import match
from detector.encoder import EncoderIdentity, MiniLMEncoder
from detector.errors import DetectorWarning
from detector.records import Encoding
from detector.scorer import Scorer
from detector.text.sentences import split

TOP = 5


class CachedEncoder:
    """An encoder that keeps the vectors of each distinct text in a folder."""

    def __init__(self, folder: Path | None) -> None:
        self.encoder = MiniLMEncoder()
        self.vectors: dict[str, np.ndarray] = {}
        self.seconds = 0.0  # of encoding, without the cache
        self._folder = folder

    @property
    def identity(self) -> EncoderIdentity:
        """Identity of the encoder."""
        return self.encoder.identity

    def cache(self, texts: Sequence[str]) -> None:
        """Encode texts, 8,192 at a time, or read their vectors from the folder."""
        texts = [text for text in texts if text not in self.vectors]
        for start in range(0, len(texts), 8192):
            part = list(texts[start : start + 8192])
            key = hashlib.sha256("\n".join(part).encode()).hexdigest()[:16]
            file = self._folder / f"{key}.npy" if self._folder else None
            if file is not None and file.is_file():
                vectors = np.load(file)
            else:
                began = time.perf_counter()
                vectors = self.encoder.encode(part, tokens=False).vectors
                self.seconds += time.perf_counter() - began
                if file is not None:
                    np.save(file, vectors)
            self.vectors.update(zip(part, vectors, strict=True))
            print(f"  {start + len(part)} of {len(texts)} sentences", file=sys.stderr)

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        """Return cached vectors; encode new texts."""
        assert not tokens
        self.cache(list(dict.fromkeys(texts)))
        vectors = np.stack([self.vectors[text] for text in texts])
        return Encoding(vectors, None, (False,) * len(texts))


def interval(hits: Sequence[bool], groups: Sequence[str]) -> str:
    """Return a share with its interval, by bootstrap over groups."""
    rng = np.random.default_rng(0)
    _, group = np.unique(groups, return_inverse=True)
    right = np.bincount(group, weights=np.asarray(hits, float))
    total = np.bincount(group)
    drawn = rng.integers(0, len(total), (2000, len(total)))
    shares = right[drawn].sum(1) / total[drawn].sum(1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return f"{right.sum() / total.sum():.4f} [{low:.4f}, {high:.4f}]"


def third(lines: Sequence[str], rng: np.random.Generator) -> list[str]:
    size = -(-len(lines) // 3)
    start = int(rng.integers(len(lines) - size + 1))
    return list(lines[start : start + size])


def print_recall(
    name: str, drawn: Sequence[Suspect], ranks: Sequence[int | None], took: Sequence[float]
) -> None:
    groups = [one.source for one in drawn]
    first = interval([rank == 0 for rank in ranks], groups)
    five = interval([rank is not None for rank in ranks], groups)
    low, high = np.quantile(took, (0.5, 0.95)) * 1000
    print(f"{name:<34}{first:<26}{five:<26}{low:>7.0f}{high:>7.0f}", flush=True)


def ranked(
    find: Callable[[str], list[str]], drawn: Sequence[Suspect], texts: Sequence[str]
) -> tuple[list[int | None], list[float]]:
    ranks: list[int | None] = []
    took = []
    for one, text in zip(drawn, texts, strict=True):
        began = time.perf_counter()
        found = find(text)
        took.append(time.perf_counter() - began)
        ranks.append(found.index(one.source) if one.source in found else None)
    return ranks, took


def by_bm25(texts: Sequence[str], ids: Sequence[str]) -> Callable[[str], list[str]]:
    import bm25s

    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def find(text: str) -> list[str]:
        query = bm25s.tokenize([text], stopwords="en", show_progress=False)
        rows, _ = index.retrieve(query, k=TOP, show_progress=False)
        return [ids[i] for i in rows[0]]

    return find


def by_minhash(texts: Sequence[str], ids: Sequence[str]) -> Callable[[str], list[str]]:
    """Rank by the estimated Jaccard index of word triples, of all articles (no buckets)."""
    from datasketch import MinHash

    def made(text: str) -> np.ndarray:
        words = text.lower().split()
        triples = {" ".join(words[i : i + 3]).encode() for i in range(max(1, len(words) - 2))}
        sketch = MinHash(num_perm=128)
        sketch.update_batch(list(triples))
        return sketch.digest().astype(np.uint32)

    table = np.stack([made(text) for text in texts])

    def find(text: str) -> list[str]:
        alike = (table == made(text)).sum(1)
        return [ids[i] for i in np.argsort(-alike, kind="stable")[:TOP]]

    return find


def stitched(archive: Archive, drawn: Sequence[Suspect], rng: np.random.Generator, n: int) -> None:
    """Join parts of two or three suspects, and compare the article named for each sentence."""
    right, found_all, groups = [], [], []
    for _ in range(n):
        chosen = [drawn[i] for i in rng.choice(len(drawn), int(rng.integers(2, 4)), replace=False)]
        if len({one.source for one in chosen}) < len(chosen):
            continue
        parts = [third(one.lines, rng) if len(one.lines) > 8 else one.lines for one in chosen]
        owners = [
            one.source
            for one, part in zip(chosen, parts, strict=True)
            for line in part
            for _ in split(line).sentences
        ]
        text = "\n\n".join(line for part in parts for line in part)
        found = match(text, archive, report=False)
        said = {i: one.id for one in found.sources for i in one.sentences}
        right.append(sum(said.get(i) == owner for i, owner in enumerate(owners)) / len(owners))
        found_all.append({one.source for one in chosen} <= {one.id for one in found.sources})
        groups.append(chosen[0].source)
    print(
        f"stitched of 2 or 3, {len(right)} suspects: the right article named for "
        f"{interval(right, groups)} of a suspect's sentences; every source named in "
        f"{interval(found_all, groups)}"
    )


def match_times(archive: Archive, encoder: CachedEncoder, texts: Sequence[str]) -> None:
    """Print the time of a match beyond encoding: search alone, and with relations.

    The aligner also encodes merged sentences; their time is printed apart.
    """
    scorer = Scorer(encoder=archive.encoder, tagger=None)
    took: dict[str, list[float]] = {"search alone": [], "with relations": []}
    merged: list[float] = []
    n_relations = []
    for turn, text in enumerate([texts[0], *texts]):
        for name, by in (("search alone", None), ("with relations", scorer)):
            encoder.seconds = 0.0
            began = time.perf_counter()
            found = match(text, archive, scorer=by, report=False)
            if turn:
                took[name].append(time.perf_counter() - began - encoder.seconds)
        merged.append(encoder.seconds)
        n_relations.append(sum(one.relation is not None for one in found.candidates))
    for name, times in took.items():
        low, high = np.quantile(times, (0.5, 0.95)) * 1000
        print(f"match, {name}, of {len(texts)} suspects: {low:.0f} ms, p95 {high:.0f} ms")
    print(f"merged sentences encoded: {np.mean(merged) * 1000:.0f} ms a suspect on average")
    print(f"relations predicted: {np.mean(n_relations):.2f} on average, {max(n_relations)} at most")


def rate(made: Sequence[Made], folder: Path, n: int) -> None:
    """Compare adding with encoding the same sentences alone, in turn, by processor time."""
    encoder = MiniLMEncoder()
    encoder.encode(["Warm."] * 50, tokens=False)
    Archive(folder / "warm", encoder=encoder).add([Article(id="a", text="Warm. Up.")])
    ratios, rates, at = [], [], 0
    for turn in range(3):
        part: list[Made] = []
        while sum(len(one.lines) for one in part) < n:
            part.append(made[at])
            at += 1
        distinct = list(dict.fromkeys(text for one in part for text in split(one.text).texts))
        archive = Archive(folder / f"rate{turn}", encoder=encoder)
        began = time.process_time()
        archive.add([Article(id=one.id, text=one.text) for one in part])
        adding = time.process_time() - began
        began = time.process_time()
        encoder.encode(distinct, tokens=False)
        alone = time.process_time() - began
        ratios.append(alone / adding)
        rates.append(len(distinct) / adding)
    print(
        f"adding / encoding alone: {statistics.median(ratios):.3f} of its rate "
        f"({min(ratios):.3f} to {max(ratios):.3f}); {statistics.median(rates):.0f} sentences a "
        "core-second"
    )


def articles_of(made: Sequence[Made], mixed: Sequence[np.ndarray]) -> Iterator[Article]:
    for one in made:
        yield Article(id=one.id, text=one.text)
    sentences = [text for one in made for text in split(one.text).texts]
    for number, rows in enumerate(mixed):
        yield Article(id=f"mixed-{number}", text="\n\n".join(sentences[i] for i in rows))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--suspects", type=int, default=60)
    parser.add_argument("--distractors", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=1500, help="sentences added in each round")
    parser.add_argument("--cache", type=Path, help="keeps vectors and the archive")
    parser.add_argument("--no-baselines", action="store_true")
    arguments = parser.parse_args()
    shared = os.environ.get("DETECTOR_SHARED")
    if not shared:
        print("DETECTOR_SHARED names no folder; nothing to measure on")
        return
    warnings.simplefilter("ignore", DetectorWarning)
    with tempfile.TemporaryDirectory() as made_here:
        folder = arguments.cache or Path(made_here)
        folder.mkdir(parents=True, exist_ok=True)
        run(arguments, Path(shared), folder)


def run(arguments: argparse.Namespace, shared: Path, folder: Path) -> None:
    rng = np.random.default_rng(0)
    made = documents(shared, rng)
    drawn = suspects(shared, made, rng, arguments.suspects)
    mixed = distractors([len(split(one.text)) for one in made], rng, arguments.distractors)
    wholes = ["\n\n".join(one.lines) for one in drawn]
    thirds = ["\n\n".join(third(one.lines, rng)) for one in drawn]
    encoder = CachedEncoder(folder)
    texts = [*(one.text for one in made), *wholes]
    encoder.cache(list(dict.fromkeys(one for text in texts for one in split(text).texts)))
    encoder.cache(list(dict.fromkeys(one for text in thirds for one in split(text).texts)))

    archive = Archive(folder / "archive", encoder=encoder)
    began = time.perf_counter()
    done = archive.add(articles_of(made, mixed))
    info = archive.info()
    print(
        f"{info.n_articles} articles ({len(mixed)} distractors), {info.n_sentences} sentences, "
        f"{info.n_bytes / info.n_sentences:.0f} bytes of disk a sentence, index "
        f"{info.index.kind or 'none'}; {done.n_added} stored and indexed without encoding in "
        f"{time.perf_counter() - began:.0f} s"
    )
    print(
        f"{len(drawn)} suspects of {len({one.source for one in drawn})} documents, "
        f"{len({one.system for one in drawn})} systems, {len({one.lang for one in drawn})} "
        "languages"
    )
    print(f"{'':<34}{'recall@1':<26}{'recall@5':<26}{'ms p50':>7}{'p95':>7}")

    def by_archive(text: str) -> list[str]:
        return [one.id for one in match(text, archive, report=False).candidates[:TOP]]

    finders = {"archive": by_archive}
    if not arguments.no_baselines:
        # Duplicates are stored once: the baselines get the same articles.
        unique = {one.digest: one for one in articles_of(made, mixed)}
        ids = [one.id for one in unique.values()]
        finders["BM25"] = by_bm25([one.text for one in unique.values()], ids)
        finders["MinHash"] = by_minhash([one.text for one in unique.values()], ids)
    for name, find in finders.items():
        find(wholes[0])
        for what, given in (("whole", wholes), ("a third", thirds)):
            ranks, took = ranked(find, drawn, given)
            print_recall(f"{name}, {what}", drawn, ranks, took)
            if name == "archive":
                for corpus in ("news", "encyclopedia"):
                    at = [
                        i
                        for i, one in enumerate(drawn)
                        if (one.corpus == "flores") == (corpus == "encyclopedia")
                    ]
                    some = [ranks[i] for i in at], [took[i] for i in at]
                    print_recall(f"  {corpus}", [drawn[i] for i in at], *some)
    stitched(archive, drawn, rng, min(300, len(drawn)))
    some = rng.choice(len(drawn), min(250, len(drawn)), replace=False)
    match_times(archive, encoder, [wholes[i] for i in some])
    with tempfile.TemporaryDirectory() as other:
        rate(made, Path(other), arguments.rate)


if __name__ == "__main__":
    main()
