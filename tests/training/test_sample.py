"""Which pairs are drawn: graded ones, corpora that only evaluate, bases of minimal pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from detector.training.data.corpus import EVALUATION_ONLY, Pair, group_of, set_apart, split
from detector.training.data.sampling import Mix, select, weights

_COPY = "On Monday {} people saw how Anna Berg left the old house in Oslo."


def _pair(at: int, corpus: str, **known: Any) -> Pair:
    source = f"There were {at} people in {corpus.removesuffix('_dev')}."
    fields: dict[str, Any] = {"label": False, "kind": "human", **known}
    return Pair(
        source=source, copy=_COPY.format(at), corpus=corpus, group=group_of(source), **fields
    )


def _corpora() -> dict[str, list[Pair]]:
    made = {
        "wmt": [_pair(i, "wmt") for i in range(60)],
        "mqm_news": [_pair(i, "mqm_news", points=0.0) for i in range(20)]
        + [_pair(i, "mqm_news", label=None, points=1.0) for i in range(20, 50)],
        "mlqe": [_pair(i, "mlqe", label=None, quality=90.0, hter=0.1) for i in range(40)]
        + [_pair(i, "mlqe", label=None) for i in range(40, 50)],
        "mlqe_dev": [_pair(i, "mlqe_dev", quality=50.0) for i in range(20)],
        "demetr": [_pair(i, "demetr", label=bool(i % 2)) for i in range(30)],
    }
    return set_apart(made)


def _select(**known: Any) -> list[Pair]:
    return select(_corpora(), Mix(bases=64, **known))


def test_sample_takes_graded_pairs_up_to_their_quota() -> None:
    pairs = _select(graded={"mqm_news": 12, "mlqe": 100})
    graded = [p for p in pairs if p.label is None and p.corpus in ("mqm_news", "mlqe")]
    assert sum(p.corpus == "mqm_news" for p in graded) == 12
    assert sum(p.corpus == "mlqe" for p in graded) == 40  # the other ten have no grade
    assert all(p.points is not None or p.quality is not None for p in graded)


def test_sample_keeps_what_only_evaluates_out_of_the_fit() -> None:
    pairs = _select()
    ours, apart = split(pairs)
    assert not {p.corpus for p in pairs} & EVALUATION_ONLY
    assert not {p.group for p in ours} & {p.group for p in apart}
    assert not any(p.apart for p in ours)
    assert any(p.apart for p in apart)  # mlqe shares its sources with mlqe_dev


def test_sample_minimal_pairs_start_from_every_kind_of_base() -> None:
    bases = [p for p in _select() if p.kind == "base"]
    assert {p.label for p in bases} == {False}
    beginnings = {p.source.split()[-1] for p in bases}
    assert beginnings == {"wmt.", "mqm_news.", "mlqe."}
    assert any(p.copy == p.source for p in bases)
    assert all(p.points is None and p.quality is None and not p.marks for p in bases)


def test_sample_limit_scales_everything() -> None:
    few = _select(limit=60)
    assert len(few) <= 60
    assert {p.corpus for p in few} >= {"wmt"}


def test_sample_what_only_evaluates_weighs_nothing_in_the_mix() -> None:
    pairs = [p for p in _select() if p.label is not None]
    pairs += [replace(p, corpus="demetr") for p in pairs[:40]]
    weight = weights(pairs, Mix())
    corpus = np.array([p.corpus for p in pairs])
    assert not weight[np.isin(corpus, sorted(EVALUATION_ONLY))].any()
    assert weight.sum() > 0
