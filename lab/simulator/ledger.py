"""What a run has done so far, and what it did on purpose: the tables `runs` and `ground_truth`.

Both advance in the very transaction that makes the rows durable, so after a kill they say exactly what is
stored. The trap it avoids: a counter beside the data that is one batch ahead of it, or behind.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import insert, select, true, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from lab.attempt import Arrival, Kind, Outcome, Verdict
from lab.database import Database, ground_truth, journal, runs, sealed_runs, segments
from lab.errors import BadRequest, FileDamaged, FileGone
from lab.eventlog import SUBMISSIONS, EventLog
from lab.ids import microseconds
from lab.simulator.plan import Plan
from lab.simulator.troubles import Fault

BY_DAY = "by_day"


class DayDone(NamedTuple):
    """Arrivals of a day that are stored, and whether there are no more to come."""

    arrivals: int
    complete: bool


class Run(NamedTuple):
    """A run as its row says, a value: `after` gives the next one, `advance` makes it so for the job that has it."""

    run_id: str
    job_id: str
    done: int
    days: Mapping[date, DayDone]
    faults: Mapping[str, int]

    def after(self, arrivals: Sequence[Arrival], day: date | None = None, *, complete: bool = False) -> Run:
        """The run once these arrivals are stored too."""
        days = dict(self.days)
        if day is not None:
            days[day] = DayDone(days.get(day, DayDone(0, False)).arrivals + len(arrivals), complete)
        caused = Counter(self.faults)
        caused.update(one.fault_id for one in arrivals if one.fault_id is not None)
        return self._replace(done=self.done + len(arrivals), days=days, faults=caused)

    @property
    def by_day(self) -> dict[str, list[int | bool]]:
        return {day.isoformat(): [done.arrivals, done.complete] for day, done in self.days.items()}

    @property
    def summary(self) -> str:
        """What the run's row keeps while it is under way."""
        return json.dumps({BY_DAY: self.by_day})


class Tally(NamedTuple):
    """Attempts by outcome, and the replays beside them."""

    success: int = 0
    failed: int = 0
    replays: int = 0

    def plus(self, verdicts: Iterable[Verdict]) -> Tally:
        success, failed, replays = self
        for verdict in verdicts:
            if verdict.kind is Kind.REPLAY:
                replays += 1
            elif verdict.outcome is Outcome.SUCCESS:
                success += 1
            else:
                failed += 1
        return Tally(success, failed, replays)

    @property
    def attempts(self) -> int:
        return self.success + self.failed

    @property
    def failed_share(self) -> float:
        return self.failed / self.attempts if self.attempts else 0.0


def begin(log: EventLog, run_id: str, plan: Plan, faults: Iterable[Fault], now: datetime, job_id: str) -> Run:
    """Start a run, or take up one that was killed, stopped or finished before; `now` bounds the ground truth.

    What a row says of its days is believed only where it adds up to what is done; else the files are counted.
    """
    now_us, done, days = microseconds(now), 0, dict[date, DayDone]()
    with log.database.write() as connection:
        row = connection.execute(select(runs).where(runs.c.run_id == run_id)).first()
        if row is None:
            connection.execute(
                insert(runs).values(
                    run_id=run_id,
                    kind=plan.kind,
                    params=json.dumps(plan.params()),
                    state="running",
                    done=0,
                    job_id=job_id,
                    created_us=now_us,
                )
            )
        else:
            connection.execute(
                update(runs).where(runs.c.run_id == run_id).values(state="running", job_id=job_id, ended_us=None)
            )
            done = int(row.done)
            days = {date.fromisoformat(day): DayDone(*one) for day, one in _by_day(row.summary).items()}
        told = connection.execute(select(ground_truth).where(ground_truth.c.run_id == run_id)).all()
        caused = {one.fault_id: int(one.attempts) for one in told}
        for fault in faults:
            if plan.kind == "burst" or fault.start < now:
                until = fault.end if plan.kind == "burst" else now
                _tell(connection, run_id, fault, until, known=fault.fault_id in caused)
        run = Run(run_id, job_id, done, days, caused)
        if plan.kind == "backfill" and done != sum(one.arrivals for one in days.values()):
            run = _recounted(connection, log, run)
    return run


def advance(connection: Connection, before: Run, after: Run) -> None:
    """Write what a batch changes, inside its own transaction; BadRequest when somebody else has moved the run on."""
    moved = connection.execute(
        update(runs)
        .where(runs.c.run_id == before.run_id, runs.c.done == before.done)
        .values(done=after.done, summary=after.summary, state="running", job_id=after.job_id, ended_us=None)
    )
    if moved.rowcount != 1:
        raise BadRequest("The same simulation is already running; watch that one, or stop it first.")
    for fault_id, attempts in after.faults.items():
        if attempts != before.faults.get(fault_id, 0):
            connection.execute(
                update(ground_truth)
                .where(ground_truth.c.run_id == before.run_id, ground_truth.c.fault_id == fault_id)
                .values(attempts=attempts)
            )


def end(database: Database, run: Run, state: str, now: datetime, summary: Mapping[str, Any] | None = None) -> None:
    """Write how the run ended, unless another job has it by now; what is stored of each day stays as it is."""
    with database.write() as connection:
        mine = (runs.c.run_id == run.run_id) & (runs.c.job_id == run.job_id)
        row = connection.execute(select(runs.c.summary).where(mine)).first()
        if row is not None:
            kept = json.dumps({**(summary or {}), BY_DAY: _by_day(row.summary)})
            connection.execute(update(runs).where(mine).values(state=state, ended_us=microseconds(now), summary=kept))


def occupied(connection: Connection, day: date, run_id: str) -> bool:
    """Whether the day holds rows that are not this run's."""
    others = (segments.c.run_id != run_id) | segments.c.run_id.is_(None)
    in_files = select(segments.c.id).where(segments.c.stream == SUBMISSIONS.name, segments.c.day == day, others)
    in_journal = select(journal.c.seq).where(journal.c.stream == SUBMISSIONS.name, journal.c.day == day)
    return any(connection.execute(query.limit(1)).first() is not None for query in (in_files, in_journal))


def stored(log: EventLog, run_id: str) -> Tally:
    """What a run's files hold, counted in the files themselves."""
    tally = Counter[tuple[str, str]]()
    with log.database.read() as connection:
        for _, kind, outcome, count in _counted(connection, log, run_id, segments.c.damage.is_(None)):
            tally[kind, outcome] += count
    replays = sum(count for (kind, _), count in tally.items() if kind == Kind.REPLAY.value)
    return Tally(
        tally[Kind.ATTEMPT.value, Outcome.SUCCESS.value], tally[Kind.ATTEMPT.value, Outcome.FAILED.value], replays
    )


def _by_day(summary: str | None) -> dict[str, list[Any]]:
    found = json.loads(summary or "{}").get(BY_DAY, {})
    return found if isinstance(found, dict) else {}


def _recounted(connection: Connection, log: EventLog, run: Run) -> Run:
    """The run as its files say; but for sealed days none is complete, so each is gone through again for the rest."""
    arrivals = Counter[date]()
    for day, _, _, count in _counted(connection, log, run.run_id, true()):
        arrivals[day] += count
    sealed = set(connection.scalars(select(sealed_runs.c.day).where(sealed_runs.c.run_id == run.run_id)))
    days = {day: DayDone(count, day in sealed) for day, count in arrivals.items()}
    run = run._replace(done=arrivals.total(), days=days)
    mine = runs.c.run_id == run.run_id
    connection.execute(update(runs).where(mine).values(done=run.done, summary=run.summary))
    return run


def _counted(
    connection: Connection, log: EventLog, run_id: str, only: ColumnElement[bool]
) -> Iterator[tuple[date, str, str, int]]:
    """Day, kind, outcome and how many arrivals, file by file; FileGone or FileDamaged for an unreadable one.

    A sealed day's file holds other runs' rows too.
    """
    sealed = select(sealed_runs.c.day).where(sealed_runs.c.run_id == run_id)
    its = (segments.c.run_id == run_id) | (segments.c.seal.is_not(None) & segments.c.day.in_(sealed))
    query = select(segments.c.day, segments.c.file).where(segments.c.stream == SUBMISSIONS.name, its, only)
    for day, file in connection.execute(query).all():
        path = log.folder / file
        try:
            table = pq.read_table(path, columns=["run_id", "kind", "outcome", "repeat_count"], partitioning=None)
        except FileNotFoundError:
            raise FileGone(path) from None
        except (OSError, pa.ArrowException):
            raise FileDamaged(path) from None
        table = table.filter(pc.equal(table["run_id"], run_id))
        for row in table.group_by(["kind", "outcome"]).aggregate([("repeat_count", "sum")]).to_pylist():
            yield day, row["kind"], row["outcome"], row["repeat_count_sum"]


def _tell(connection: Connection, run_id: str, fault: Fault, until: datetime, *, known: bool) -> None:
    end_us = microseconds(min(fault.end, until))
    if known:
        mine = (ground_truth.c.run_id == run_id) & (ground_truth.c.fault_id == fault.fault_id)
        connection.execute(update(ground_truth).where(mine).values(end_us=end_us))
        return
    connection.execute(
        insert(ground_truth).values(
            run_id=run_id,
            fault_id=fault.fault_id,
            kind=fault.name,
            component=fault.component,
            start_us=microseconds(fault.start),
            end_us=end_us,
            strength=fault.strength,
            attempts=0,
        )
    )
