"""Compare the names of a source and a copy: the way in.

Every name of a bead is found, matched word by word, and given a change with both spans and a
reason. Roles (who did what to whom) are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detector.names.calibration import NameFinding
from detector.names.detect import (
    Mention,
    base_form,
    camel_parts,
    casing_of,
    find_mentions,
    is_name_word,
)
from detector.names.match_damaged import match_substitutions
from detector.names.match_kept import abbreviates, match_kept_forms
from detector.names.state import (
    GENERIC,
    MatchState,
    NameContext,
    WordMatch,
    is_generic,
    is_place_adjective,
)
from detector.records import Change, Span
from detector.text.lexicon import is_word, place_key, same_acronym
from detector.text.words import Word, WordAlignment

# Confidence that a change of this kind is damage, when nothing else is known; gravest kind first.
# A slip of case or apostrophe is real but cosmetic: near one half.
_CONFIDENCE: dict[Change, float] = {
    "swapped": 0.85,
    "garbled": 0.9,
    "truncated": 0.85,
    "respelled": 0.8,
    "as_word": 0.85,
    "translated": 0.7,
    "dropped": 0.6,
    "possessive": 0.55,
    "case": 0.55,
    "kept": 0.02,
    "added": 0.65,
}
_BY_GRAVITY = tuple(_CONFIDENCE)


def name_context(
    source_raw: str,
    source_sentences: Sequence[Sequence[Word]],
    copy_raw: str,
    copy_sentences: Sequence[Sequence[Word]],
) -> NameContext:
    """Collect from two whole documents, by sentences of words, how their words are written."""
    source = casing_of(source_raw, source_sentences)
    copy = casing_of(copy_raw, copy_sentences)
    phrases = {
        base_form(source_raw[words[k].start : words[k + size - 1].end])
        for words in source_sentences
        for size in (1, 2, 3)
        for k in range(len(words) - size + 1)
        if words[k].text[0].isupper()
    }
    places = frozenset(key for phrase in phrases if (key := place_key(phrase)) is not None)
    return NameContext(source, copy, places)


def compare_names(
    links: WordAlignment, context: NameContext, copy_at: int = 0
) -> tuple[NameFinding, ...]:
    """Compare the names of a bead, given its aligned words.

    `copy_at` is the index of the bead's first copy sentence; names in earlier ones are already
    given. Returns one finding for each name of the source in order, kept ones included, then the
    names that only the copy has. Spans count in the raw documents.
    """
    state = MatchState(links, context, copy_at)
    match_kept_forms(state)
    match_substitutions(state)
    return (*(_finding(state, mention) for mention in state.mentions), *_added(state))


def _confidence_of(match: WordMatch) -> float:
    return _CONFIDENCE[match.change] if match.confidence is None else match.confidence


def _finding(state: MatchState, mention: Mention) -> NameFinding:
    parts = {i: state.matches[i] for i in mention.at}
    worst = min(parts.values(), key=lambda m: (-_confidence_of(m), _BY_GRAVITY.index(m.change)))
    if worst.change in ("as_word", "dropped") and _harmless_lowering(state, parts):
        worst = WordMatch("kept", worst.copy, "generic words of the name lost their capital")
    if worst.change == "as_word" and _only_lowered(state, parts):
        worst = WordMatch("case", worst.copy, "lost a capital", 0.4)
    doubled = _doubled(state, parts) if worst.change in ("kept", "case") else ()
    if doubled:
        worst = WordMatch("garbled", doubled, f"stands {len(doubled)} times in a row", 0.8)
    everything = sorted({j for m in parts.values() for j in m.copy} | set(doubled))
    whole = everything if _is_close(everything) else sorted(worst.copy)
    if worst.change == "dropped" and not _is_close(everything):
        whole = []
    source_text = state.source_text(mention.at)
    copy_text = state.copy_text(whole) if whole else None
    return NameFinding(
        change=worst.change,
        confidence=_confidence_of(worst),
        copy=_span(state.copy, whole) if whole else None,
        copy_text=copy_text,
        source=_span(state.source, mention.at),
        source_text=source_text,
        reason=_reason(worst, source_text, copy_text),
    )


def _harmless_lowering(state: MatchState, parts: dict[int, WordMatch]) -> bool:
    """Return whether only generic words ("Ministry") changed beside a part that was kept."""
    changed = [i for i, m in parts.items() if m.change != "kept"]
    distinctive = any(
        m.change == "kept" and m.copy and state.source[i].norm not in GENERIC
        for i, m in parts.items()
    )
    lowered = all(
        (state.source[i].norm in GENERIC or (len(parts) > 1 and is_generic(state.source[i].norm)))
        and all(state.copy[j].norm == state.source[i].norm for j in parts[i].copy)
        for i in changed
    )
    return lowered and (distinctive or all(parts[i].copy for i in changed))


def _only_lowered(state: MatchState, parts: dict[int, WordMatch]) -> bool:
    """Return whether a name of several words came back in order, without capitals."""
    if len(parts) < 2 or not all(len(match.copy) == 1 for match in parts.values()):
        return False
    places = [parts[i].copy[0] for i in sorted(parts)]
    same = all(state.copy[parts[i].copy[0]].norm == state.source[i].norm for i in parts)
    return same and places == list(range(places[0], places[0] + len(places)))


def _doubled(state: MatchState, parts: dict[int, WordMatch]) -> tuple[int, ...]:
    for i, match in parts.items():
        if len(match.copy) != 1:
            continue
        j = match.copy[0]
        run = [j]
        while run[-1] + 1 < len(state.copy) and state.copy[run[-1] + 1].norm == state.copy[j].norm:
            run.append(run[-1] + 1)
        while run[0] > 0 and state.copy[run[0] - 1].norm == state.copy[j].norm:
            run.insert(0, run[0] - 1)
        norm = state.source[i].norm
        beside = [k for k in (i - 1, i + 1) if 0 <= k < len(state.source)]
        if len(run) > 1 and not any(state.source[k].norm == norm for k in beside):
            state.taken.update(run)
            return tuple(run)
    return ()


def _reason(match: WordMatch, source_text: str, copy_text: str | None) -> str:
    shown = f"“{source_text}”"
    note = f" ({match.note})" if match.note else ""
    if match.change == "kept":
        return f"{shown} is kept{note}"
    if match.change == "dropped":
        if copy_text is not None:
            return f"part of {shown} is missing; “{copy_text}” is left"
        return f"{shown} is missing from the copy"
    return f"{shown} {match.note}: “{copy_text}”"


def _added(state: MatchState) -> Iterable[NameFinding]:
    if state.copy_flat:
        return
    known = {w.norm for w in state.source}
    for mention in find_mentions(state.copy, state.context.copy):
        if not all(_is_fresh(state, j, known) for j in mention.at):
            continue
        text = state.copy_text(mention.at)
        joined = "".join(state.copy[j].norm for j in mention.at)
        if place_key(text) in state.context.places or joined in known:
            continue
        yield NameFinding(
            change="added",
            confidence=0.45 if is_place_adjective(text) else _CONFIDENCE["added"],
            copy=_span(state.copy, mention.at),
            copy_text=text,
            source=None,
            source_text=None,
            reason=f"“{text}” stands nowhere in the source",
        )


def _is_fresh(state: MatchState, j: int, known: set[str]) -> bool:
    word = state.copy[j]
    norm = word.norm
    if j in state.taken or camel_parts(word.text) is not None or abbreviates(state.copy, j):
        return False
    stems = {norm, norm.removesuffix("s"), f"{norm}s"}
    if stems & known or stems & state.context.source.first.keys():
        return False
    if is_word(norm) and place_key(word.text) is None:
        return False
    return is_name_word(state.copy, j, state.context.copy) and not any(
        same_acronym(word.text, w.text) for w in state.source
    )


def _span(words: Sequence[Word], at: Sequence[int]) -> Span:
    return Span(words[at[0]].start, words[at[-1]].end)


def _is_close(at: Sequence[int]) -> bool:
    return bool(at) and at[-1] - at[0] + 1 <= len(at) + 2
