"""`detector` as a process of its own, with a scorer that needs no model: for tests of stops."""

from __future__ import annotations

import os
from functools import partial

from support.fake_scoring import FakeScoring

from detector.batch import tasks
from detector.cli import main as cli

if __name__ == "__main__":
    tasks.Scoring = partial(FakeScoring, pause=float(os.environ["PAUSE"]))  # type: ignore
    cli.entry()
