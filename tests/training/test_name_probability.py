"""Labelled names: what a minimal pair damaged is True, all else is False."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector.names.calibration import NameFinding
from detector.records import Span
from detector.training.data.corpus import Mark, Pair, group_of
from detector.training.name_probability import (
    LabelledNames,
    changed_regions,
    fit_beliefs,
    fit_tagged,
    labelled_names,
)

SOURCE = "Teresa Almeida met Jonas Brandt in Madrid last night."
SOUND = "Teresa Almeida met Jonas Brant in Madrid yesterday evening."


def pair(copy: str, label: bool | None, kind: str, **known: object) -> Pair:
    return Pair(
        source=SOURCE,
        copy=copy,
        label=label,
        corpus="contrast",
        kind=kind,
        group=group_of(SOURCE),
        twin="t",
        **known,  # type: ignore[arg-type]
    )


def test_named_only_the_name_that_the_change_hit_is_damaged() -> None:
    swapped = pair(SOUND.replace("Madrid", "Lisbon"), True, "name swapped")
    dropped = pair(SOUND.replace(" in Madrid", ""), True, "name dropped")
    harmless = pair(SOUND.replace("yesterday", "last"), False, "same meaning")
    pairs = [swapped, pair(SOUND, False, "base"), dropped, harmless]
    names = labelled_names(pairs, FakeEncoder())
    # Brandt lost a letter in the sound translation already: each twin has it, none calls it damage.
    assert Counter(zip(names.change, names.damaged.tolist(), strict=True)) == {
        ("respelled", False): 4,
        ("swapped", True): 1,
        ("dropped", True): 1,
    }
    assert set(names.group) == {group_of(SOURCE)}


def test_named_without_a_twin_the_marks_say_it() -> None:
    copy = SOUND.replace("Madrid", "Lisbon")
    at = copy.index("Lisbon")
    mark = Mark(side="copy", start=at, end=at + 6, kind="name swapped", weight=5.0)
    names = labelled_names([pair(copy, True, "x", marks=(mark,))], FakeEncoder())
    assert names.damaged.tolist() == [change == "swapped" for change in names.change]
    assert names.damaged.any()


def test_named_pairs_that_say_nothing_are_passed_over() -> None:
    names = labelled_names([pair(SOUND, None, "?"), pair("Nothing.", True, "?")], FakeEncoder())
    assert len(names.belief) == len(names.weight) == 0


def test_named_weights_bring_the_prior_about() -> None:
    swapped = pair(SOUND.replace("Madrid", "Lisbon"), True, "name swapped")
    names = labelled_names([pair(SOUND, False, "base"), swapped], FakeEncoder(), prior=0.3)
    assert names.weight.mean() == pytest.approx(1.0)
    assert names.weight[names.damaged].sum() / names.weight.sum() == pytest.approx(0.3)


def test_named_an_unmarked_name_that_people_could_not_mark_says_nothing() -> None:
    dropped = replace(pair(SOUND.replace(" in Madrid", ""), False, "human"), corpus="mqm_ted")
    assert "dropped" not in labelled_names([dropped], FakeEncoder()).change


def _counted(right: dict[float, float]) -> LabelledNames:
    belief = np.repeat(list(right), 100)
    damaged = np.concatenate([np.arange(100) < 100 * share for share in right.values()])
    return LabelledNames(
        belief=belief,
        damaged=damaged,
        weight=np.ones(len(belief)),
        tagged=np.where(damaged, 0.7, 0.2) + 0.2 * np.random.default_rng(0).random(len(belief)),
        change=("swapped",) * len(belief),
        group=tuple(str(n % 50) for n in range(len(belief))),
    )


def test_named_beliefs_become_how_often_they_were_right_in_their_own_order() -> None:
    fit = fit_beliefs(_counted({0.4: 0.1, 0.6: 0.5, 0.9: 0.4}), folds=5)
    assert fit is not None
    known = dict(fit.beliefs)
    assert known[0.0] == 0.0
    assert known[0.4] == pytest.approx(0.1, abs=0.02)
    assert known[0.6] == pytest.approx(0.45, abs=0.02)  # pooled with what is believed more
    assert known[0.4] < known[0.6] < known[0.9]
    assert fit.calibration_error < fit.error_of_beliefs
    assert fit.brier < fit.brier_of_beliefs


def test_named_a_tagger_tells_right_from_wrong_where_beliefs_cannot() -> None:
    names = _counted({0.6: 0.5, 0.9: 0.5})
    fit = fit_tagged(names, folds=5)
    assert fit is not None
    assert fit.area > 0.95 > fit.area_of_beliefs
    assert fit.alarms < 0.1
    change = NameFinding(
        change="swapped", confidence=0.6, copy=None, copy_text=None,
        source=Span(0, 1), source_text="A", reason="",
    )  # fmt: skip
    assert fit.odds.probability(change, 0.8) > fit.threshold > fit.odds.probability(change, 0.1)


def test_named_names_that_no_tagger_read_teach_nothing_of_it() -> None:
    names = replace(_counted({0.6: 0.5}), tagged=np.full(100, np.nan))
    assert fit_tagged(names, folds=5) is None


def test_named_too_few_names_give_no_probabilities() -> None:
    assert fit_beliefs(_counted({0.4: 0.0, 0.9: 0.0}), folds=5) is None


@given(st.text(alphabet="ab .", max_size=12), st.text(alphabet="ab .", max_size=12))
def test_named_regions_hold_all_that_differs(base: str, changed: str) -> None:
    (a, b), (c, d) = changed_regions(base, changed)
    assert 0 <= a <= b <= len(base)
    assert 0 <= c <= d <= len(changed)
    assert base[:a] == changed[:c]
    assert base[b:] == changed[d:]
