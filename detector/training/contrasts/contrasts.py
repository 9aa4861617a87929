"""Make minimal pairs: one damage or one harmless change of a sound copy.

`KINDS` lists every kind of change. Everything is seeded: the same bases give the same pairs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from detector.training.contrasts import clauses, names, numbers, omissions, words
from detector.training.contrasts import harmless as rewording
from detector.training.contrasts import harmless as surface
from detector.training.contrasts.edits import Maker, Pools, carry_out
from detector.training.contrasts.grammar import Sentence
from detector.training.data.corpus import Pair

MAJOR, MINOR = 5.0, 1.0
"""Error points, as in MQM."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change.

    The share is its frequency in published copies where that was counted, else 1; the commonest are
    capped, since a classifier needs all kinds.
    """

    name: str
    make: Maker
    label: bool | None  # None where readers disagree
    points: float  # error points, 0 for no error
    share: float  # how many of it there should be beside the others


KINDS: tuple[Kind, ...] = (
    Kind("name swapped", names.swapped, True, MAJOR, 1.5),
    Kind("name garbled", names.garbled, True, MAJOR, 1.5),
    Kind("name cut", names.cut, True, MAJOR, 1.0),
    Kind("name dropped", names.dropped, True, MAJOR, 1.0),
    Kind("name as word", names.as_word, True, MAJOR, 2.0),
    Kind("name translated", names.translated, True, MAJOR, 1.0),
    Kind("names turned", names.turned, True, MAJOR, 1.0),
    Kind("title changed", names.title_changed, True, MAJOR, 2.0),
    Kind("acronym turned", names.acronym_turned, True, MAJOR, 1.0),
    Kind("number", numbers.number, True, MAJOR, 1.5),
    Kind("number word", numbers.number_word, True, MAJOR, 1.0),
    Kind("ordinal", numbers.ordinal, True, MAJOR, 1.0),
    Kind("magnitude", numbers.magnitude, True, MAJOR, 1.0),
    Kind("currency", numbers.currency, True, MAJOR, 1.0),
    Kind("unit", numbers.unit, True, MAJOR, 1.0),
    Kind("date", numbers.date, True, MAJOR, 1.0),
    Kind("moment", numbers.moment, True, MAJOR, 1.0),
    Kind("wrong sense", words.wrong_sense, True, MAJOR, 4.0),
    Kind("word swapped", words.swapped, True, MAJOR, 3.0),
    Kind("antonym", words.antonym, True, MAJOR, 1.5),
    Kind("pivot word left in", words.left_in, True, MAJOR, 1.5),
    Kind("pivot small word left in", words.small_left_in, True, MAJOR, 0.5),
    Kind("idiom", words.idiom, True, MAJOR, 1.5),
    Kind("other of its kind", words.narrowed, True, MAJOR, 1.0),
    Kind("negation lost", clauses.negation_lost, True, MAJOR, 1.5),
    Kind("negation added", clauses.negation_added, True, MAJOR, 1.5),
    Kind("roles turned", clauses.roles, True, MAJOR, 1.5),
    Kind("gender", clauses.gender, True, MAJOR, 2.0),
    Kind("quantity", clauses.quantity, True, MAJOR, 1.0),
    Kind("speech", clauses.speech, True, MAJOR, 1.0),
    Kind("tense", clauses.tense, True, MAJOR, 1.0),
    Kind("modality", clauses.modality, True, MAJOR, 1.0),
    Kind("question", clauses.question, True, MAJOR, 0.6),
    Kind("noun dropped", omissions.noun, True, MAJOR, 1.0),
    Kind("verb dropped", omissions.verb, True, MAJOR, 1.0),
    Kind("adjective or adverb dropped", omissions.adjective_or_adverb, True, MAJOR, 1.0),
    Kind("subject dropped", omissions.subject, True, MAJOR, 1.0),
    Kind("phrase dropped", omissions.phrase, True, MAJOR, 1.0),
    Kind("clause dropped", omissions.clause, True, MAJOR, 1.0),
    Kind("word added", omissions.word_added, True, MAJOR, 1.0),
    Kind("phrase added", omissions.phrase_added, True, MAJOR, 1.0),
    Kind("clause added", omissions.clause_added, True, MAJOR, 1.0),
    Kind("words shuffled", omissions.shuffled, True, MAJOR, 0.5),
    Kind("family name dropped", names.family_dropped, None, MINOR, 1.0),
    Kind("wider word", words.wider, None, MINOR, 1.0),
    Kind("part of speech", words.part_shifted, None, MINOR, 1.0),
    Kind("function word", words.function_word, None, MINOR, 1.0),
    Kind("stack turned", words.compound_turned, None, MINOR, 1.5),
    Kind("plural", clauses.counted, None, MINOR, 0.5),
    Kind("aspect", clauses.aspect, None, MINOR, 1.0),
    Kind("conjunction dropped", omissions.conjunction, None, MINOR, 1.0),
    Kind("word doubled", omissions.doubled, None, MINOR, 1.5),
    Kind("phrase repeated", omissions.repeated, None, MINOR, 1.0),
    Kind("neighbours swapped", omissions.neighbours, None, MINOR, 0.7),
    Kind("lower case", surface.lower_case, False, MINOR, 1.0),
    Kind("first letter lower", surface.first_lower, False, MINOR, 1.0),
    Kind("case", surface.case, False, MINOR, 1.5),
    Kind("tokenised", surface.tokenised, False, MINOR, 1.0),
    Kind("stop dropped", surface.from_rules("stop dropped"), False, MINOR, 1.0),
    Kind("mark added", surface.mark_added, False, MINOR, 1.0),
    Kind("comma dropped", surface.from_rules("comma dropped"), False, MINOR, 1.0),
    Kind("quotes dropped", surface.from_rules("quotes dropped"), False, MINOR, 2.0),
    Kind("quotes style", surface.from_rules("quotes style"), False, 0.0, 1.0),
    Kind("beyond ASCII dropped", surface.beyond_ascii, False, MINOR, 1.5),
    Kind("possessive glued", surface.from_rules("possessive glued"), False, MINOR, 2.0),
    Kind("hyphen", surface.from_rules("hyphen"), False, MINOR, 1.0),
    Kind("dash", surface.from_rules("dash"), False, 0.0, 1.0),
    Kind("count written", surface.count_written, False, 0.0, 1.0),
    Kind("thousands", surface.from_rules("thousands"), False, 0.0, 1.0),
    Kind("letter lost", surface.letter_lost, False, MINOR, 1.0),
    Kind("misspelt", surface.misspelt, False, MINOR, 1.0),
    Kind("synonym", rewording.synonym, False, 0.0, 4.0),
    Kind("small synonym", rewording.small_synonym, False, 0.0, 1.0),
    Kind("spelling", rewording.spelling, False, 0.0, 1.0),
    Kind("abbreviation", surface.from_rules("abbreviation"), False, 0.0, 1.0),
    Kind("percent", surface.from_rules("percent"), False, 0.0, 1.0),
    Kind("demonym", rewording.demonym, False, 0.0, 1.5),
    Kind("contraction", surface.from_rules("contraction"), False, 0.0, 1.0),
    Kind("title written", surface.from_rules("title written"), False, 0.0, 1.0),
    Kind("said", surface.from_rules("said"), False, 0.0, 1.5),
    Kind("place variant", surface.from_rules("place variant"), False, 0.0, 1.0),
    Kind("turn of phrase", surface.from_rules("turn of phrase"), False, 0.0, 1.0),
    Kind("acronym", rewording.acronym, False, 0.0, 1.0),
    Kind("that dropped", surface.from_rules("that dropped"), False, 0.0, 1.0),
    Kind("possessive turned", rewording.possessive_turned, False, 0.0, 1.5),
    Kind("voice", rewording.voice, False, 0.0, 1.5),
    Kind("date moved", rewording.date_moved, False, 0.0, 1.0),
    Kind("date form", rewording.date_form, False, 0.0, 1.0),
    Kind("adverb moved", rewording.adverb_moved, False, 0.0, 1.0),
    Kind("given name dropped", names.given_dropped, False, 0.0, 1.0),
)

DAMAGES: dict[str, Kind] = {kind.name: kind for kind in KINDS if kind.label is not False}
"""Changes of meaning by name, disputed ones included."""

HARMLESS: dict[str, Kind] = {kind.name: kind for kind in KINDS if kind.label is False}
"""Changes by name that a reader would accept; some are minor errors of form."""


def contrasts(  # noqa: PLR0913 - two things and how many of what
    bases: Iterable[Pair],
    pool: Pools,
    *,
    damages: int = 2,
    harmless: int = 1,
    only: Callable[[str], bool] | None = None,
    seed: int = 0,
) -> Iterator[Pair]:
    """Make minimal pairs of sound pairs: at most so many `damages` and `harmless` changes of each.

    `only` selects kinds of damage by name. Yields each base as the sound twin, then its damaged
    copies, then the harmless ones; `marks` cover what was inserted, or lost from the source. A base
    is offered to the kinds in the order of how much each lacks of its share, so a kind that few
    sentences allow gets all of those.
    """
    made: Counter[str] = Counter()
    wanted_damages = {name: kind for name, kind in DAMAGES.items() if only is None or only(name)}
    for base in bases:
        text = f"{seed}\x1f{base.source}\x1f{base.copy}".encode("utf-8", "replace")
        key = hashlib.sha256(text).digest()
        rng = np.random.default_rng(int.from_bytes(key[:8], "big"))
        sound = replace(
            base,
            label=False,
            corpus="contrast",
            kind="base",
            points=None,
            hter=None,
            quality=None,
            marks=(),
            twin=f"contrast-{key.hex()[:16]}",
        )
        yield sound
        sentence = Sentence.of(base.copy)
        for kinds, wanted in ((wanted_damages, damages), (HARMLESS, harmless)):
            done = 0
            for kind in _by_need(kinds, made, rng):
                if done == wanted:
                    break
                pair = _changed(sound, sentence, kind, rng, pool)
                if pair is not None:
                    yield pair
                    made[kind.name] += 1
                    done += 1


def _by_need(kinds: Mapping[str, Kind], made: Counter[str], rng: np.random.Generator) -> list[Kind]:
    """Order kinds by how much of their share was made, at random among equals."""
    shuffled = rng.permutation(list(kinds)).tolist()
    return sorted((kinds[name] for name in shuffled), key=lambda kind: made[kind.name] / kind.share)


def _changed(
    sound: Pair, sentence: Sentence, kind: Kind, rng: np.random.Generator, pool: Pools
) -> Pair | None:
    edits = kind.make(sentence, rng, pool)
    if not edits:
        return None
    copy, marks = carry_out(
        sentence, edits, source=sound.source, kind=kind.name, weight=kind.points
    )
    if copy in (sound.copy, sound.source) or not copy.strip() or not marks:
        return None
    return replace(
        sound, copy=copy, label=kind.label, kind=kind.name, points=kind.points, marks=marks
    )
