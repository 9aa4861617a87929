"""Labelled names: what a minimal pair damaged is True, all else is False."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEncoder
from hypothesis import given
from hypothesis import strategies as st

from detector.learn.corpus import Mark, Pair, group_of
from detector.learn.named import changed_regions, flagged, labelled_names
from detector.naming.traits import TRAITS

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
    found = {(int(n), bool(hit)) for n, hit in zip(names.pair, names.damaged, strict=True)}
    # Brandt lost a letter in the sound translation already: each twin has it, none calls it damage.
    assert found == {(0, True), (0, False), (1, False), (2, True), (2, False), (3, False)}
    assert set(names.group) == {group_of(SOURCE)}
    assert names.traits.shape == (len(names.pair), len(TRAITS))


def test_named_without_a_twin_the_marks_say_it() -> None:
    copy = SOUND.replace("Madrid", "Lisbon")
    at = copy.index("Lisbon")
    mark = Mark(side="copy", start=at, end=at + 6, kind="name swapped", weight=5.0)
    names = labelled_names([pair(copy, True, "x", marks=(mark,))], FakeEncoder())
    assert names.damaged.tolist() == [change == "swapped" for change in names.change]
    assert names.damaged.any()


def test_named_pairs_that_say_nothing_are_passed_over() -> None:
    names = labelled_names([pair(SOUND, None, "?"), pair("Nothing.", True, "?")], FakeEncoder())
    assert len(names.pair) == 0
    assert names.traits.shape == (0, len(TRAITS))


def test_named_weights_bring_the_prior_about() -> None:
    swapped = pair(SOUND.replace("Madrid", "Lisbon"), True, "name swapped")
    names = labelled_names([pair(SOUND, False, "base"), swapped], FakeEncoder(), prior=0.3)
    assert names.weight.mean() == pytest.approx(1.0)
    assert names.weight[names.damaged].sum() / names.weight.sum() == pytest.approx(0.3)


def test_named_a_pair_is_as_suspect_as_its_worst_name() -> None:
    worst = flagged(np.array([0.2, 0.9, 0.4]), np.array([0, 2, 2]), 3)
    assert worst.tolist() == [0.2, 0.0, 0.9]


@given(st.text(alphabet="ab .", max_size=12), st.text(alphabet="ab .", max_size=12))
def test_named_regions_hold_all_that_differs(base: str, changed: str) -> None:
    (a, b), (c, d) = changed_regions(base, changed)
    assert 0 <= a <= b <= len(base)
    assert 0 <= c <= d <= len(changed)
    assert base[:a] == changed[:c]
    assert base[b:] == changed[d:]
