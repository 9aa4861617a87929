"""What the fuzzer draws, how much of it, and what must hold of every report.

`DETECTOR_FUZZ_SCALE` multiplies the examples, `DETECTOR_FUZZ_SEED` repeats a run.
"""

from __future__ import annotations

import csv
import io
import os
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st

from detector.batch.outputs import SENTENCES, Outcome, pair_parquet
from detector.records import Span
from detector.report.formats import COLUMNS, FORMS, render
from detector.report.report import Report
from detector.text.escape import HOSTILE
from detector.text.sentences import split

SCALE = float(os.environ.get("DETECTOR_FUZZ_SCALE", "1"))
SEED = int(os.environ.get("DETECTOR_FUZZ_SEED", random.SystemRandom().randrange(1 << 32)))
_SURROGATE = re.compile("[\ud800-\udfff]")


def fuzz(examples: int) -> Callable[[Any], Any]:
    """Run a property on so many examples, times the scale, drawn from the run's seed."""
    chosen = settings(
        max_examples=max(1, int(examples * SCALE)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(SEED)(chosen(test))


def _spaced(text: str) -> tuple[str, ...]:
    return tuple(f"{piece} " for piece in text.split("|"))


_WORDS = _spaced("the|boat|left|harbour|nobody|had|seen|its|captain|again|said|may|not|hot|cold")
_NAMES = _spaced(
    "Anna Keller|Oslo|Harbour Watch|Peter Banks|Maria|NATO|Stone River|McKinley|O'Brien|Jean-Luc|"
    "United States|US|Bank of Norway|Chinese|China's|Sun|May|iPhone|U.N.|President"
)
# fmt: off
CLASSES: dict[str, tuple[str, ...]] = {
    "plain": ("The boats left the harbour of Stone Bay in the morning. ", "Nobody knew why. ",
              "Anna Keller said that 40 people had waited for the captain of the old ferry. ",
              "In March the town paid 3 million dollars for a new wall against the storms. "),
    "letters": tuple("abcdefghij"), "single letters": _spaced("a|b|c|d|e|f"),
    "capitals": tuple("ABCDEFGHIJ"), "single capitals": _spaced("A|B|C|D|E|F"),
    "capitalised words": tuple(word.capitalize() for word in _WORDS), "names": _NAMES,
    "words in capitals": tuple(word.upper() for word in _WORDS),
    "names and joiners": (*_NAMES, *_spaced("of|the|and|,|de la|van der")),
    "possessives": tuple(name.strip() + end for name in _NAMES for end in ("'s ", "’s ", "' ")),
    "roman numerals among names": (*_spaced("I|II|III|IV|V|VI|IX|X|XIV|XL|MCM"), *_NAMES),
    "one roman numeral": ("IV ",), "acronyms": ("NATO ", "UN ", "U.N. ", "EU-", "USA", "A.B.C. "),
    "camel case": ("iPhone", "McDonald", "aB", "harbourNow the ", "NowThe "),
    "digits": tuple("0123456789"), "full width": tuple("１２３ＡＢａｂ"),
    "numbers": _spaced("7|42|1,234|200.000|5.5|0|999999|1e9|３|٣"),
    "numbers and units": ("5 km ", "7%", "$3bn ", "20 kg, ", "9 m to ", "4 million ", "12 years "),
    "number words": _spaced("two|ten|hundred|thousand|million|half|and|a|second|two-thirds"),
    "hyphenated number words": ("two-", "twenty-", "thirds-", "point-", "minus-"),
    "ranges": ("1-", "2–", "between 3 and ", "from 4 to ", "5 to 6 ", "$7-"),
    "currencies": ("$", "€5 ", "£3bn ", "US$ ", "4 euros ", "¥", "kr 5 "),
    "dates": _spaced("May 4, 2021|2020-01-02|3/4/05|Sept. 11|the 1980s|Monday"),
    "times": _spaced("9:30|9 p.m.|90 minutes|noon|2 hours|half past ten|21: 05"),
    "punctuation": tuple(".,;:!?…"), "spaced punctuation": (". ", ", ", "; ", "! ", "? ", "a"),
    "stops": ("a. ", "B. ", "U.S. ", "Mr. ", "No. ", "5. ", "?! ", ".B", "a.Then "),
    "quotes": tuple("\"'“”‘’«»„`"), "brackets": tuple("()[]{}<>"),
    "quotes around words": ('"a" ', "'b ", "“c ", "d” ", "‘e’ ", "n't ", "do n't "),
    "brackets around words": ("(a", "b)", "[1]", "](c)", "{ ", "} "),
    "blank lines": ("\n\n\n", "\n", "\n \n", "a"), "CRLF": ("\r\n",),
    "CRLF and words": ("\r\n", "\r\n\r\n", "\r", "a b"),
    "spaces": (" ",), "kinds of space": ("   ", "\t", "\u00a0", "\u3000", "a"),
    "hyphenated words": tuple(f"{word.strip()}-" for word in (*_WORDS, *_NAMES)),
    "hyphens": tuple("-–—‑"), "apostrophes": ("'", "’", "a"),
    "clitics": ("it’s ", "o'", "James' ", "'s ", "n’t ", "d'A"),
    "mixed scripts": ("привет ", "你好", "שלום ", "مرحبا ", "नमस्ते ", "γεια.", "a", "İ", "ß"),
    "Chinese": tuple("你好世界中文字。"), "emoji": ("😀", "👩‍👩‍👧", "🇫🇷", "👍🏽", "a"),
    "combining marks": ("a", "\u0301", "\u0327", "\u0308", "E\u0301 "),
    "hidden characters": ("\u200b", "\u00ad", "\ufeff", "\u202e", "a"),
    "controls": ("\x00", "\x07", "\x1b[31m", "\x85", "\u2028", "a"),
    "surrogates": ("\ud800", "\udc00", "\udfff", "a "),
    "fences": ("```\n", "~~~\n", "a\n", "``` a\n"),
    "URLs": ("https://a.example/", "www.b.example", "?q=1&r=2", "x@y.example ", "[a](b) "),
    "tags": ("<b>", "</b>", '<a href="x">', "<p>", "<!--", "-->", "a ", "&amp;", "<script>"),
    "attributes": (' a="1"', " href='x'", " on=y", "<div"), "list marks": _spaced("-|*|#|•|>|1."),
    "list items": ("- a\n", "* b\n", "1. c\n", "(2) d\n", "# e\n", "• f\n", "| g | h |\n", "> i\n"),
    "hard-wrapped lines": (f"{''.join(_WORDS)}\n", f"{''.join(_WORDS[1:])}\n"),
    "negations": _spaced("not|no|never|n't|without|nor|very|had had"),
    "formulas": ("=1+1\n", "+a ", "@b ", "-c\n", "=HYPERLINK(d) "),
}
# fmt: on
"""Pieces of each class of token; all are written for this project."""


def bomb(name: str, size: int, variant: int) -> str:
    """Return `size` characters of one class of token."""
    draw = random.Random(f"{name} {variant}")
    return "".join(draw.choices(CLASSES[name], k=size))[:size]


def _paired(text: str) -> str:
    """Return a text in which two halves of a character that meet are one, as JSON reads them."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_PIECES = sorted({piece for pieces in CLASSES.values() for piece in pieces})
_UNICODE = st.text(st.characters(exclude_categories=()), max_size=200)
_TOKENS = st.lists(st.sampled_from(_PIECES), max_size=80).map("".join)
_BOMBS = st.builds(bomb, st.sampled_from(sorted(CLASSES)), st.integers(1, 600), st.integers(0, 9))
_ONE = st.one_of(_UNICODE, _TOKENS, _BOMBS)
TEXTS = st.one_of(_ONE, st.lists(_ONE, max_size=4).map("\n".join)).map(_paired)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a source, and a copy: another text, the same, or the source with some edits."""
    source = copy = draw(TEXTS)
    if draw(st.booleans()):
        return source, draw(TEXTS)
    for _ in range(draw(st.integers(0, 6))):
        at, cut = draw(st.integers(0, len(copy))), draw(st.integers(0, 20))
        copy = copy[:at] + draw(st.sampled_from(("", *_PIECES))) + copy[at + cut :]
    return source, _paired(copy)


def check_report(report: Report, *, source: str, copy: str) -> None:
    """Assert what must hold of every report, and of every form that it is written in."""
    for row in report.rows:
        _check_span(row.copy, row.copy_text, copy, row.copy)
        _check_span(row.source, row.source_text, source, row.source)
        assert row.similarity is None or -1.0 <= row.similarity <= 1.0
        assert row.drift_probability is None or 0.0 <= row.drift_probability <= 1.0
        for found in (*row.name_changes, *row.number_changes, *row.spans):
            assert 0.0 <= found.probability <= 1.0
            for span, side, raw, own in (
                (found.copy, "copy", copy, row.copy),
                (found.source, "source", source, row.source),
            ):
                _check_span(span, getattr(found, f"{side}_text", span and span.of(raw)), raw, own)
    held = [i for row in report.rows for i in row.source_indices]
    missing = [i for passage in (*report.omissions, *report.outside) for i in passage.indices]
    assert (
        sorted({*held, *missing}) == list(range(report.n_source)) == list(range(len(split(source))))
    )
    assert set(held).isdisjoint(missing)
    assert Report.from_json(report.to_json()) == report
    forms = {form: render(report, form) for form in FORMS}
    assert not [form for form, text in forms.items() if HOSTILE.search(text)]
    csv.field_size_limit(1 << 30)
    rows = list(csv.DictReader(io.StringIO(forms["csv"], newline="")))
    assert [row["copy_start"] for row in rows] == [str(row.copy.start) for row in report.rows]
    HTMLParser().feed(forms["html"])
    if _SURROGATE.search(source + copy):
        return  # Parquet holds none; a batch replaces them as it reads
    outcome = Outcome(index=0, id="a", result=report, error=None)
    table = pd.read_parquet(io.BytesIO(pair_parquet([outcome])[SENTENCES]))
    frame = report.to_frame()
    assert [*table.columns[2:]] == list(COLUMNS)
    for name in ("copy_start", "copy_end", "copy_text", "kind", "drift_flag", "n_truncated"):
        assert table[name].tolist() == frame[name].tolist()


def _check_span(span: Span | None, text: str | None, raw: str, own: Span | None) -> None:
    assert (span is None) == (text is None)
    if span is not None:
        assert span.of(raw) == text
        assert own is not None
        assert own.start <= span.start < span.end <= own.end
