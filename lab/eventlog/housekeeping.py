"""Housekeeping: flush by size and age, unlink what was withdrawn. One process at a time, by lease.

The trap it avoids: several processes flushing the same rows. The lease says who may, and the flush itself
undoes its work when it finds that somebody else was there.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, func, select

from lab.clock import Clock
from lab.database import garbage, journal, segments
from lab.errors import LabError
from lab.eventlog.catalog import bring_back
from lab.eventlog.log import EventLog
from lab.ids import microseconds
from lab.leases import give_back, new_holder, take

LEASE = "housekeeping"
_suspected: dict[Path, float] = {}
_log = logging.getLogger(__name__)


class Rhythm(NamedTuple):
    """When to act: journal rows, journal age, age of garbage and orphans, the lease's span, time between looks."""

    flush_rows: int = 20_000
    flush_age_s: float = 900.0
    garbage_age_s: float = 600.0
    orphan_age_s: float = 3600.0
    suspected_s: float = 120.0
    lease_s: float = 60.0
    every_s: float = 1.0


def keep_house(log: EventLog, clock: Clock, holder: str, rhythm: Rhythm | None = None) -> bool:
    """Do what is due once; False when another process holds the lease."""
    rhythm = rhythm or Rhythm()
    now = microseconds(clock())
    if not _anything_due(log, rhythm, now):
        return True
    with log.database.write() as connection:
        if not take(connection, LEASE, holder, now, int(rhythm.lease_s * 1e6)):
            return False
    try:
        for stream in log.streams:
            if _flush_due(log, stream, rhythm, now):
                log.flush(stream)
        _unlink_garbage(log, now - int(rhythm.garbage_age_s * 1e6))
        bring_back(log.database, log.folder)
        _unlink_orphans(log, now, rhythm)
    finally:
        with log.database.write() as connection:
            give_back(connection, LEASE, holder)
    return True


class Housekeeper:
    """Keeps house in a thread of its own until closed; `duties` are called at every look."""

    def __init__(
        self, log: EventLog, clock: Clock, rhythm: Rhythm | None = None, duties: Sequence[Callable[[], object]] = ()
    ) -> None:
        self._log, self._clock, self._rhythm = log, clock, rhythm or Rhythm()
        self._duties = duties
        self._stop = threading.Event()
        self._holder = new_holder()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop after the present look. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._rhythm.every_s):
            for duty in (*self._duties, self._keep_house):
                try:
                    duty()
                except LabError as error:
                    _log.warning("Housekeeping was put off: %s", error)
                except Exception:
                    _log.exception("Housekeeping failed and will be tried again")

    def _keep_house(self) -> None:
        keep_house(self._log, self._clock, self._holder, self._rhythm)


def _anything_due(log: EventLog, rhythm: Rhythm, now_us: int) -> bool:
    with log.database.read() as connection:
        old = connection.scalar(
            select(func.count()).select_from(garbage).where(garbage.c.since_us < now_us - rhythm.garbage_age_s * 1e6)
        )
        aside = connection.scalar(select(func.count()).select_from(segments).where(segments.c.damage.is_not(None)))
    return bool(old) or bool(aside) or any(_flush_due(log, stream, rhythm, now_us) for stream in log.streams)


def _flush_due(log: EventLog, stream: str, rhythm: Rhythm, now_us: int) -> bool:
    with log.database.read() as connection:
        mine = journal.c.stream == stream
        oldest = connection.scalar(
            select(journal.c.appended_us).where(mine).order_by(journal.c.seq).limit(1)
        )
        if oldest is None:
            return False
        if now_us - oldest > rhythm.flush_age_s * 1e6:
            return True
        enough = select(journal.c.seq).where(mine).order_by(journal.c.seq).offset(rhythm.flush_rows - 1).limit(1)
        return connection.scalar(enough) is not None


def _unlink_garbage(log: EventLog, before_us: int) -> None:
    with log.database.write() as connection:
        for file in connection.scalars(select(garbage.c.file).where(garbage.c.since_us < before_us)).all():
            with contextlib.suppress(FileNotFoundError):
                (log.folder / file).unlink()
            connection.execute(delete(garbage).where(garbage.c.file == file))


def _unlink_orphans(log: EventLog, now_us: int, rhythm: Rhythm) -> None:
    """Files that a kill left between rename and commit: no catalog names them, and nobody is writing them any more.

    The lab never reads them; a reader that globs the folder would count their rows twice. Two looks, some time apart
    by the monotonic clock, must find the same file, so that a clock that jumps cannot make a new file look old.
    """
    for stream in log.streams:
        found = [
            path
            for path in (log.folder / stream).glob("day=*/*.parquet*")
            if now_us - path.stat().st_mtime_ns // 1_000 > rhythm.orphan_age_s * 1e6
        ]
        if not found:
            continue
        with log.database.read() as connection:
            named = set(connection.scalars(select(segments.c.file))) | set(connection.scalars(select(garbage.c.file)))
        orphans = {path for path in found if path.relative_to(log.folder).as_posix() not in named}
        for path in orphans:
            if time.monotonic() - _suspected.setdefault(path, time.monotonic()) >= rhythm.suspected_s:
                path.unlink(missing_ok=True)
                del _suspected[path]
        for path in _suspected.keys() - orphans:
            del _suspected[path]
