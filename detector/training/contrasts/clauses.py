"""Change what a clause says: negation, roles, gender, quantity, tense, aspect, modality."""

from __future__ import annotations

import re

from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Maker,
    Pools,
    Rng,
    choose,
    like,
    pick,
    pick_edit,
    replace_word,
)
from detector.training.contrasts.grammar import (
    DETERMINERS,
    SUBJECTS,
    Sentence,
    Token,
    inflect,
    listed,
    replacement,
    replacements,
)

_AUXILIARIES = "is|are|was|were|will|would|could|can|should|has|have|had|must|may|might"
_GENDERS = replacement("gender")
_TENSES = replacements("tense")
_PRONOUNS = ("he", "she", "his", "him", "himself", "herself", "hers")
_NO_OBJECT = listed("""
    remain become stay seem appear begin start continue last cost weigh happen occur say have be go
    come live work wait
""")
_INVERTED = listed("is are was were will has can could would should")  # before the subject
_SPEECH = listed("""
    denied shouted joked asked lied regretted promised threatened complained ordered doubted
    whispered
""")
_NEGATIONS = (
    (r"\bcannot\b", "can"),
    (r"\bcan['’]t\b", "can"),
    (r"\bwon['’]t\b", "will"),
    (r"\b[Nn]o(?= [a-z]+s\b)", "some"),
    (r"\b[Nn]o(?= (?!longer|one|matter|more)[a-z])", "a"),
    (r"\b[Nn]obody\b", "somebody"),
    (r"\b[Nn]othing\b", "something"),
    (r"\b[Nn]o one\b", "someone"),
    (r"\b[Ww]ithout\b", "with"),
    (r"\b[Nn]either\b", "either"),
    (r"\bno longer\b", "still"),
    (r"\bunable\b", "able"),
    (r"\bun(?=(?:likely|willing|clear|happy|aware)\b)", ""),
    (r"\b[Nn]ot (?=even|a\b|all\b)", ""),
    (r"\bnor\b", "and"),
    (r"\b[Nn]one of\b", "some of"),
)


def negation_lost(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Remove a negation."""
    text = sentence.text
    candidates: list[tuple[Edit, ...]] = []
    for m in re.finditer(r"(?<=\w) (?:not|never)\b(?! only)|(?<=[a-z])n['’]t\b", text):
        if not re.search(r"\b(?:ca|wo|sha)$", text[: m.start()]):
            candidates.append((Edit(*m.span(), ""),))
    for pattern, new in _NEGATIONS:
        candidates += [(Edit(*m.span(), like(m.group(), new)),) for m in re.finditer(pattern, text)]
    return pick(rng, candidates)


def negation_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Negate a verb."""
    candidates: list[tuple[Edit, ...]] = []
    text = sentence.text
    for m in re.finditer(rf"\b(?:{_AUXILIARIES})\b(?! not|n['’]t|['’])(?= [a-z])", text):
        candidates.append((Edit(m.end(), m.end(), " not"),))
    for at, token in enumerate(sentence.tokens[:-1]):
        before = sentence.tokens[at - 1] if at else None
        clear = before is not None and (before.part in ("p", "n") or before.low in SUBJECTS)
        if token.part == "v" and token.form in ("ed", "s") and clear and finite(sentence, at):
            do = "did" if token.form == "ed" else "does"
            candidates.append((Edit(token.start, token.end, f"{do} not {token.base}"),))
    return pick(rng, candidates)


def finite(sentence: Sentence, at: int) -> bool:
    """Whether a verb form after a name or noun is a finite verb, not a participle."""
    after = sentence.tokens[at + 1] if at + 1 < len(sentence.tokens) else None
    return (
        sentence.gap(at - 1) == " "
        and after is not None
        and (
            after.low in DETERMINERS
            or after.part in ("p", "d")
            or after.low in ("that", "to", "him", "them")
        )
    )


def roles(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Swap agent and patient: "was told by" for "told", or back."""
    candidates: list[tuple[Edit, ...]] = []
    tokens = sentence.tokens
    for at, token in enumerate(tokens):
        if token.part != "v":
            continue
        be = tokens[at - 1] if at else None
        if (
            be is not None
            and be.low in ("was", "were", "been", "is", "are", "being")
            and token.form in ("ed", "en")
        ):
            if at + 1 < len(tokens) and tokens[at + 1].low == "by" and be.low in ("was", "were"):
                new = inflect(token.base, "v", "ed")
                candidates.append((Edit(be.start, tokens[at + 1].end, new),))
        elif (
            token.form == "ed"
            and at
            and finite(sentence, at)
            and _has_object(token, tokens[at + 1])
        ):
            before = tokens[at - 1]
            if before.part in ("p", "n") or before.low in ("he", "she", "they"):
                were = "were" if before.form == "s" or before.low == "they" else "was"
                new = f"{were} {inflect(token.base, 'v', 'en')} by"
                candidates.append((Edit(token.start, token.end, new),))
    for m in re.finditer(r"\b(?:was|were) given\b", sentence.text):
        candidates.append((Edit(*m.span(), "gave"),))
    return pick(rng, candidates)


def _has_object(verb: Token, after: Token) -> bool:
    return verb.base not in _NO_OBJECT and after.part != "d" and after.low not in ("that", "to")


def turns(name: str, ahead: str) -> Maker:
    """Make a maker that replaces a word or phrase by one that a table lists for it."""
    table = replacements(name)
    longest = sorted(table, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![\w'’-])(?:{'|'.join(map(re.escape, longest))})(?![\w'’-]){ahead}", re.IGNORECASE
    )

    def turn(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        at = pick(rng, list(pattern.finditer(sentence.text)))
        if at is None or (at.group().isupper() and len(at.group()) > 1):
            return None
        new = choose(rng, table[at.group().lower()])
        return (Edit(*at.span(), like(at.group(), new)),)

    return turn


def gender(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the gender of one pronoun or noun."""
    candidates = [t for t in sentence.tokens if t.low in _GENDERS or t.low == "her"]
    token = pick(rng, [t for t in candidates if t.low in _PRONOUNS or t.low == "her"] or candidates)
    if token is None:
        return None
    if token.low == "her":
        after = sentence.tokens[sentence.tokens.index(token) + 1 :][:1]
        new = "his" if after and after[0].part in ("n", "a", "p") else "him"
    else:
        new = _GENDERS[token.low]
    return (replace_word(token, new),)


def speech(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a verb of saying by another speech act."""
    at = pick(
        rng, list(re.finditer(r"\b(?:said|stated|declared|announced|added|told)\b", sentence.text))
    )
    if at is None:
        return None
    fitting = ("deceived", "warned", "asked", "ordered") if at.group() == "told" else _SPEECH
    return (Edit(*at.span(), choose(rng, fitting)),)


def _number(token: Token) -> str | None:
    return {"": inflect(token.base, "n", "s"), "s": token.base}.get(token.form)


def counted(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the number of a noun after a definite word."""
    candidates = []
    tokens = sentence.tokens
    for at in range(1, len(tokens)):
        token, before = tokens[at], tokens[at - 1].low
        if (
            token.part == "n"
            and len(token.base) > 3
            and before in ("the", "his", "her", "their", "its")
        ):
            new = _number(token)
            if new and new != token.low:
                candidates.append(replace_word(token, new))
    return pick_edit(rng, candidates)


quantity = turns("quantity", r"(?= [a-z0-9])")

_WITH = {
    "ing": ("was", "were"),
    "ed": ("has", "have", "had"),
    "en": ("has", "have", "had"),
}


def tense(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the tense of a verb."""
    candidates: list[Edit] = []
    for at, token in enumerate(sentence.tokens):
        if token.low in _TENSES and "'" not in token.low:
            options = _TENSES[token.low]
            if token.low == "had" and at and sentence.tokens[at - 1].form == "s":
                options = ("have", "will have")
            candidates.append(replace_word(token, choose(rng, options)))
        elif token.part == "v" and token.form in ("ed", "s") and _main(sentence, at):
            many = at and (
                sentence.tokens[at - 1].form == "s" or sentence.tokens[at - 1].low == "they"
            )
            present = token.base if many else inflect(token.base, "v", "s")
            options = (
                present if token.form == "ed" else inflect(token.base, "v", "ed"),
                f"will {token.base}",
            )
            new = options[int(rng.integers(2))]
            if new != token.low:
                candidates.append(replace_word(token, new))
    return pick_edit(rng, candidates)


def _main(sentence: Sentence, at: int) -> bool:
    before = sentence.tokens[at - 1] if at else None
    if before is None or sentence.gap(at - 1) != " ":
        return False
    return before.low in SUBJECTS or (before.part in ("p", "n") and finite(sentence, at))


def aspect(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the aspect of a verb."""
    candidates: list[Edit] = []
    tokens = sentence.tokens
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        if token.part != "v" or before is None:
            continue
        many = before.form == "s" or before.low in ("they", "we", "you")
        ing = inflect(token.base, "v", "ing")
        if token.form == "ed" and _main(sentence, at):
            options = (
                f"{'were' if many else 'was'} {ing}",
                f"had {inflect(token.base, 'v', 'en')}",
            )
            candidates.append(Edit(token.start, token.end, options[int(rng.integers(2))]))
        elif token.form == "s" and _main(sentence, at):
            options = (f"is {ing}", f"has {inflect(token.base, 'v', 'en')}")
            candidates.append(Edit(token.start, token.end, options[int(rng.integers(2))]))
        elif before.low in _WITH.get(token.form, ()):
            candidates.append(Edit(before.start, token.end, inflect(token.base, "v", "ed")))
    return pick_edit(rng, candidates)


def question(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Turn a statement into a question."""
    text = sentence.text
    stop = re.search(r"\.(?=[\"”’']?$)", text)
    if stop is None or not sentence.tokens:
        return None
    first = sentence.tokens[0]
    for token in sentence.tokens[1:12]:
        if re.search(r"[,;:]", text[first.start : token.start]):
            break
        if token.low in _INVERTED:
            name = first.part == "p" or first.low == "i"
            lowered = first.text if name else first.text[:1].lower() + first.text[1:]
            return (
                Edit(first.start, first.end, f"{like('A', token.low)} {lowered}"),
                Edit(token.start - 1, token.end, "", marked=False),
                Edit(*stop.span(), "?"),
            )
    return (Edit(*stop.span(), "?"),)


modality = turns("modality", r"(?= [a-z])(?! not)")
