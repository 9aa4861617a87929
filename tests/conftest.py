"""What several tests share: the real encoder, loaded once, and the folder of shared corpora."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detector.encode import MiniLMEncoder


@pytest.fixture(scope="session")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = os.environ.get("DETECTOR_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("DETECTOR_SHARED names no folder with data/ and seeds/")
    return Path(folder)
