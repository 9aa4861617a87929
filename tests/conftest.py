"""What several tests share: the real encoder, loaded once, and the folder of shared corpora."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from detector.encoder import MiniLMEncoder

# Tables and models are loaded on first use, and machines are shared: no example is timed.
settings.register_profile("untimed", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=10)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = os.environ.get("DETECTOR_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("DETECTOR_SHARED names no folder with data/ and seeds/")
    return Path(folder)
