"""What became of each name of the source in the copy.

Pure: names are found by `mentions`, matched word by word from the strictest likeness to the
loosest, and each outcome is a typed `NameChange` with both spans and a reason in words.
Case is looked at in the raw text, since the encoder does not see it. Roles (who did what to whom)
are not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.lexicon import (
    are_opposites,
    base_forms,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    same_acronym,
    title_key,
)
from detector.mentions import (
    Casing,
    Mention,
    base_form,
    camel_parts,
    casing_of,
    find_mentions,
    has_capital,
    is_name_word,
)
from detector.records import Change, NameChange, Span
from detector.spelling import are_spellings, is_cut, is_misspelt, likeness
from detector.words import Word, WordAlignment

# Belief that a change of this kind is damage, when nothing else speaks for or against it.
# A slip of case or apostrophe is real and cosmetic; that is why it stands near one half.
_BELIEF: dict[Change, float] = {
    "kept": 0.02,
    "case": 0.55,
    "possessive": 0.55,
    "respelled": 0.8,
    "truncated": 0.85,
    "garbled": 0.9,
    "translated": 0.7,
    "as_word": 0.85,
    "swapped": 0.85,
    "dropped": 0.6,
    "added": 0.65,
}
_GRAVITY: tuple[Change, ...] = (
    "swapped",
    "garbled",
    "truncated",
    "respelled",
    "as_word",
    "translated",
    "dropped",
    "possessive",
    "case",
    "kept",
)
# Heads of offices and institutions that an editor may write without a capital.
_GENERIC = frozenset(
    "academy act administration agency agreement airport alliance ambassador army assembly "
    "association authority bank bill board bureau cabinet center centre chamber chancellor chief "
    "church city coalition college commission committee company conference congress constitution "
    "convention corporation council county court deal declaration delegation department deputy "
    "directorate director district division embassy faculty federation finance force forces "
    "foreign foundation fund general government governor group health high hospital house "
    "institute interior institution island justice king law leader league mayor media member "
    "minister ministry mission mountain movement municipality national navy north northern office "
    "organisation organization palace parliament party police premier presidency president press "
    "prime prince princess programme program project province public queen region river republic "
    "research school sea secretariat secretary senate senator service society south southern "
    "east eastern west western state states street summit supreme system team treaty tribunal "
    "union university valley war world zoo club federal central defence defense affairs commerce "
    "trade economy education environment labour labor energy transport and think tank street road "
    "avenue square bridge cathedral festival cup prize award championship".split()
)
# Words that may stand for a name already given.
_PRONOUNS = frozenset(
    "he she they him her them his hers their theirs its it who whom whose himself herself "
    "themselves itself this these those we our ours us".split()
)
_ROLE = frozenset(
    "president leader minister chancellor premier company firm group app application platform "
    "country nation government state city capital bank newspaper paper agency party team club "
    "administration analyst professor director man woman businessman billionaire candidate "
    "politician official officials authorities organisation organization institution publication "
    "network broadcaster watchdog chief head boss king queen bloc island kingdom republic".split()
)


@dataclass(frozen=True, slots=True)
class NameContext:
    """What both whole documents tell about the way their words are written.

    `places` are the keys of all places that the source names (`lexicon.place_key`).
    """

    source: Casing
    copy: Casing
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Match:
    """What became of one word of a name: the change, and the copy words that stand for it."""

    change: Change
    copy: tuple[int, ...] = ()
    note: str = ""
    belief: float | None = None


def name_context(
    source_raw: str,
    source_sentences: Sequence[Sequence[Word]],
    copy_raw: str,
    copy_sentences: Sequence[Sequence[Word]],
) -> NameContext:
    """Learn from two whole documents how their words are written.

    Parameters
    ----------
    source_raw, copy_raw : str
        The documents that the words' places count in.
    source_sentences, copy_sentences : sequence of sequence of Word
        Their words, per sentence.

    Returns
    -------
    NameContext
    """
    source = casing_of(source_raw, source_sentences)
    copy = casing_of(copy_raw, copy_sentences)
    texts = {
        raw_word
        for words in source_sentences
        for size in (1, 2, 3)
        for raw_word in _capital_phrases(source_raw, words, size)
    }
    places = frozenset(key for text in texts if (key := place_key(text)) is not None)
    return NameContext(source, copy, places)


def _capital_phrases(raw: str, words: Sequence[Word], size: int) -> Iterable[str]:
    for k in range(len(words) - size + 1):
        if words[k].text[0].isupper():
            yield base_form(raw[words[k].start : words[k + size - 1].end])


def compare_names(
    links: WordAlignment, context: NameContext, copy_at: int = 0
) -> tuple[NameChange, ...]:
    """Say what became of each name of a bead.

    Parameters
    ----------
    links : WordAlignment
        The words of both sides of the bead, linked.
    context : NameContext
        Of the two documents.
    copy_at : int
        Index of the bead's first copy sentence; names seen before it are "already given".

    Returns
    -------
    tuple of NameChange
        One for each name of the source in order, kept ones included, then the names that the
        copy added out of nothing. Spans count in the raw documents.
    """
    return _Comparison(links, context, copy_at).changes()


class _Comparison:
    """The names of one bead while they are being matched; lives for one call."""

    def __init__(self, links: WordAlignment, context: NameContext, copy_at: int) -> None:
        self.links, self.context, self.copy_at = links, context, copy_at
        self.source, self.copy = links.source, links.copy
        self.mentions = find_mentions(self.source, context.source, context.copy)
        self.named = {i for mention in self.mentions for i in mention.at}
        self.plain = {
            w.norm for i, w in enumerate(self.source) if i not in self.named
        }
        self.taken: set[int] = set()
        self.matches: dict[int, _Match] = {}
        self.copy_flat = all(w.start in context.copy.flat for w in self.copy)
        self.source_flat = all(w.start in context.source.flat for w in self.source)

    def changes(self) -> tuple[NameChange, ...]:
        for step in (self._same, self._place, self._acronym, self._other_case, self._glued):
            for mention in self.mentions:
                step(mention)
        for mention in self.mentions:
            self._respelled(mention)
        for mention in self.mentions:
            self._replaced(mention)
        found = [self._verdict(mention) for mention in self.mentions]
        return tuple(found) + tuple(self._added())

    # -- matching, strictest first ---------------------------------------------------------

    def _open(self, mention: Mention) -> list[int]:
        return [i for i in mention.at if i not in self.matches]

    def _settle(self, i: int, match: _Match) -> None:
        self.matches[i] = match
        self.taken.update(match.copy)

    def _nearest(self, i: int, candidates: Iterable[int]) -> int | None:
        """Prefer the word that the alignment links, then the one at the likeliest place."""
        free = [j for j in candidates if j not in self.taken]
        if not free:
            return None
        linked = int(self.links.to_copy[i])
        if linked in free:
            return linked
        beside = [
            self.matches[k].copy[-1] for k in (i - 1, i + 1) if k in self.matches and self.matches[k].copy
        ]
        if beside:
            return min(free, key=lambda j: min(abs(j - b) for b in beside))
        place = i / max(1, len(self.source)) * len(self.copy)
        return min(free, key=lambda j: abs(j - place))

    def _same(self, mention: Mention) -> None:
        for i in self._open(mention):
            base = base_form(self.source[i].text)
            j = self._nearest(
                i, (j for j, w in enumerate(self.copy) if base_form(w.text) == base)
            )
            if j is None:
                continue
            if self.source[i].possessive and self._detached(j):
                self._settle(i, _Match("possessive", (j,), "its possessive 's is cut off"))
            else:
                self._settle(i, _Match("kept", (j,)))

    def _detached(self, j: int) -> bool:
        return j + 1 < len(self.copy) and self.copy[j + 1].text == "s"

    def _place(self, mention: Mention) -> None:
        if not self._open(mention):
            return
        phrases = [mention.at, *((i,) for i in mention.at if len(mention.at) > 1)]
        for at in phrases:
            if any(i in self.matches for i in at):
                continue
            key = place_key(self._text(self.source, at, self.context.source.raw))
            if key is None:
                continue
            for size in (3, 2, 1):
                hit = self._nearest_phrase(at, key, size)
                if hit is not None:
                    for i in at:
                        self._settle(i, _Match("kept", hit, "another word for the same place"))
                    break

    def _nearest_phrase(
        self, mention_at: Sequence[int], key: str, size: int
    ) -> tuple[int, ...] | None:
        hits = []
        i, last = mention_at[0], mention_at[-1]
        for j in range(len(self.copy) - size + 1):
            at = tuple(range(j, j + size))
            if any(k in self.taken for k in at) or not has_capital(self.copy[j].text):
                continue
            if self.copy[at[-1]].norm == f"{self.source[last].norm}s" and self.source[last].possessive:
                continue  # a glued possessive, which `_glued` looks at
            if place_key(self._text(self.copy, at, self.context.copy.raw)) == key:
                hits.append(at)
        place = i / max(1, len(self.source)) * len(self.copy)
        return min(hits, key=lambda at: abs(at[0] - place), default=None)

    def _acronym(self, mention: Mention) -> None:
        if len(self._open(mention)) < len(mention.at):
            return
        text = self._text(self.source, mention.at, self.context.source.raw)
        for size in (1, 2, 3, 4, 5):
            for j in range(len(self.copy) - size + 1):
                at = tuple(range(j, j + size))
                if any(k in self.taken for k in at):
                    continue
                phrase = self._text(self.copy, at, self.context.copy.raw)
                if (size > 1 or has_capital(phrase)) and same_acronym(text, phrase):
                    for i in mention.at:
                        self._settle(i, _Match("kept", at, "an acronym and its full name"))
                    return

    def _other_case(self, mention: Mention) -> None:
        for i in self._open(mention):
            word = self.source[i]
            j = self._nearest(
                i,
                (
                    j
                    for j, w in enumerate(self.copy)
                    if w.norm == word.norm and (has_capital(w.text) or w.norm not in self.plain)
                ),
            )
            if j is not None:
                self._settle(i, self._case_match(word, j))

    def _case_match(self, word: Word, j: int) -> _Match:
        other = self.copy[j]
        old, new = base_form(word.text), base_form(other.text)
        if old.casefold() != new.casefold():
            # Only accents, dots or invisible marks differ.
            return _Match("kept", (j,), "accents or dots aside, the same word")
        if self.copy_flat or self.source_flat:
            return _Match("kept", (j,), "a headline or capitals throughout")
        if old[0].isupper() and new.islower():
            if is_word(word.norm) or is_stopword(word.norm):
                return _Match("as_word", (j,), "reads as an ordinary word without its capital")
            return _Match("case", (j,), "lost its capital")
        at_opening = other.start in self.context.copy.opening
        if at_opening and new[0].isupper() and old[1:] == new[1:]:
            return _Match("kept", (j,))
        return _Match("case", (j,), "is written with other capitals")

    def _glued(self, mention: Mention) -> None:
        for i in self._open(mention):
            word = self.source[i]
            j = self._nearest(
                i,
                (
                    j
                    for j, w in enumerate(self.copy)
                    if w.norm in (f"{word.norm}s", f"{word.norm}es") and w.norm not in self.plain
                ),
            )
            if j is None:
                j = self._nearest(
                    i,
                    (
                        j
                        for j, w in enumerate(self.copy)
                        if len(w.norm) > 3 and word.norm == f"{w.norm}s" and has_capital(w.text)
                    ),
                )
                if j is not None and word.possessive and self.copy[j].possessive:
                    self._settle(i, _Match("possessive", (j,), "lost its last letter to the 's"))
                elif j is not None:
                    self._settle(i, _Match("kept", (j,), "singular and plural"))
                continue
            other = self.copy[j]
            if word.possessive:
                if other.text.islower() and is_word(word.norm):
                    self._settle(i, _Match("as_word", (j,), "reads as an ordinary plural"))
                else:
                    note = "its possessive 's is glued on"
                    if other.text[0].islower():
                        note += " and its capital is lost"
                    self._settle(i, _Match("possessive", (j,), note))
            elif other.text.islower() and is_word(word.norm):
                self._settle(i, _Match("as_word", (j,), "reads as an ordinary plural"))
            elif self._possessive_elsewhere(word):
                self._settle(i, _Match("possessive", (j,), "carries a glued 's"))
            else:
                self._settle(i, _Match("kept", (j,), "singular and plural"))

    def _possessive_elsewhere(self, word: Word) -> bool:
        return any(w.possessive and w.norm == word.norm for w in self.source)

    # -- spelling ------------------------------------------------------------------------------

    def _respelled(self, mention: Mention) -> None:
        for i in self._open(mention):
            if len(self.source[i].norm) < 2 and not self._is_compound(i):
                continue  # an initial has no spelling
            best: tuple[float, int] | None = None
            for j in range(len(self.copy)):
                if j in self.taken or self._accounted(j):
                    continue
                found = self._misspelling(i, j)
                if found is not None and (best is None or found > best[0]):
                    best = (found, j)
            if best is not None:
                self._settle(i, self._spelling_match(self.source[i], best[1]))

    def _misspelling(self, i: int, j: int) -> float | None:
        """Return how likely the copy word is the source word misspelt, None for not at all."""
        word, other = self.source[i], self.copy[j]
        beside = self._beside(i, j)
        if min(len(word.norm), len(other.norm)) < 3:
            short = word.norm.startswith(other.norm) or other.norm.startswith(word.norm)
            tied = self._is_compound(i) or beside
            return 0.6 if short and tied and has_capital(other.text) else None
        if is_stopword(other.norm):
            return None
        alike = likeness(_unglued(other.norm, word), word.norm)
        linked = int(self.links.to_copy[i]) == j
        ordinary = is_word(other.norm) and camel_parts(other.text) is None
        if ordinary and is_word(word.norm) and base_forms(word.norm).isdisjoint(
            base_forms(other.norm)
        ):
            return None  # two words of the dictionary: one is not the other misspelt
        if ordinary and not has_capital(other.text):
            # A word that merely looks like the name is none, unless it stands in its very place.
            same_place = (linked or beside) and word.norm[0] == other.norm[0]
            return alike if alike >= 0.75 and same_place else None
        floor = 0.72 - 0.1 * linked - 0.1 * beside
        if word.norm[0] != other.norm[0]:
            floor += 0.08
        if other.norm in self.context.source.first:
            floor += 0.2  # another word of the source, not this one misspelt
        return alike + 0.1 * linked + 0.05 * beside if alike >= floor else None

    def _is_compound(self, i: int) -> bool:
        """Tell whether a hyphen ties the source word to another of its name."""
        raw = self.context.source.raw
        word = self.source[i]
        return "-" in (raw[word.end : word.end + 1], raw[max(0, word.start - 1) : word.start])

    def _beside(self, i: int, j: int) -> bool:
        """Tell whether a neighbour of the source word was matched right beside the copy word."""
        return any(
            abs(k - i) <= 2 and any(abs(c - j) <= 2 for c in match.copy)
            for k, match in self.matches.items()
            if match.copy
        ) or (
            self._linked_near(i - 1, j) or self._linked_near(i + 1, j)
        )

    def _linked_near(self, k: int, j: int) -> bool:
        if not 0 <= k < len(self.source):
            return False
        to = int(self.links.to_copy[k])
        return to >= 0 and abs(to - j) == 1

    def _spelling_match(self, word: Word, j: int) -> _Match:
        other = self.copy[j]
        new = _unglued(other.norm, word)
        if new == word.norm:
            return self._case_match(word, j)
        if are_spellings(word.norm, new):
            return _Match("kept", (j,), "another spelling in use of the same name")
        if other.text.islower() and is_word(other.norm):
            return _Match("as_word", (j,), "reads as an ordinary word")
        places = place_key(base_form(word.text)), place_key(base_form(other.text))
        if None not in places:
            return _Match("swapped", (j,), "was swapped for another place")
        if is_cut(new, word.norm):
            return _Match("truncated", (j,), "is cut")
        if is_misspelt(new, word.norm):
            return _Match("respelled", (j,), "is misspelt")
        return _Match("garbled", (j,), "is garbled")

    # -- another word in the name's place ------------------------------------------------------

    def _accounted(self, j: int) -> bool:
        """Tell whether the copy word stands for a word of the source that is no name."""
        word = self.copy[j]
        if word.norm in self.plain:
            return True
        i = int(self.links.to_source[j])
        return i >= 0 and i not in self.named and float(self.links.strength[i, j]) >= 0.6

    def _replaced(self, mention: Mention) -> None:
        kept = [i for i in mention.at if i in self.matches]
        for i in self._open(mention):
            self._settle(i, self._replacement(i, mention, kept))

    def _replacement(self, i: int, mention: Mention, kept: list[int]) -> _Match:
        word = self.source[i]
        if self._twin(word) is not None:
            return _Match("kept", (), "given elsewhere in the sentence")
        candidate = self._candidate(i, kept)
        if candidate is not None and kept:
            norm = self.copy[candidate].norm
            if any(self.source[k].norm == norm for k in kept):
                return _Match("garbled", (candidate,), "is lost under a doubled word")
        if candidate is None or len(word.norm) == 1:
            if kept and self._may_stand_without(i, kept, mention):
                return _Match("kept", (), "left out; the name stands without it")
        if self._referred(i, candidate):
            return _Match("kept", (), "already given; a pronoun or title stands for it")
        if candidate is not None:
            found = self._stand_in(word, candidate)
            if found is not None:
                return found
        given = self.context.copy.first.get(word.norm, len(self.context.copy.raw)) < self.copy_at
        belief = 0.45 if given or kept else None
        return _Match("dropped", (), "is missing from the copy", belief)

    def _stand_in(self, word: Word, j: int) -> _Match | None:
        """Judge the copy word that stands in a name's place, None when it cannot be its trace."""
        other = self.copy[j]
        if not has_capital(other.text):
            if not is_word(other.norm):
                return _Match("translated", (j,), "became a word of another language", 0.75)
            if is_word(word.norm):
                return _Match("as_word", (j,), "became an ordinary word")
            return None
        if sorted(word.norm) == sorted(other.norm):
            return _Match("translated", (j,), "is given in another language's order")
        if are_opposites(word.norm, other.norm):
            return _Match("swapped", (j,), "was swapped for its opposite")
        places = place_key(base_form(word.text)), place_key(base_form(other.text))
        if places[1] is not None and {*places} == {"england", "united kingdom"}:
            return _Match("kept", (j,), "a part for the whole country")
        shouted = len(other.text) > 1 and other.text.isupper()
        named = not name_kinds(other.norm).isdisjoint(("given", "surname"))
        meant = is_word(word.norm) or (is_word(other.norm) and not named)
        if places[1] is None and meant and not shouted:
            belief = 0.45 if word.norm in _GENERIC else None
            return _Match("translated", (j,), "was translated", belief)
        return _Match("swapped", (j,), "was swapped for another name")

    def _may_stand_without(self, i: int, kept: list[int], mention: Mention) -> bool:
        """Tell whether a name is whole without a part: a first name, an initial, a generic head."""
        word = self.source[i]
        if self._is_compound(i):
            return False
        if word.norm in _GENERIC or len(word.norm) == 1:
            return True
        last = max(mention.at)
        return last in kept and self.source[last].norm not in _GENERIC

    def _twin(self, word: Word) -> int | None:
        """Find the same name matched elsewhere in the bead: the source gives it twice."""
        for k, match in self.matches.items():
            if match.copy and k in self.named and self.source[k].norm == word.norm:
                return k
        return None

    def _candidate(self, i: int, kept: list[int]) -> int | None:
        """Find the copy word that stands where the name should be, and for nothing else."""
        linked = int(self.links.to_copy[i])
        if linked >= 0 and self._is_candidate(linked):
            return linked
        before, after = self._position(i - 1), self._position(i + 1)
        places = [] if before is None else [before + 1, before + 2]
        places += [] if after is None else [after - 1, after - 2]
        # A translated name turns its parts round: "Morning Bell", "Bell of Dawn".
        for k in kept:
            places += [p + step for p in self.matches[k].copy for step in (1, 2, -1, -2)]
        for j in places:
            if not 0 <= j < len(self.copy) or not self._is_candidate(j):
                continue
            if has_capital(self.copy[j].text) or j in places[:1] or (after is not None and j == after - 1):
                return j
        return None

    def _position(self, k: int) -> int | None:
        if not 0 <= k < len(self.source):
            return None
        if k in self.matches and self.matches[k].copy:
            return self.matches[k].copy[-1]
        to = int(self.links.to_copy[k])
        return to if to >= 0 and self.links.strength[k, to] > 0.6 else None

    def _is_candidate(self, j: int) -> bool:
        word = self.copy[j]
        return (
            j not in self.taken
            and not self._accounted(j)
            and not is_stopword(word.norm)
            and not word.norm[0].isdigit()
        )

    def _referred(self, i: int, candidate: int | None) -> bool:
        """Tell whether a pronoun or a title in the copy stands for a name already given."""
        norm = self.source[i].norm
        given = self.context.copy.first.get(norm)
        if given is None or given >= self.copy_at + 1:
            return False
        if candidate is not None and not is_stopword(self.copy[candidate].norm):
            other = self.copy[candidate]
            return other.norm in _ROLE or title_key(other.norm) is not None
        present = [w.norm for w in self.source]
        return any(
            (w.norm in _PRONOUNS or w.norm in _ROLE) and present.count(w.norm) < self._count(w.norm)
            for w in self.copy
        )

    def _count(self, norm: str) -> int:
        return sum(w.norm == norm for w in self.copy)

    # -- the verdict on a whole name -------------------------------------------------------------

    def _verdict(self, mention: Mention) -> NameChange:
        parts = {i: self.matches[i] for i in mention.at}
        worst = min(parts.values(), key=lambda m: _GRAVITY.index(m.change))
        if worst.change in ("as_word", "dropped") and self._harmless_lowering(parts):
            worst = _Match("kept", worst.copy, "generic words of the name lost their capital")
        doubled = self._doubled(parts) if worst.change in ("kept", "case") else ()
        if doubled:
            worst = _Match("garbled", doubled, f"stands {len(doubled)} times in a row", 0.8)
        everything = sorted({j for m in parts.values() for j in m.copy} | set(doubled))
        whole = everything if _is_close(everything) else sorted(worst.copy)
        if worst.change == "dropped":
            whole = [] if not _is_close(everything) or not everything else everything
        source_text = self._text(self.source, mention.at, self.context.source.raw)
        copy_text = self._text(self.copy, whole, self.context.copy.raw) if whole else None
        return NameChange(
            change=worst.change,
            probability=_BELIEF[worst.change] if worst.belief is None else worst.belief,
            copy=_span(self.copy, whole) if whole else None,
            copy_text=copy_text,
            source=_span(self.source, mention.at),
            source_text=source_text,
            reason=self._reason(worst, source_text, copy_text),
        )

    def _harmless_lowering(self, parts: dict[int, _Match]) -> bool:
        """Tell whether only generic words ("Ministry") changed beside a part that was kept."""
        changed = [i for i, m in parts.items() if m.change != "kept"]
        solid = [
            i
            for i, m in parts.items()
            if m.change == "kept" and m.copy and self.source[i].norm not in _GENERIC
        ]
        lowered = all(
            self.source[i].norm in _GENERIC
            and all(self.copy[j].norm == self.source[i].norm for j in parts[i].copy)
            for i in changed
        )
        return lowered and (bool(solid) or all(parts[i].copy for i in changed))

    def _doubled(self, parts: dict[int, _Match]) -> tuple[int, ...]:
        for i, match in parts.items():
            if len(match.copy) != 1:
                continue
            j = match.copy[0]
            run = [j]
            while run[-1] + 1 < len(self.copy) and self.copy[run[-1] + 1].norm == self.copy[j].norm:
                run.append(run[-1] + 1)
            while run[0] > 0 and self.copy[run[0] - 1].norm == self.copy[j].norm:
                run.insert(0, run[0] - 1)
            norm = self.source[i].norm
            beside = [k for k in (i - 1, i + 1) if 0 <= k < len(self.source)]
            if len(run) > 1 and not any(self.source[k].norm == norm for k in beside):
                self.taken.update(run)
                return tuple(run)
        return ()

    def _reason(self, match: _Match, source_text: str, copy_text: str | None) -> str:
        shown = f"“{source_text}”"
        note = f" ({match.note})" if match.note else ""
        if match.change == "kept":
            return f"{shown} is kept{note}"
        if match.change == "dropped":
            if copy_text is not None:
                return f"part of {shown} is missing; “{copy_text}” is left"
            return f"{shown} is missing from the copy"
        return f"{shown} {match.note or match.change}: “{copy_text}”"

    # -- names out of nothing -------------------------------------------------------------------

    def _added(self) -> Iterable[NameChange]:
        if self.copy_flat:
            return
        known = {w.norm for w in self.source}
        for mention in find_mentions(self.copy, self.context.copy):
            fresh = [j for j in mention.at if self._is_fresh(j, known)]
            if len(fresh) < len(mention.at):
                continue
            text = self._text(self.copy, mention.at, self.context.copy.raw)
            if place_key(text) in self.context.places:
                continue
            yield NameChange(
                change="added",
                probability=_BELIEF["added"],
                copy=_span(self.copy, mention.at),
                copy_text=text,
                source=None,
                source_text=None,
                reason=f"“{text}” stands nowhere in the source",
            )

    def _is_fresh(self, j: int, known: set[str]) -> bool:
        word = self.copy[j]
        norm = word.norm
        if j in self.taken or camel_parts(word.text) is not None:
            return False
        stems = {norm, norm.removesuffix("s"), f"{norm}s"}
        if stems & known or stems & self.context.source.first.keys():
            return False
        if is_word(norm) and place_key(word.text) is None:
            return False
        return is_name_word(self.copy, j, self.context.copy) and not any(
            same_acronym(word.text, w.text) for w in self.source if has_capital(w.text)
        )

    def _text(self, words: Sequence[Word], at: Sequence[int], raw: str) -> str:
        return base_form(raw[words[at[0]].start : words[at[-1]].end])


def _span(words: Sequence[Word], at: Sequence[int]) -> Span:
    return Span(words[at[0]].start, words[at[0]].start + len(words[at[0]].text)) if len(
        at
    ) == 1 else Span(words[at[0]].start, words[at[-1]].end)


def _is_close(at: Sequence[int]) -> bool:
    return bool(at) and at[-1] - at[0] + 1 <= len(at) + 2


def _unglued(norm: str, word: Word) -> str:
    """Drop a glued possessive s, where the source's word ends in a real one."""
    if word.possessive and norm.endswith("s") and not word.norm.endswith("s"):
        return norm[:-1]
    return norm
