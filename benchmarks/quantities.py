"""Measure how many changed numbers are caught, and how many sound translations are flagged.

    python benchmarks/quantities.py [FOLDER] [--pairs N] [--each N] [--seed S]

The folder holds data/ and is $DETECTOR_SHARED by default.

Caught: DEMETR's replaced numbers against the human reference, and contrasts: one number of the copy
of a sound pair is changed, so the harmless rewording of a translation is there too. Contrasts count
where the pair was not flagged before. False alarms: the same sound pairs unchanged. Some of them
truly differ, so these shares are upper bounds. The baseline: the sets of runs of digits of the two
sides differ. Nothing was fitted or tuned on DEMETR.
"""

from __future__ import annotations

import argparse
import calendar
import html
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.numbers.compare import compare_numbers
from detector.training.data.corpus import detokenise

New = Callable[[re.Match[str], np.random.Generator], str]
Maker = Callable[[str, np.random.Generator], str | None]
Pair = tuple[str, str]

SMALL = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ORDINALS = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties")
MONTHS = tuple(calendar.month_name)[1:]
DAYS = tuple(calendar.day_name)
SCALES = ("thousand", "million", "billion", "trillion")
MONEY = ("dollars", "euros", "pounds", "yen", "yuan", "rubles", "rupees", "francs", "won")
SIGNS = "$€£¥"
UNITS = (
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years", "decades"),
    ("millimetres", "centimetres", "metres", "kilometres", "miles", "feet", "inches"),
    ("millimeters", "centimeters", "meters", "kilometers", "miles", "feet", "inches"),
    ("mm", "cm", "km"),
    ("mg", "kg", "tonnes"),
    ("kilograms", "grams", "pounds", "tons", "ounces"),
)
SHARES = ("half", "one third", "a quarter", "two thirds", "three quarters", "one fifth")
TIMES = (
    ("double", "triple", "quadruple"),
    ("doubled", "tripled", "quadrupled"),
    ("twice", "three times", "four times", "ten times"),
)
ROUGH = ("dozens", "hundreds", "thousands", "millions")

_NUMBER = r"(?<![\d.,:/A-Za-z-])\d[\d,]*(?:\.\d+)?(?![\d:/]|[.,]\d)"
_WHOLE = r"(?<![\d.,])"  # no digits of a longer number before
_PERCENT = r"(?<=\d)\s?(?:%| per ?cent\b)"
_SCALED = r"(?:\d|illion|housand|hundred)"


def _words(words: Sequence[str]) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


_COUNT = rf"(?:{_NUMBER}|{_words((*SMALL, *TENS))})"
_MONTH = _words(MONTHS)


def _at(pattern: str, new: New, flags: re.RegexFlag = re.NOFLAG) -> Maker:
    """Make a change at one place, drawn at random, where a pattern fits."""
    compiled = re.compile(pattern, flags)

    def make(text: str, rng: np.random.Generator) -> str | None:
        found = list(compiled.finditer(text))
        if not found:
            return None
        match = found[int(rng.integers(len(found)))]
        changed = f"{text[: match.start()]}{new(match, rng)}{text[match.end() :]}"
        return changed if changed != text else None

    return make


def _keep(pattern: str) -> Maker:
    """Drop what a pattern finds, but its first group."""
    return _at(pattern, lambda match, _: str(match[1]))


def _swap(words: Sequence[str], before: str = "", after: str = "") -> Maker:
    """Swap a word of a list for another where the text round it fits."""
    names = words[0][0].isupper()
    return _at(
        f"({before})({_words(words)})(?={after})",
        lambda match, rng: match[1] + _other(match[2], words, rng),
        re.NOFLAG if names else re.IGNORECASE,
    )


def _any(*makers: Maker) -> Maker:
    """Take the first of some makers, in an order drawn at random, that finds a place."""

    def make(text: str, rng: np.random.Generator) -> str | None:
        for i in rng.permutation(len(makers)).tolist():
            changed: str | None = makers[i](text, rng)
            if changed is not None:
                return changed
        return None

    return make


def _other(word: str, words: Sequence[str], rng: np.random.Generator) -> str:
    """Draw another word of a list, with a capital where the given one has it."""
    drawn = str(rng.choice([w for w in words if w.lower() != word.lower()]))
    return drawn.capitalize() if word[:1].isupper() else drawn


def _near(lowest: int, highest: int) -> New:
    """Draw another whole number within 9 of the last group that was found."""

    def draw(match: re.Match[str], rng: np.random.Generator) -> str:
        digits = match[match.lastindex or 0]
        number = int(digits)
        near = range(max(lowest, number - 9), min(highest, number + 9) + 1)
        drawn = int(rng.choice([n for n in near if n != number] or [number + 1]))
        return match[0].removesuffix(digits) + str(drawn)

    return draw


def _digit(match: re.Match[str], rng: np.random.Generator) -> str:
    """Change one digit of the last group; a leading one never becomes 0."""
    text = match[match.lastindex or 0]
    places = [i for i, letter in enumerate(text) if letter.isdecimal()]
    i = int(rng.choice(places))
    lowest = "0" if i > places[0] or len(places) == 1 else "1"
    drawn = str(rng.choice([d for d in "0123456789" if d >= lowest and d != text[i]]))
    return match[0].removesuffix(text) + text[:i] + drawn + text[i + 1 :]


def _decade(match: re.Match[str], rng: np.random.Generator) -> str:
    return f"{match[1]}{(int(match[2]) + int(rng.integers(1, 10))) % 10}0"


def _point(match: re.Match[str], _: np.random.Generator) -> str:
    """Move a decimal point by one place: 3.5 becomes 35, 12.25 becomes 122.5."""
    rest = match[2][1:]
    return f"{match[1]}{match[2][0]}{'.' + rest if rest else ''}"


MAKERS: Mapping[str, Maker] = {
    "a digit": _at(_NUMBER, _digit),
    "written count": _any(_swap(SMALL), _swap(TENS)),
    "ordinal": _any(_swap(ORDINALS), _at(r"\b\d\d?(?=th\b)", _near(4, 20))),
    "year": _at(r"(?<![\d.,$€£])\b(?:1[5-9]|20)\d\d\b(?![.,]\d| ?%)", _near(1500, 2099)),
    "day of a month": _any(
        _at(rf"\b\d\d?(?= (?:of )?{_MONTH})", _near(1, 28)),
        _at(rf"{_MONTH} (\d\d?)\b(?!:)", _near(1, 28)),
    ),
    "month": _any(
        _swap(MONTHS, before=r"\d "), _swap(MONTHS, after=r" \d"), _swap(MONTHS, before="[Ii]n ")
    ),
    "weekday": _swap(DAYS),
    "million, billion": _swap(SCALES, before=f"{_COUNT} "),
    "scale lost": _keep(f"({_COUNT}) {_words(SCALES)}"),
    "currency": _any(
        _swap(MONEY, before=f"{_SCALED} "),
        _at(r"[$€£¥](?=\s?\d)", lambda match, rng: _other(match[0], SIGNS, rng)),
    ),
    "currency lost": _any(_keep(r"()[$€£¥]\s?(?=\d)"), _keep(f"({_SCALED}) {_words(MONEY)}")),
    "unit": _any(*(_swap(words, before=f"{_COUNT}[ -]") for words in UNITS)),
    "unit lost": _any(*(_keep(f"({_COUNT}) {_words(words)}") for words in UNITS[1:])),
    "percent to points": _at(_PERCENT, lambda *_: " percentage points"),
    "percent lost": _keep(f"(){_PERCENT}"),
    "fraction": _at(
        r"\b(?:one|a|two|three)[ -](?:thirds?|quarters?|fifths?)(?= of)|\bhalf(?= (?:of|the)\b)",
        lambda match, rng: _other(match[0].replace("-", " "), SHARES, rng),
    ),
    "decade": _any(_at(r"\b(1[5-9]|20)(\d)0(?='?s\b)", _decade), _swap(DECADES)),
    "clock time": _any(
        _at(r"\b\d\d?(?=:\d\d\b)", _near(1, 12)),
        _at(r"\b\d\d?(?=\s?[ap]\.?m\b)", _near(1, 11)),
    ),
    "age": _any(
        _at(r"\b\d\d?(?=[ -]years?[ -]olds?\b)|(?<=\baged )\d\d?\b", _near(1, 99)),
        _swap((*SMALL, *TENS), after="[ -]years?[ -]old"),
    ),
    "score": _at(rf"{_WHOLE}(?<![:/-])\b\d\d?[-–:]\d\d?\b(?![\d.,:/-]|\s?[ap]\.?m)", _digit),
    "half, double, dozen": _any(*map(_swap, TIMES), _swap(ROUGH, after=" of")),
    "end of a range": _at(
        rf"{_WHOLE}(?<![:/])\d[\d.]*(?: ?[-–] ?| to | and )(\d[\d,]*)(?![\d:/-]|[.,]\d)", _digit
    ),
    "decimal point": _at(rf"{_WHOLE}(?<!:)([1-9]\d*)\.(\d\d?)(?![\d.:,])", _point),
    "thousands misread": _keep(rf"{_WHOLE}(\d{{1,3}}),000(?![\d.,])"),
    "left out": _keep(f"(){_NUMBER} "),
}
"""One kind of damage each."""


def flagged(source: str, copy: str) -> bool:
    """Tell whether a changed number is reported to a reader."""
    return any(change.reported for change in compare_numbers(source, copy))


def digits_differ(source: str, copy: str) -> bool:
    """Tell whether the baseline flags a pair."""
    return set(re.findall(r"\d+", source)) != set(re.findall(r"\d+", copy))


def line(label: str, pairs: Sequence[Pair]) -> str:
    """Return the share of pairs that each rule flags, with 95 % intervals (Wilson 1927)."""
    cells = []
    for rule in (flagged, digits_differ):
        n, z = len(pairs), 1.96
        share = sum(rule(*pair) for pair in pairs) / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        cells.append(f"{share:.3f} [{max(0.0, middle - half):.3f}, {min(1.0, middle + half):.3f}]")
    return f"{label:<22}{len(pairs):>6}  {cells[0]:<22}{cells[1]}"


def sound_pairs(folder: Path, rng: np.random.Generator, limit: int) -> dict[str, list[Pair]]:
    """Return sound pairs by corpus, at most one for each source sentence."""

    def read(name: str, source: str, copy: str, keep: Callable[[Any], Any]) -> list[Pair]:
        path = folder / f"{name}.parquet"
        if not path.is_file():
            print(f"skipped: {path.name} is not there")
            return []
        table = pd.read_parquet(path)
        table = table[keep(table)].sample(frac=1.0, random_state=int(rng.integers(1 << 31)))
        table = table.drop_duplicates(source).head(limit)
        tidy = detokenise if name.startswith("mlqe") else str
        texts = zip(table[source], table[copy], strict=True)
        return [(html.unescape(tidy(a)), html.unescape(tidy(b))) for a, b in texts]

    def number(column: pd.Series[Any]) -> pd.Series[Any]:
        return pd.to_numeric(column, errors="coerce")

    good = ("google", "microsoft")
    langs = ("de", "fr", "es", "it", "pt", "nl", "sv", "da")
    return {
        "news (WMT)": read(
            "wmt14_15_18_rt",
            "orig_en",
            "back_en",
            lambda t: t.system.isin(good) & (number(t.suspect_misaligned) == 0),
        ),
        "encyclopedia (FLORES)": read(
            "flores_dev_rt",
            "orig_en",
            "back_en",
            lambda t: t.system.isin(good) & t.lang.isin(langs),
        ),
        "news (MQM 0)": read("mqm_news21_zhen", "source", "copy", lambda t: number(t.score) == 0),
        "talks (MQM 0)": read("mqm_ted_zhen", "source", "copy", lambda t: number(t.score) == 0),
        "post-edited (DA 90)": read(
            "mlqe_pe_train_dev", "post_edit_en", "mt_en", lambda t: number(t.da_mean) >= 90
        ),
        "biomedical (no error)": read(
            "biomqm_into_en", "ref_en", "mt_en", lambda t: number(t.n_err) == 0
        ),
    }


def print_demetr(path: Path) -> None:
    """Print the shares flagged of DEMETR's replaced numbers and of its sound pairs."""
    if not path.is_file():
        print(f"skipped: {path.name} is not there")
        return
    table = pd.read_parquet(path)
    table = table[table.pert_check]
    numbers = table[table.pert_id == 10]
    sound = table.drop_duplicates(["eng_sent", "mt_sent"])
    print(line("DEMETR: caught", list(zip(numbers.eng_sent, numbers.pert_sent, strict=True))))
    print(line("  their sound twins", list(zip(numbers.eng_sent, numbers.mt_sent, strict=True))))
    print(line("  all sound pairs", list(zip(sound.eng_sent, sound.mt_sent, strict=True))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("DETECTOR_SHARED"))
    parser.add_argument("--pairs", type=int, default=1000, help="at most, of each corpus")
    parser.add_argument("--each", type=int, default=100, help="contrasts of each kind at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.folder is None:
        print("skipped: no folder of corpora; name one, or set DETECTOR_SHARED")
        return
    folder, rng = Path(options.folder) / "data", np.random.default_rng(options.seed)
    print(f"{'':<22}{'pairs':>6}  {'numbers':<22}digits differ")
    print_demetr(folder / "demetr_dev.parquet")
    corpora = sound_pairs(folder, rng, options.pairs)
    print("\nsound pairs flagged")
    for name, pairs in corpora.items():
        if pairs:
            print(line(f"  {name}", pairs))
    pool = [pair for pairs in corpora.values() for pair in pairs]
    if not pool:
        return
    start = time.perf_counter()
    unflagged = [pair for pair in pool if not flagged(*pair)]
    spent = (time.perf_counter() - start) / len(pool)
    print("\none number of the copy changed: caught")
    made: list[Pair] = []
    for kind, maker in MAKERS.items():
        order = [unflagged[i] for i in rng.permutation(len(unflagged))]
        found = ((source, maker(copy, rng)) for source, copy in order)
        some = list(islice(((a, b) for a, b in found if b is not None), options.each))
        if some:
            print(line(f"  {kind}", some))
        made += some
    if made:
        print(line("  all", made))
    print(f"\n{spent * 1e6:.0f} microseconds a pair")


if __name__ == "__main__":
    main()
