"""Rows for these tests, and a log that serves them cut into files and journal as a test likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from lab.attempt import Attempt
from lab.clock import ManualClock, business_day
from lab.eventlog import SUBMISSIONS, DayFiles, table_of
from lab.ids import uuid7
from lab.metrics import Memo, Metrics

UTC_ZONE = ZoneInfo("UTC")


def row(at: datetime, seq: int = 0, zone: ZoneInfo = UTC_ZONE, **columns: object) -> Attempt:
    """A successful real attempt at `at`; any column can be given. A category makes it a failed one."""
    made = Attempt(
        uuid7(at), seq, at, business_day(at, zone), None, "api", "attempt", "WEBSITE_FORM", "/demo", "u_1", "SUCCESS",
        None, None, None, None, None, "lead", 12.5, None, "c_1", "Firefox", None, None, None, None, 1, None, None,
    )  # fmt: skip
    if "failure_category" in columns:
        made = made._replace(outcome="FAILED", lead_id=None, failure_stage="validation", failure_reason="Refused")
    return made._replace(**columns)


class StillLog:
    """A log whose rows were cut into files and journal by the test; `add` grows the journal."""

    def __init__(self, days: Iterable[DayFiles] = ()) -> None:
        self.days = tuple(sorted(days))
        self.views = 0
        self._version = 0

    def view(self) -> StillLog:
        self.views += 1
        return StillLog(self.days)

    def version(self) -> str:
        return str(self._version)

    def set_aside(self, file: Path, why: str) -> bool:
        return False

    def replace(self, *days: DayFiles) -> None:
        """Serve these days from now on."""
        self.days = tuple(sorted(days))
        self._version += 1


def day_files(
    day: date, folder: Path, parts: Sequence[Sequence[Attempt]] = (), waiting: Sequence[Attempt] = ()
) -> DayFiles:
    """The day with one Parquet file for each part, and the rest in its journal."""
    if parts:
        folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, rows in enumerate(parts):
        files.append(folder / f"{day}-{number}.parquet")
        pq.write_table(table_of(SUBMISSIONS, rows), files[-1])
    journal: pa.Table | None = table_of(SUBMISSIONS, waiting) if waiting else None
    text = repr((files, [[one.attempt_id for one in rows] for rows in (*parts, waiting)]))
    return DayFiles(day, tuple(files), journal, blake2b(text.encode()).hexdigest())


def metrics_of(
    rows: Iterable[Attempt],
    now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC),
    zone: ZoneInfo = UTC_ZONE,
    executor: Executor | None = None,
) -> Metrics:
    """Metrics over rows that all wait in the journal."""
    days: dict[date, list[Attempt]] = {}
    for one in rows:
        days.setdefault(one.day, []).append(one)
    log = StillLog(day_files(day, Path("unused"), (), some) for day, some in days.items())
    return Metrics(log, zone, ManualClock(now), memo=Memo(), executor=executor)
