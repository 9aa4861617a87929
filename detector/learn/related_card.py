"""The part of a bundle's card that tells of its model of relations.

Pure text out.
"""

from __future__ import annotations

from detector.learn.related_figures import RelatedFigures
from detector.relating.model import RelationModel
from detector.relation import RELATIONS

_HEADING = "## What a copy is to its source"


def with_relations(card: str, model: RelationModel, figures: RelatedFigures) -> str:
    """Return a bundle's card with a last section on relations, put in the place of an older one.

    Parameters
    ----------
    card : str
        Markdown.
    model : RelationModel
    figures : RelatedFigures
        Of that model.

    Returns
    -------
    str
    """
    return f"{card.partition(_HEADING)[0].rstrip()}\n\n{_HEADING}\n\n{_section(model, figures)}"


def _section(model: RelationModel, figures: RelatedFigures) -> str:
    sure = ", ".join(
        f"`{relation}` from {least:.2f}" if least <= 1.0 else f"`{relation}` never"
        for relation, least in zip(RELATIONS, model.sure, strict=True)
    )
    documents = "\n".join(
        f"| {kind} | {n} |" for kind, n in dict(model.training.get("documents", {})).items()
    )
    return f"""\
`Report.relation` gives a probability to each of five relations: {", ".join(RELATIONS)}.
They come out of an additive multinomial logistic regression over {len(model.knots)} numbers
about two aligned texts (`relating.traits`), one of them a linear score of how much a copy's changed
words look made by a machine (`relating.wording`). It reads words and the beads' cosines, not the
tagger, not drift.

A relation is named where documents of other folds of which it was the likeliest at that
probability were of it 95 times in 100: {sure}. Below that the label is None.

It says what a text looks like, not how it came about: a person may write like a machine. The
documents are made of consecutive lines of test sets, whose way out of English was mostly a human
translation; duplicates and sibling edits are made by rule; human alternatives are five talks.
`independent` means neighbouring lines of news, or edits that share sentences; there was no corpus
of independent reports on one event.

Figures on the fifth of the stretches of lines held apart (human alternatives: all five talks, each
judged by a model fitted without it), with 95 % intervals over stretches:

```
{figures.printed()}
```

Fitted on, besides {model.training.get("sentence pairs", 0)} sentence pairs for the wording:

| documents | number |
|---|---|
{documents}
"""
