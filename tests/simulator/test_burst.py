"""A burst, through the gate that everybody shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from lab.clock import ManualClock
from lab.database import ground_truth, runs
from lab.errors import BadRequest, Cancelled
from lab.simulator import Plan, Trouble, burst

if TYPE_CHECKING:
    from lab.opening import Lab

PLAN = Plan(kind="burst", attempts=120, seconds=30)


class Time:
    """Waiting moves the clock on and nothing else does."""

    def __init__(self, clock: ManualClock) -> None:
        self.waits: list[float] = []
        self._clock = clock
        self._began = clock()

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._clock.advance(seconds=seconds)

    def elapsed_s(self) -> float:
        return (self._clock() - self._began).total_seconds()


@pytest.fixture
def time(clock: ManualClock) -> Time:
    return Time(clock)


def send(lab: Lab, plan: Plan, progress: Any, time: Time) -> dict[str, Any]:
    return burst(lab, plan, progress, pause=time.pause, elapsed_s=time.elapsed_s)


def rows_of(lab: Lab) -> list[dict[str, Any]]:
    return [row for day in lab.log.view().days if day.journal is not None for row in day.journal.to_pylist()]


def test_a_burst_sends_as_many_as_asked_over_its_seconds(lab: Lab, told: Any, time: Time) -> None:
    """Spread over the time, not all at once, and each received at the clock's instant."""
    began = lab.clock()
    summary = send(lab, PLAN, told, time)
    rows = rows_of(lab)
    assert (summary["added"], len(rows)) == (120, 120)
    assert summary["attempts"] + summary["replays"] == 120
    assert summary["sentence"].startswith("Sent 120 of 120 submissions in 30 s; ")
    times = [row["received_at"] for row in rows]
    assert len(set(times)) > 60
    assert all(began <= at <= lab.clock() for at in times)
    assert time.elapsed_s() == pytest.approx(30, abs=3)
    assert {row["channel"] for row in rows} == {"simulator"}
    assert {row["run_id"] for row in rows} == {summary["run_id"]}


def test_it_never_waits_so_long_that_a_stop_would_be_felt(lab: Lab, told: Any, time: Time) -> None:
    """Between two looks at the stop button lie 0.2 s at most, even when nobody comes for a minute."""
    send(lab, Plan(kind="burst", attempts=2, seconds=300), told, time)
    assert max(time.waits) <= 0.2


def test_a_stopped_burst_keeps_what_it_sent(
    lab: Lab, stopping: Callable[[int], Any], time: Time
) -> None:
    """The run's row says how far it came."""
    with pytest.raises(Cancelled):
        send(lab, PLAN, stopping(100), time)
    with lab.database.read() as connection:
        row = connection.execute(select(runs)).one()
    assert row.state == "cancelled"
    assert row.done == len(rows_of(lab))
    assert 0 < row.done < 120


def test_a_slow_machine_catches_up(lab: Lab, told: Any, time: Time) -> None:
    """What is overdue goes at once; nothing is left out."""
    late = Time(lab.clock)  # type: ignore[arg-type]
    summary = burst(lab, PLAN, told, pause=lambda _: late.pause(20), elapsed_s=late.elapsed_s)
    assert summary["added"] == 120
    assert len(late.waits) < 6


@pytest.mark.parametrize(
    ("trouble", "category"),
    [
        (Trouble("outage", strength=1), "UPSTREAM_ERROR"),
        (Trouble("bot_flood"), "SPAM_SUSPECTED"),
        (Trouble("broken_field", source="WEBSITE_FORM", page="/demo", field="email", strength=1), "VALIDATION_FAILED"),
        (Trouble("retry_storm"), "RATE_LIMIT_EXCEEDED"),
    ],
)
def test_a_trouble_shows_as_its_category(
    lab: Lab, told: Any, time: Time, trouble: Trouble, category: str
) -> None:
    """And is written down as ground truth, with the attempts that carry its mark."""
    send(lab, Plan(kind="burst", attempts=400, seconds=60, troubles=(trouble,)), told, time)
    marked = [row for row in rows_of(lab) if row["fault_id"]]
    assert category in {row["failure_category"] for row in marked}
    with lab.database.read() as connection:
        truth = connection.execute(select(ground_truth)).one()
    assert truth.kind == trouble.name
    assert truth.attempts == sum(row["repeat_count"] for row in marked)


def test_the_same_burst_twice_is_two_runs_of_different_people(
    lab: Lab, told: Any, time: Time
) -> None:
    """Its start is part of it, so the second is not taken for a repetition of the first."""
    first, second = send(lab, PLAN, told, time), send(lab, PLAN, told, time)
    assert first["run_id"] != second["run_id"]
    assert second["by_outcome"]["SUCCESS"] > 90


def test_progress_is_told_while_it_runs(lab: Lab, told: Any, time: Time) -> None:
    """A live bar and a running count by outcome."""
    summary = send(lab, PLAN, told, time)
    assert told.reports[-1][1:3] == (120, 120)
    assert told.reports[-1][3] == {
        "success": summary["by_outcome"]["SUCCESS"],
        "failed": summary["by_outcome"]["FAILED"],
    }
    assert len({done for _, done, _, _ in told.reports}) > 30


def test_a_backfill_plan_is_not_sent_now(lab: Lab, told: Any) -> None:
    """Each kind has its own way."""
    with pytest.raises(BadRequest, match="use a burst plan"):
        burst(lab, Plan(), told)
