"""Documents, suspects and distractors for `archive.py`, out of the shared corpora.

    python benchmarks/archive_corpus.py     # how many there are (needs DETECTOR_SHARED)

Corpora of single lines are cut into documents of 5 to 40 consecutive lines, short ones more often
than long ones. A distractor mixes sentences of different documents, one of
each, so that it never holds most of any suspect's source. Nothing is encoded or searched here.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from detector.text.boilerplate import boilerplate_reason
from detector.text.sentences import split

SHORTEST, LONGEST = 5, 40
FOREIGN = "text in another script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document: its lines, and the corpus they are from."""

    id: str
    corpus: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as paragraphs."""
        return "\n\n".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A copy of the document `source` by one system through one language."""

    source: str
    corpus: str
    system: str
    lang: str
    lines: tuple[str, ...]


def lengths(rng: np.random.Generator, total: int) -> Iterator[int]:
    """Yield document lengths, log-uniform in 5 to 40, until they use up `total` lines."""
    left = total
    while left >= SHORTEST:
        n = round(float(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST)))))
        n = left if left - n < SHORTEST else n
        yield min(n, left)
        left -= n


def _runs(corpus: str, lines: Sequence[str], rng: np.random.Generator) -> list[Made]:
    made, at = [], 0
    for n in lengths(rng, len(lines)):
        made.append(Made(id=f"{corpus}-{at}", corpus=corpus, lines=tuple(lines[at : at + n])))
        at += n
    return made


def _news(shared: Path) -> pd.DataFrame:
    """Return the news round trips, in order; `line` counts within a set and a language."""
    table = pd.read_parquet(shared / "data" / "wmt14_15_18_rt.parquet")
    table = table[table["suspect_misaligned"].astype(int) == 0]
    table = table.assign(line=table["line"].astype(int))
    return table.sort_values(["set", "lang", "line"], kind="stable")


def documents(shared: Path, rng: np.random.Generator) -> list[Made]:
    """Return every English document of the shared corpora."""
    tables = shared / "data"
    made: list[Made] = []
    for name, part in _news(shared).groupby("set"):
        known: set[str] = set()  # a set's languages have most of their English in common
        by_size = part.groupby("lang")["orig_en"].nunique().sort_values(ascending=False)
        for lang in by_size.index:
            lines = list(dict.fromkeys(part.loc[part["lang"] == lang, "orig_en"]))
            made += _runs(str(name), [line for line in lines if line not in known], rng)
            known |= set(lines)
    flores = pd.read_parquet(tables / "flores_dev_rt.parquet").sort_values("sid")
    made += _runs("flores", list(dict.fromkeys(flores["orig_en"])), rng)  # apertium_rt's too
    mlqe = pd.read_parquet(tables / "mlqe_pe_train_dev.parquet")
    for (lp, part_name), part in mlqe.groupby(["lp", "split"]):
        texts = list(dict.fromkeys(part.sort_values("i")["post_edit_en"]))
        made += _runs(f"mlqe-{lp}-{part_name}", texts, rng)
    demetr = pd.read_parquet(tables / "demetr_dev.parquet")["eng_sent"]
    made += _runs("demetr", list(dict.fromkeys(demetr)), rng)
    for name, column in (
        ("mqm_news21_zhen", "source"),
        ("mqm_ted_zhen", "source"),
        ("biomqm_into_en", "ref_en"),
    ):
        table = pd.read_parquet(tables / f"{name}.parquet").drop_duplicates(["doc", "seg"])
        for doc, part in table.sort_values("seg").groupby("doc"):
            lines = tuple(part[column].dropna())
            made.append(Made(id=f"{name}-{doc}", corpus=name, lines=lines))
    for seed in sorted((shared / "seeds").glob("*.txt")):
        text = seed.read_text(encoding="utf-8")
        made.append(Made(id=seed.stem, corpus="seeds", lines=(text,)))
    # Ids are one to a document, however a corpus names its own.
    made = [replace(one, id=f"{number:05d} {one.id}") for number, one in enumerate(made)]
    return [one for one in made if split(one.text).sentences]


def suspects(shared: Path, made: Sequence[Made], rng: np.random.Generator, n: int) -> list[Suspect]:
    """Draw `n` copies, in equal shares of news and encyclopedia; every system and language.

    Systems and languages are taken in turn, so the weakest and the most distant are there too.
    """
    found: list[Suspect] = []
    by_corpus: dict[str, list[Made]] = defaultdict(list)
    for one in made:
        by_corpus[one.corpus].append(one)
    flores = pd.read_parquet(shared / "data" / "flores_dev_rt.parquet").assign(set="flores")
    for table in (_news(shared), flores):
        ways = {
            key: dict(zip(part["orig_en"], part["back_en"], strict=True))
            for key, part in table.groupby(["set", "lang", "system"])
        }
        order = [list(ways)[i] for i in rng.permutation(len(ways))]
        drawn = 0
        while drawn < n // 2:
            corpus, lang, system = order[drawn % len(order)]
            backs = ways[corpus, lang, system]
            source = by_corpus[corpus][int(rng.integers(len(by_corpus[corpus])))]
            lines = tuple(backs[line] for line in source.lines if backs.get(line, "").strip())
            if len(lines) < SHORTEST:
                continue  # not every system was given every line
            drawn += 1
            found.append(
                Suspect(source=source.id, corpus=corpus, system=system, lang=lang, lines=lines)
            )
    # One table holds the pivot where a system gave no English.
    return [one for one in found if boilerplate_reason(" ".join(one.lines)) != FOREIGN]


def distractors(sizes: Sequence[int], rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Recombine sentences: each distractor takes one sentence of as many documents as it is long.

    Parameters
    ----------
    sizes : sequence of int
        Sentences of each document; sentences are numbered through, document by document.

    Returns
    -------
    list of ndarray of int
        The numbers of each distractor's sentences.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    counts = np.asarray(sizes)
    made = []
    for size in lengths(rng, 10**9):
        if len(made) == n:
            break
        # A document is drawn as often as it has sentences, and at most once.
        chosen = np.unique(rng.choice(len(counts), size=size, p=counts / counts.sum()))
        rng.shuffle(chosen)
        made.append(starts[chosen] + rng.integers(0, counts[chosen]))
    return made


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    folder = os.environ.get("DETECTOR_SHARED")
    if not folder:
        print("DETECTOR_SHARED names no folder; nothing to count")
        return
    rng = np.random.default_rng(0)
    made = documents(Path(folder), rng)
    drawn = suspects(Path(folder), made, rng, 1000)
    print(f"{len(made)} documents, {sum(len(split(one.text)) for one in made)} sentences")
    print(f"{len(drawn)} suspects of {len({one.source for one in drawn})} of them")


if __name__ == "__main__":
    main()
