"""A live gate over a real log, and arrivals to send through it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from lab.attempt import Arrival, Channel, Submission
from lab.clock import ManualClock
from lab.eventlog import EventLog
from lab.gate import Gate
from lab.pseudonyms import Pseudonyms
from lab.world import World

MakeGate = Callable[..., Gate]
MakeArrival = Callable[..., Arrival]


@pytest.fixture
def make_gate(log: EventLog, clock: ManualClock) -> MakeGate:
    def make(**collaborators: object) -> Gate:
        return Gate(
            log, World.default(), ZoneInfo("UTC"), Pseudonyms(b"k" * 32), clock=clock, **collaborators  # type: ignore
        )

    return make


@pytest.fixture
def gate(make_gate: MakeGate) -> Gate:
    return make_gate()


@pytest.fixture
def arrive(clock: ManualClock) -> MakeArrival:
    """An acceptable submission by person `who`, `after_s` seconds after the clock; any field can be given."""

    def make(who: int = 1, after_s: float = 0.0, arrival: dict[str, object] | None = None, **fields: object) -> Arrival:
        sent: dict[str, object] = {
            "source": "WEBSITE_FORM",
            "page": "/demo",
            "email": f"person{who}@example.org",
            "name": "Ann",
            "elapsed_ms": 5_000,
        } | fields
        known: dict[str, object] = {
            "channel": Channel.API,
            "at": clock() + timedelta(seconds=after_s),
            "client": f"10.0.{who // 250}.{who % 250}",
        } | (arrival or {})
        return Arrival(Submission(**sent), **known)  # type: ignore[arg-type]

    return make
