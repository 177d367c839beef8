"""A backfill: past days through a gate of their own, day by day, and as often as it takes.

The run's id is a hash of what shapes it, and its row advances with its rows: a killed or repeated backfill adds
only what is missing and says so. The trap it avoids: simulated rows among real ones. A day that holds rows of
anybody else is left out and named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.engine import Connection

from lab.attempt import Arrival
from lab.clock import business_day, day_bounds
from lab.errors import BadRequest, Cancelled
from lab.simulator import ledger, troubles
from lab.simulator.ledger import Run, Tally
from lab.simulator.plan import Plan, checked
from lab.simulator.stream import days_of, expected_curve, faults_of, run_id_of, submissions_of_day

if TYPE_CHECKING:
    from lab.opening import Lab

CHUNK = 10_000
_REMEMBERED = timedelta(seconds=120)
STAGE = "simulating"


class Progress(Protocol):
    """How a run tells how far it is; `report` raises Cancelled when it should stop."""

    job_id: str

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None: ...


class _Occupied(Exception):
    """Somebody else's rows have come to the day meanwhile."""


def backfill(lab: Lab, plan: Plan, progress: Progress, *, chunk: int = CHUNK) -> dict[str, Any]:
    """Simulate a plan's past days, and today up to now if it says so; returns the summary.

    At most `chunk` arrivals are stored at a time. Raises BadRequest when the plan cannot be done, Cancelled when
    the user stops it; what is stored stays, and the same plan goes on from there.
    """
    now = lab.clock()
    plan = checked(plan, lab.world)
    if plan.kind != "backfill":
        raise BadRequest("A burst does not fill past days; use a backfill plan.")
    start = plan.start or business_day(now, lab.zone) - timedelta(days=plan.days)
    if start + timedelta(days=plan.days) > business_day(now, lab.zone):
        raise BadRequest("A backfill ends yesterday at the latest; start earlier or ask for fewer days.")
    plan = replace(plan, start=start)
    run_id = run_id_of(plan, start, lab.zone, lab.world)
    run = ledger.begin(lab.log, run_id, plan, faults_of(plan, start, lab.zone), now, progress.job_id)
    filling = _Filling(lab, plan, start, now, run, progress, chunk)
    state = "failed"
    try:
        filling.fill()
        state = "done"
    except Cancelled:
        state = "cancelled"
        raise
    finally:
        filling.gate.close()
        summary = filling.summary()
        ledger.end(lab.database, filling.run, state, lab.clock(), summary)
    return summary


class _Filling:
    """One backfill under way."""

    def __init__(
        self, lab: Lab, plan: Plan, start: date, now: datetime, run: Run, progress: Progress, chunk: int
    ) -> None:
        self.run, self.skipped = run, list[date]()
        self.gate = lab.run_gate(run.run_id, credentials=troubles.credentials, store=troubles.store)
        self._lab, self._plan, self._start, self._now, self._progress = lab, plan, start, now, progress
        self._already, self._chunk = run.done, chunk
        self._faults = faults_of(plan, start, lab.zone)
        self._expected = dict(expected_curve(plan, start, lab.world))
        self._tally = ledger.stored(lab.log, run.run_id) if run.done else Tally()
        self._fed: date | None = None

    def fill(self) -> None:
        for day in days_of(self._plan, self._start):
            done = self.run.days.get(day)
            if done is None or not done.complete:
                try:
                    self._fill_day(day, done.arrivals if done else 0)
                except _Occupied:
                    self.skipped.append(day)
            self._expected.pop(day)
        self._progress.report(STAGE, self.run.done, self.run.done, **self._counts())

    def _fill_day(self, day: date, count: int) -> None:
        with self._lab.database.read() as connection:
            if ledger.occupied(connection, day, self.run.run_id):
                raise _Occupied
        over = day_bounds(day, self._lab.zone)[1] <= self._now
        arrivals = self._until_now(day)
        before = day - timedelta(days=1)
        if self._fed != before and before in self.run.days:
            self.gate.warm(_last(islice(self._until_now(before), self.run.days[before].arrivals)))
        self.gate.warm(_last(islice(arrivals, count)))
        full = True
        while full:
            self._report(day, count)
            chunk = list(islice(arrivals, self._chunk))
            full = len(chunk) == self._chunk
            if chunk or over:
                self._admit(chunk, day, complete=over and not full)
            count += len(chunk)
        self._fed = day
        self._report(day, count)

    def _admit(self, chunk: list[Arrival], day: date, *, complete: bool) -> None:
        run, after = self.run, self.run.after(chunk, day, complete=complete)

        def also(connection: Connection) -> None:
            if ledger.occupied(connection, day, run.run_id):
                raise _Occupied
            ledger.advance(connection, run, after)

        verdicts = self.gate.admit(chunk, also=also)
        self.run, self._tally = after, self._tally.plus(verdicts)

    def _until_now(self, day: date) -> Iterator[Arrival]:
        arrivals = submissions_of_day(
            self._plan, self._start, day, self._lab.zone, self._lab.world, self.run.run_id, self._faults
        )
        if day_bounds(day, self._lab.zone)[1] <= self._now:
            return arrivals
        return takewhile(lambda one: one.at is not None and one.at <= self._now, arrivals)

    def _report(self, day: date, count: int) -> None:
        rest = sum(self._expected.values()) - min(float(count), self._expected[day])
        total = self.run.done + int(rest) + 1
        self._progress.report(STAGE, self.run.done, total, day=day.isoformat(), **self._counts())

    def _counts(self) -> dict[str, int]:
        return {"success": self._tally.success, "failed": self._tally.failed}

    def summary(self) -> dict[str, Any]:
        """What was done, for people (`sentence`) and for machines."""
        tally, added = self._tally, self.run.done - self._already
        days = [day for day, done in sorted(self.run.days.items()) if done.arrivals]
        return {
            "run_id": self.run.run_id,
            "attempts": tally.attempts,
            "by_outcome": {"SUCCESS": tally.success, "FAILED": tally.failed},
            "replays": tally.replays,
            "days": len(days),
            "first_day": days[0].isoformat() if days else None,
            "last_day": days[-1].isoformat() if days else None,
            "added": added,
            "already": self._already,
            "skipped_days": [day.isoformat() for day in self.skipped],
            "sentence": _sentence(tally, added, self._already, len(days), self.skipped),
        }


def _sentence(tally: Tally, added: int, already: int, days: int, skipped: list[date]) -> str:
    span = f"{days:,} day{'' if days == 1 else 's'}"
    if added and not already:
        said = f"Added {added:,} submissions on {span}; {tally.failed_share:.1%} of the attempts failed."
    elif added:
        said = f"Added the {added:,} submissions that were missing; {already:,} were there already."
    elif already:
        said = f"Added nothing: all {already:,} submissions of this simulation on {span} were there already."
    else:
        said = "Added nothing."
    if skipped:
        named = ", ".join(day.isoformat() for day in skipped[:5])
        more = f" and {len(skipped) - 5:,} more" if len(skipped) > 5 else ""
        said += (
            f" Left out because they hold other rows: {named}{more}; "
            "simulate those days in another data folder (LAB_DATA_DIR)."
        )
    return said


def _last(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Those of the last two minutes, which is longer than any limit remembers."""
    kept = deque[Arrival]()
    for one in arrivals:
        kept.append(one)
        while kept[0].at is not None and one.at is not None and one.at - kept[0].at > _REMEMBERED:
            kept.popleft()
    return list(kept)
