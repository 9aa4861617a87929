"""Figures as text: the table that `evaluate` prints and the card that a bundle carries.

Formats and computes nothing. The card follows the sections of skops' default model card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detector.learn.evaluate import OURS, Figures
from detector.learn.train import Fit, TrainConfig


def table(figures: Figures) -> str:
    """Return the figures as aligned plain text.

    Parameters
    ----------
    figures : Figures

    Returns
    -------
    str
        Several blocks; intervals are 95 %.
    """
    blocks = [
        f"held apart: {figures.n_pairs} labelled pairs of {figures.n_groups} source sentences; "
        "intervals are 95 %, by bootstrap over source sentences",
        _columns(
            ["corpus", "pairs", "drift", "score", "AUROC", "average precision", "recall at 5 % FA"],
            _score_rows(figures),
        ),
        _columns(
            ["corpus", "best simple score", "lead in AUROC", "drift flagged", "sound flagged"],
            _flag_rows(figures),
        ),
        _columns(
            ["twins", "kind", "n", "worse by us", "by cosine", "flagged", "twin flagged"],
            _kind_rows(figures),
        ),
        _columns(
            ["unlabelled round trips", "pairs", "flagged"],
            [[kind, str(v["n"]), f"{v['flagged']:.3f}"] for kind, v in figures.watch.items()],
        ),
        _probability_text(figures),
    ]
    return "\n\n".join(blocks)


def _score_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for name, entry in figures.corpora.items():
        for index, (method, measured) in enumerate(entry.get("scores", {}).items()):
            head = [name, str(entry["n"]), str(entry["drift"])] if index == 0 else ["", "", ""]
            rows.append([*head, method, *(str(value) for value in measured.values())])
    rows += [
        ["mean" if index == 0 else "", "", "", method, str(value), "", ""]
        for index, (method, value) in enumerate(figures.macro.items())
    ]
    return rows


def _flag_rows(figures: Figures) -> list[list[str]]:
    return [
        [
            name,
            entry.get("best_simple", "-"),
            str(entry.get("lead", "-")),
            str(entry["flagged_drift"]),
            str(entry["flagged_sound"]),
        ]
        for name, entry in figures.corpora.items()
    ]


def _kind_rows(figures: Figures) -> list[list[str]]:
    return [
        [
            corpus if index == 0 else "",
            kind if entry["drift"] else f"{kind} (harmless)",
            str(int(entry["n"])),
            f"{entry[f'worse by {OURS}']:.3f}",
            f"{entry['worse by cosine']:.3f}" if "worse by cosine" in entry else "-",
            f"{entry['flagged']:.3f}",
            f"{entry['twin_flagged']:.3f}",
        ]
        for corpus, kinds in figures.kinds.items()
        for index, (kind, entry) in enumerate(kinds.items())
    ]


def _probability_text(figures: Figures) -> str:
    known = figures.probability
    bins = "  ".join(f"{mean:.2f}:{share:.2f}" for mean, share in known["bins"])
    return (
        f"threshold {figures.threshold:.3f}\n"
        f"Brier score {known['brier']} (always the prior {known['prior']:.2f}: "
        f"{known['brier_of_prior']:.3f})\n"
        f"calibration error {known['calibration_error']}\n"
        f"probability:share of drift, tenths of the mix  {bins}"
    )


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def card(fit: Fit, figures: Figures, config: TrainConfig, *, facts: Mapping[str, Any]) -> str:
    """Write the card of a bundle.

    Parameters
    ----------
    fit : Fit
    figures : Figures
    config : TrainConfig
    facts : mapping
        `tables` (the manifest's entries of the tables read), `dropped`, `counts` (pairs by
        corpus and label), `encoder` (its identity), `features` (names and units) and
        `libraries`.

    Returns
    -------
    str
        Markdown.
    """
    encoder = facts["encoder"]
    compared = "\n".join(
        f"| {name}{' (chosen)' if name == fit.chosen else ''} | {value} | {fit.shortfall[name]} |"
        for name, value in fit.compared.items()
    )
    tables = "\n".join(
        f"| {name} | {known['rows']} | {known['licence']} | `{known['sha256']}` |"
        for name, known in facts["tables"].items()
    )
    counts = "\n".join(
        f"| {name} | {sound} | {drift} | {config.mix.shares.get(name, 1.0):g} |"
        for name, (sound, drift) in facts["counts"].items()
    )
    dropped = "\n".join(
        f"- {name}: " + "; ".join(f"{n} {reason}" for reason, n in reasons.items())
        for name, reasons in facts["dropped"].items()
    )
    features = "\n".join(f"| {name} | {unit} |" for name, unit in facts["features"])
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    return f"""\
# Drift classifier

## What a flag means

The copy sentence and its source sentence together look as pairs do in which meaning was changed
or lost: a probability of at least {fit.threshold:.3f} that a reader who sees both would say so.

## What it does not mean

It is evidence, not a verdict on a person: it does not say who translated, why, or that anyone
copied. A paraphrase is not drift. A sentence without a flag may still be wrong: with the
threshold set to spare sound sentences, much drift of one word goes by (see the table of twins).
It judges English against English, one aligned bead at a time, and does not check facts.

## Model

`BeadClassifier`, candidate "{fit.chosen}", over {len(facts["features"])} features; monotonic where
a feature can only speak one way. Compared by mean AUROC over the corpora, out of fold, on
training groups; the simplest whose shortfall may be nothing is taken.

| candidate | mean AUROC | short of the best by |
|---|---|---|
{compared}

Encoder: {encoder.name}, weights `{encoder.weights_sha256}`, {encoder.precision}. It reads
{encoder.max_tokens} tokens of a sentence; what follows is judged by its words alone.

| feature | unit |
|---|---|
{features}

## Data

None of it is in the package.

| table | rows | licence | SHA-256 |
|---|---|---|---|
{tables}

Labels. demetr: the known damages of meaning are drift, changes of look are sound, what readers
disagree on is left out. mqm_ted, biomqm: a major error of accuracy is drift, no error of meaning is
sound. mqm_news (no categories): a major error is drift, none at all is sound. mlqe: quality at most
45 of 100 and much edited is drift; at least 90, or at least 80 with all words of meaning kept, is
sound.
flores, wmt: a rendering is sound when each new word also came back through another language and
nothing that most others keep is lost; it is drift when it lost two such words and brought two that
no other rendering has, or turned every pronoun to the other gender. contrast: sound round trips
with one damage or one harmless change made by program. identical: the copy is the source.

Pairs fitted on and held apart together, and each corpus's weight; drift is weighted to make up
{config.mix.prior:.0%} of the mix, about its share in published round-trip copies.

| corpus | sound | drift | weight |
|---|---|---|---|
{counts}

Left out:

{dropped}

## Split

By source sentence, letters and digits only, across all corpora: a fifth of the groups, by hash, is
held apart and never fitted or tuned on. Model, calibration and threshold were chosen on
predictions for {config.folds} folds of the other groups.

## Figures on the groups held apart

```
{table(figures)}
```

## Threshold

{fit.threshold:.3f}: the lowest, to a thousandth, that flags at most {config.false_alarms:.0%} of
the sound round trips (flores, wmt, contrast; in the mix's weights) in folds not fitted on. What
that comes to on the groups held apart stands above under "sound flagged".

## Limits

Labels of flores, wmt and contrast are made by rule; those of mqm and biomqm were given against
another language, so an identical pair may carry an error (such pairs are left out). News, talks,
encyclopedia and biomedical text only. Seed {config.mix.seed}; {libraries}.
"""
