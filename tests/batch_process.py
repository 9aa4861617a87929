"""`detector` as a process of its own, with a scorer that needs no model: for tests of stops."""

from __future__ import annotations

import os
import sys
from functools import partial

from fake_scoring import FakeScoring

from detector import cli
from detector.batch import scoring

if __name__ == "__main__":
    scoring.Scoring = partial(FakeScoring, pause=float(os.environ["PAUSE"]))  # type: ignore
    sys.exit(cli.main(sys.argv[1:]))
