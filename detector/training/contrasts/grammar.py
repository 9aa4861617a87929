"""Parts of speech, inflection and word lists, as far as swapping words needs them.

Parts of speech come from the lexicon and a few rules on neighbours, right about nine times in ten;
this is no parser. The lists were written for this project, none from a corpus: `senses` (pivot,
part, two English senses that one word of the pivot joins), `leftovers` (English, part, French,
German, Spanish, Dutch, Danish, Italian), `wider` (part, word, wider word), `alike` (= both ways or
> one way, part, word, synonym), `opposites` (part, word, opposite), `verbs` (base, past,
participle), `idioms` (idiom, word for word), `slips` (word, misspelling), `rules` (kind, all
matches or one, replacement, pattern), `replacements` (table, word, alternatives).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from detector.text.lexicon import base_forms, is_stopword, is_word, read_table


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a list, split at tabs."""
    text = (files("detector.training.contrasts") / f"{name}.tsv").read_text(encoding="utf-8")
    return tuple(tuple(line.split("\t")) for line in text.splitlines())


def listed(text: str) -> tuple[str, ...]:
    """Split a list written as a text at its spaces."""
    return tuple(text.split())


def replacements(table: str) -> dict[str, tuple[str, ...]]:
    """Return the alternatives of each word of a table of the list `replacements`."""
    return {
        word: tuple(others.split("|"))
        for name, word, others in rows("replacements")
        if name == table
    }


def replacement(table: str) -> dict[str, str]:
    """Return the only alternative of each word of a table."""
    return {word: others[0] for word, others in replacements(table).items()}


@cache
def choices(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the replacements that a list gives for (part, word)."""
    table: dict[tuple[str, str], list[str]] = {}
    for row in rows(name):
        *head, word, other = row
        part = head[-1]
        table.setdefault((part, word), []).append(other)
        if name in ("senses", "opposites") or head[0] == "=":
            table.setdefault((part, other), []).append(word)
    return {key: tuple(dict.fromkeys(values)) for key, values in table.items()}


DETERMINERS = frozenset(
    listed("""
        the a an this that these those his her its their our my your some any no every each
        another several many few
    """)
)
PREPOSITIONS = frozenset(
    listed("""
        in on at for from with by of to after before without against under during into over
        through between near about since among behind towards toward within beyond across around
    """)
)
SUBJECTS = frozenset({"he", "she", "it", "they", "we", "i", "you", "who"})
_BE = frozenset({"is", "are", "was", "were", "be", "been", "being", "am"})
_HAVE = frozenset({"has", "have", "had", "having"})
_MODALS = frozenset(
    listed("""
        will would can could may might must shall should to do does did not cannot can't don't
        didn't doesn't won't
    """)
)
_WORDS = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_BEGINS = re.compile(r"[.!?:]|[\"“(]$")
_PLURALS = replacement("plural")
_SINGULARS = {plural: singular for singular, plural in _PLURALS.items() if plural != singular}
_DOUBLED = re.compile(r"(?:qu|[^aeiou])*[aeiou][bdgklmnprt]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a sentence: its span, part of speech, inflection and base form.

    `part` is n, v, a, r, f (function word), d (number), p (name) or empty; `form` is "", s, ed,
    en or ing.
    """

    text: str
    start: int
    end: int
    part: str
    form: str
    base: str

    @property
    def low(self) -> str:
        """The word in lower case."""
        return self.text.lower().replace("’", "'")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its words."""

    text: str
    tokens: tuple[Token, ...]

    @classmethod
    def of(cls, text: str) -> Sentence:
        """Tag the words of a text."""
        located = words(text)
        lows = [low for low, _, _ in located]
        tokens: list[Token] = []
        for at, (low, start, end) in enumerate(located):
            word = text[start:end]
            # A capital inside the sentence makes a name, at its start only what is no word.
            begins = at == 0 or _BEGINS.search(text[located[at - 1][2] : start]) is not None
            part, form, base = _tagged(word, lows, at, begins=begins)
            tokens.append(Token(word, start, end, part, form, base or low))
        return cls(text, tuple(tokens))

    def gap(self, at: int) -> str:
        """Return the characters between a token and the next."""
        if at + 1 >= len(self.tokens) or at < 0:
            return "." if at >= 0 else ""
        return self.text[self.tokens[at].end : self.tokens[at + 1].start]


def words(text: str) -> list[tuple[str, int, int]]:
    """Return the words of a text in lower case, with their spans."""
    return [(m.group().lower().replace("’", "'"), *m.span()) for m in _WORDS.finditer(text)]


@cache
def cardinals() -> frozenset[str]:
    """Return the written cardinal numbers."""
    return frozenset(
        word for word, kind, *_ in read_table("numerals") if kind in ("cardinal", "scale")
    )


@cache
def _parts() -> dict[str, str]:
    return dict(read_table("words"))  # type: ignore[arg-type] # rows of two


@cache
def _verbs() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Return irregular verbs: base to past and participle, and forms to form and base."""
    forms: dict[str, tuple[str, str]] = {}
    known = {}
    for base, past, participle in rows("verbs"):
        known[base] = (past, participle)
        if participle != base:
            forms[participle] = ("en", base)
        if past != base:
            forms[past] = ("ed", base)
    return known, forms


def parts_of(base: str) -> str:
    """Return the letters of the parts of speech that a dictionary word may be."""
    return _parts().get(base, "")


@lru_cache(maxsize=1 << 16)
def parses(word: str) -> tuple[tuple[str, str, str], ...]:
    """Return every (part, form, base) of a word in lower case.

    >>> parses("houses")
    (('n', 's', 'house'), ('v', 's', 'house'))
    """
    analyses = [(part, "", word) for part in parts_of(word)]
    if word in _SINGULARS:
        return (("n", "s", _SINGULARS[word]),)
    if word in _verbs()[1]:
        form, base = _verbs()[1][word]
        analyses.append(("v", form, base))
    for base in sorted(base_forms(word) - {word}):
        letters = parts_of(base)
        for part in "nva":
            for form in ("s", "ed", "ing") if part == "v" else ("s",):
                if part in letters and part != "a" and inflect(base, part, form) == word:
                    analyses.append((part, form, base))
    return tuple(dict.fromkeys(analyses))


@lru_cache(maxsize=1 << 16)
def inflect(base: str, part: str, form: str) -> str:
    """Return the inflection of a dictionary word, or of the head of a phrase.

    >>> inflect("city", "n", "s"), inflect("stop", "v", "ed"), inflect("look at", "v", "s")
    ('cities', 'stopped', 'looks at')
    """
    if not form or part not in "nv":
        return base
    if " " in base:
        if part == "v" or " of " in base:
            head, _, rest = base.partition(" ")
            return f"{inflect(head, part, form)} {rest}"
        rest, _, head = base.rpartition(" ")
        return f"{rest} {inflect(head, part, form)}"
    return _with_s(base, part) if form == "s" else _verb_form(base, form)


def _with_s(base: str, part: str) -> str:
    if part == "n" and base in _PLURALS:
        return _PLURALS[base]
    if base in ("have", "be"):
        return {"have": "has", "be": "is"}[base]
    if re.search(r"[^aeiou]y$", base):
        return f"{base[:-1]}ies"
    return base + ("es" if re.search(r"(?:s|x|z|ch|sh|[^aeiou]o)$", base) else "s")


def _verb_form(base: str, form: str) -> str:
    irregular = _verbs()[0].get(base)
    if irregular is not None and form in ("ed", "en"):
        return irregular[form == "en"]
    stem = base + base[-1] if _DOUBLED.fullmatch(base) else base
    if form == "ing":
        if base.endswith("ie"):
            return f"{base[:-2]}ying"
        return (stem if not re.search(r"[^eoy]e$", base) else base[:-1]) + "ing"
    if base.endswith("e"):
        return f"{base}d"
    return f"{base[:-1]}ied" if re.search(r"[^aeiou]y$", base) else f"{stem}ed"


def _tagged(word: str, lows: list[str], at: int, *, begins: bool) -> tuple[str, str, str]:
    """Choose part, form and base of a word by its neighbours."""
    low = lows[at]
    if low[0].isdigit() or low in cardinals():
        return "d", "", low
    if word[0].isupper() and (not begins or not is_word(low)) and low != "i":
        return "p", "", low
    if is_stopword(low) or low in SUBJECTS:
        return "f", "", low
    options = parses(low)
    if not options:
        return ("r" if low.endswith("ly") else ""), "", low
    before = lows[at - 1] if at else ""
    after = lows[at + 1] if at + 1 < len(lows) else ""
    wanted = _wanted(options, before, after)
    for part, form in wanted:
        for option in options:
            if option[0] == part and form in (None, option[1]):
                return option
    return options[0]


def _wanted(
    options: tuple[tuple[str, str, str], ...], before: str, after: str
) -> list[tuple[str, str | None]]:
    """Order parts and forms by how well they fit between two words."""
    then_noun = after not in PREPOSITIONS and bool(after) and _may_be(after, "n")
    if before in DETERMINERS or (before and before[0].isdigit()):
        return [("a", None), ("n", None)] if then_noun else [("n", None), ("a", None), ("r", None)]
    if before in _MODALS:
        return [("v", ""), ("n", None), ("a", None)]
    if before in SUBJECTS:
        return [("v", None), ("r", None)]
    if before in _BE:
        return [("v", "ing"), ("v", "en"), ("v", "ed"), ("a", None), ("r", None), ("n", None)]
    if before in _HAVE:
        return [("v", "en"), ("v", "ed"), ("a", None), ("n", None)]
    if before in PREPOSITIONS:
        return [("a", None), ("n", None)] if then_noun else [("n", None), ("v", "ing"), ("a", None)]
    if before and (_may_be(before, "n") or not is_word(before)) and after in DETERMINERS | SUBJECTS:
        return [("v", "ed"), ("v", "s"), ("v", None), ("n", None)]
    if then_noun and any(part == "a" for part, _, _ in options):
        return [("a", None)]
    return [("v", "ed"), ("n", None), ("a", None), ("r", None), ("v", None)]


@lru_cache(maxsize=1 << 16)
def _may_be(low: str, part: str) -> bool:
    return not is_stopword(low) and any(tag == part for tag, _, _ in parses(low))
