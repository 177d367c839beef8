"""Labs named after states: seven usual Fridays, the morning after; and a fake Ollama."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lab.attempt import Attempt
from lab.clock import ManualClock
from lab.opening import Lab
from tests.fake_ollama import FakeOllama
from tests.report.states import FRIDAY, usual_day

Fill = Callable[..., None]


@pytest.fixture
def fill(lab: Lab) -> Fill:
    """Store rows of attempts durably."""

    def store(*batches: list[Attempt]) -> None:
        rows = sorted((row for batch in batches for row in batch), key=lambda row: row.received_at)
        lab.log.append("submissions", rows)

    return store


@pytest.fixture
def fridays(fill: Fill) -> None:
    """Seven usual Fridays before the one of the clock, with a little more or less traffic each."""
    fill(*(usual_day(FRIDAY - timedelta(weeks=week), 196 + week) for week in range(1, 8)))


@pytest.fixture
def after_friday(clock: ManualClock) -> ManualClock:
    """The clock, moved to the morning after: Friday is over."""
    clock.at = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
    return clock


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """A fake Ollama on loopback that holds llama3.1:8b."""
    with FakeOllama() as server:
        yield server
