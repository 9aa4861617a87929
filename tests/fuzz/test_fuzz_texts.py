"""Texts against every model: only documented errors, sound reports, and time that is linear."""

from __future__ import annotations

import math
import random
import time
import warnings

import pytest
from fuzz.attack import CLASSES, SCALE, SEED, bomb, check_report, fuzz, pairs
from hypothesis import given

from detector import DetectorWarning, InputError, Scorer
from detector.report.formats import FORMS, render

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]


def attack(scorer: Scorer, texts: tuple[str, str]) -> None:
    source, copy = texts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DetectorWarning)
        try:
            report = scorer.score(copy=copy, source=source)
        except InputError as err:
            assert "holds no sentence" in str(err)  # noqa: PT017 - any other text has a report
            return
    check_report(report, source=source, copy=copy)


@given(texts=pairs())
@fuzz(150)
def test_fuzz_texts_have_sound_reports(quick: Scorer, texts: tuple[str, str]) -> None:
    attack(quick, texts)


@pytest.mark.model
@given(texts=pairs())
@fuzz(8)
def test_fuzz_texts_have_sound_reports_from_the_real_network(
    whole: Scorer, texts: tuple[str, str]
) -> None:
    attack(whole, texts)


NIGHTLY = SCALE >= 10
SIZES = (2_000, 64_000) if NIGHTLY else (1_000, 8_000)
STEEPEST = 1.2 if NIGHTLY else 1.6  # small texts align as a whole, in time of their product
NAMES = sorted(CLASSES)


@pytest.fixture(scope="module")
def plain(quick: Scorer) -> float:
    seconds(quick, "plain", SIZES[0])
    return exponent(quick, "plain")


@pytest.mark.parametrize("name", NAMES if NIGHTLY else random.Random(SEED).sample(NAMES, 12))
def test_fuzz_bombs_take_time_that_grows_like_that_of_plain_text(
    quick: Scorer, plain: float, name: str
) -> None:
    assert exponent(quick, name) <= max(plain, 1.0) + STEEPEST - 1.0


def exponent(scorer: Scorer, name: str) -> float:
    small, large = (seconds(scorer, name, size) for size in SIZES)
    return math.log(large / small) / math.log(SIZES[1] / SIZES[0])


def seconds(scorer: Scorer, name: str, size: int) -> float:
    """Return the processor time of a report, and of all that it is written as."""
    copy, source = (f"The ferry left at noon. {bomb(name, size, k)}" for k in range(2))
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DetectorWarning)
        report = scorer.score(copy=copy, source=source)
    for form in FORMS:
        render(report, form)
    return time.process_time() - began
