"""A real log in the test's folder, and metrics over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lab.clock import ManualClock
from lab.database import Database
from lab.eventlog import EventLog
from lab.metrics import Metrics


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[EventLog]:
    database = Database(f"sqlite:///{tmp_path / 'lab.db'}")
    database.create_tables()
    made = EventLog(database, tmp_path, clock)
    made.prepare()
    yield made
    made.close()
    database.close()


@pytest.fixture
def metrics(log: EventLog, clock: ManualClock) -> Metrics:
    return Metrics(log, ZoneInfo("UTC"), clock)
