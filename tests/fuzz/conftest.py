"""The scorers that the fuzzer attacks, each loaded once, and the seed of a failed run."""

from __future__ import annotations

import pytest
from fuzz.attack import SEED
from support.fakes import FakeEncoder

from detector import Scorer
from detector.encoder import MiniLMEncoder
from detector.models.store import read_config


@pytest.fixture(scope="session")
def quick() -> Scorer:
    """Every model of the bundle but the tagger, on the vectors of a fake encoder."""
    return Scorer(encoder=FakeEncoder(read_config().encoder), tagger=None, pivot=True)


@pytest.fixture(scope="session")
def whole(encoder: MiniLMEncoder) -> Scorer:
    """Every model of the bundle and the real encoder."""
    return Scorer(encoder=encoder, pivot=True)


@pytest.fixture(autouse=True)
def _told_seed(request: pytest.FixtureRequest) -> None:
    """Print the seed with a failure."""
    node = request.node
    node.add_report_section("setup", "fuzz", f"repeat with: DETECTOR_FUZZ_SEED={SEED} make fuzz")
