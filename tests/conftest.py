"""Shared by all tests: an environment without the developer's settings, and a lab in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.clock import ManualClock
from lab.database import Database
from lab.eventlog import EventLog
from lab.settings import Settings, read_settings

if TYPE_CHECKING:
    from lab.opening import Lab

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""A Friday."""


@pytest.fixture(autouse=True)
def hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test; what a test forgets to place lands in its own folder."""
    for name in list(os.environ):
        if name.startswith(("LAB_", "OLLAMA_", "STREAMLIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAB_OLLAMA_HOST", "http://127.0.0.1:9")


@pytest.fixture
def clock() -> ManualClock:
    """Friday 20 November 2026, noon, standing still."""
    return ManualClock(NOON)


@pytest.fixture
def settings() -> Settings:
    """The defaults, in the test's own folder, with no Ollama to be found."""
    return read_settings()


@pytest.fixture
def log(tmp_path: Path, clock: ManualClock) -> Iterator[EventLog]:
    """A log over real SQLite and real Parquet."""
    database = Database(f"sqlite:///{tmp_path / 'lab.db'}")
    database.create_tables()
    made = EventLog(database, tmp_path, clock)
    made.prepare()
    yield made
    made.close()
    database.close()


@pytest.fixture
def lab(settings: Settings, clock: ManualClock) -> Iterator[Lab]:
    """An open, empty lab without a housekeeper, so that nothing happens unasked."""
    from lab.opening import open_lab

    with open_lab(settings, clock, housekeeping=False) as opened:
        yield opened


def pytest_addoption(parser: pytest.Parser) -> None:
    """Rounds and seed of the fault tests."""
    parser.addoption("--fault-rounds", type=int, default=20, help="rounds of the fault tests; CI takes 200")
    parser.addoption("--fault-seed", type=int, default=None, help="the seed that a failing fault test printed")
