"""Background work whose state survives a refresh and a restart.

A job is a row; the thread that works on it is only its hands. Pages hold the job's id and read the row. The
trap it avoids: progress kept in a session or a thread, lost with either. A job whose lease ran out because
its process died shows as interrupted, never as running for ever.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection, Row

from lab.clock import Clock
from lab.database import Database
from lab.database import jobs as table
from lab.errors import Cancelled, JobNotFound, LabError
from lab.ids import NewId, instant, microseconds, uuid7

ACTIVE = ("queued", "running")
LANES = {"work": 2, "model": 1}
"""Workers a lane: a local model answers one caller at a time."""
LEASE_S, HEARTBEAT_S, BETWEEN_REPORTS_S = 30.0, 5.0, 0.2
_log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A job as its row says. `place` is 1 for the next one to start, 0 when it no longer waits."""

    id: str
    kind: str
    params: Mapping[str, Any]
    state: str
    stage: str
    done: int
    total: int
    detail: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    place: int = 0

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def share(self) -> float:
        """How far it is, 0 to 1; 0 while the total is not known."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


Watch = Callable[[Job], None]


class Progress:
    """A job's way to tell how far it is, and to learn that it should stop. Used by its own thread only."""

    def __init__(self, jobs: Jobs, job_id: str, stopped: threading.Event, watch: Watch | None) -> None:
        self.job_id = job_id
        self._jobs, self._stopped, self._watch = jobs, stopped, watch
        self._told_at, self._stage = 0.0, ""

    @property
    def cancelled(self) -> bool:
        """Whether the user asked to stop; costs nothing."""
        return self._stopped.is_set()

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        """Tell the stage, how much of how much, and counts; raises Cancelled once the user asked to stop.

        Written at most five times a second, so it may be called freely.
        """
        now = time.monotonic()
        if stage != self._stage or now - self._told_at >= BETWEEN_REPORTS_S or (total and done >= total):
            self._stage, self._told_at = stage, now
            job = self._jobs.note(self.job_id, stage, done, total, detail)
            if job is None:
                self._stopped.set()
            elif self._watch is not None:
                self._watch(job)
        if self._stopped.is_set():
            raise Cancelled("Stopped as asked; what was stored so far stays.")


Work = Callable[[Progress], Mapping[str, Any]]


class Jobs:
    """Starts, finds and stops jobs. `_lock` guards `_stops`, the jobs whose hands are in this process."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId = uuid7) -> None:
        self._database, self._clock, self._new_id = database, clock, new_id
        self._stops: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._lanes = {
            name: ThreadPoolExecutor(workers, thread_name_prefix=f"{name} lane") for name, workers in LANES.items()
        }
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None

    def start(
        self, kind: str, params: Mapping[str, Any], work: Work, lane: str = "work", key: str | None = None
    ) -> str:
        """Start in the background and return the id; an active job of the same kind and key is returned instead."""
        job_id, fresh = self._create(kind, params, lane, key)
        if fresh:
            self._lanes[lane].submit(self._do, job_id, work, None)
        return job_id

    def run(self, kind: str, params: Mapping[str, Any], work: Work, watch: Watch | None = None) -> Job:
        """Do it here and now; `watch` sees the job at each report. What it raises is told by the job, not raised."""
        job_id, _ = self._create(kind, params, "here", None)
        self._do(job_id, work, watch)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """The job as it stands; JobNotFound when there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == job_id)).first()
            if row is None:
                raise JobNotFound(f"There is no job {job_id[:40]!r}; the System page lists those there are.")
            return self._job(row, connection)

    def recent(self, kind: str | None = None, limit: int = 20) -> list[Job]:
        """The latest jobs, newest first."""
        query = select(table).order_by(table.c.created_us.desc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query.where(table.c.kind == kind) if kind else query).all()
            return [self._job(row, connection) for row in rows]

    def active(self, kind: str | None = None) -> list[Job]:
        """Jobs that wait or run, in the order in which they were asked for."""
        query = select(table).where(table.c.state.in_(ACTIVE)).order_by(table.c.created_us)
        with self._database.read() as connection:
            rows = connection.execute(query.where(table.c.kind == kind) if kind else query).all()
            return [job for row in rows if (job := self._job(row, connection)).active]

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; whichever process works on it learns of it. One that only waits ends at once."""
        with self._lock:
            stop = self._stops.get(job_id)
        if stop is not None:
            stop.set()
        mine, ended = table.c.id == job_id, microseconds(self._clock())
        waiting = update(table).where(mine, table.c.state == "queued")
        with self._database.write() as connection:
            connection.execute(update(table).where(mine, table.c.state.in_(ACTIVE)).values(cancel_asked=1))
            connection.execute(waiting.values(state="cancelled", ended_us=ended))

    def close(self) -> None:
        """Ask everything here to stop and wait for it. Idempotent."""
        self._closing.set()
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        for lane in self._lanes.values():
            lane.shutdown(wait=True, cancel_futures=True)
        if self._heart is not None:
            self._heart.join()

    def note(self, job_id: str, stage: str, done: int, total: int, detail: Mapping[str, Any]) -> Job | None:
        """Write a job's progress and renew its lease; None when it was asked to stop."""
        with self._database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == job_id)
                .values(
                    stage=stage, done=done, total=total, detail=json.dumps(detail, default=str), lease_us=self._lease()
                )
            )
            row = connection.execute(select(table).where(table.c.id == job_id)).one()
            return None if row.cancel_asked else self._job(row, connection)

    def _create(self, kind: str, params: Mapping[str, Any], lane: str, key: str | None) -> tuple[str, bool]:
        now = self._clock()
        with self._database.write() as connection:
            if key is not None:
                same = (table.c.kind == kind) & (table.c.key == key) & table.c.state.in_(ACTIVE)
                for row in connection.execute(select(table).where(same)):
                    if self._job(row, connection).active:
                        return str(row.id), False
            job_id = self._new_id(now)
            connection.execute(
                insert(table).values(
                    id=job_id,
                    kind=kind,
                    lane=lane,
                    key=key,
                    params=json.dumps(dict(params), default=str),
                    state="queued",
                    stage="waiting",
                    done=0,
                    total=0,
                    detail="{}",
                    cancel_asked=0,
                    lease_us=self._lease(),
                    created_us=microseconds(now),
                )
            )
        with self._lock:
            self._stops[job_id] = threading.Event()
            if self._heart is None:
                self._heart = threading.Thread(target=self._beat, name="job heartbeat", daemon=True)
                self._heart.start()
        return job_id, True

    def _do(self, job_id: str, work: Work, watch: Watch | None) -> None:
        with self._lock:
            stop = self._stops[job_id]
        values: dict[str, Any]
        try:
            if not self._begin(job_id):
                return
            result = work(Progress(self, job_id, stop, watch))
            values = {"state": "done", "result": json.dumps(dict(result), default=str)}
        except Cancelled as error:
            values = {"state": "cancelled", "error": str(error)}
            if self._closing.is_set():
                values = {"state": "interrupted", "error": "The lab was closed meanwhile; start it again to go on."}
        except LabError as error:
            values = {"state": "failed", "error": str(error)}
        except Exception as error:
            _log.exception("Job %s failed", job_id)
            values = {
                "state": "failed",
                "error": f"An error in the lab itself stopped this ({type(error).__name__}); the log of the server has "
                "the details. What was stored so far stays; try again.",
            }
        finally:
            with self._lock:
                self._stops.pop(job_id, None)
        with self._database.write() as connection:
            connection.execute(
                update(table).where(table.c.id == job_id).values(**values, ended_us=microseconds(self._clock()))
            )

    def _begin(self, job_id: str) -> bool:
        if self._closing.is_set():
            return False
        with self._database.write() as connection:
            begun = connection.execute(
                update(table)
                .where(table.c.id == job_id, table.c.state == "queued")
                .values(
                    state="running", stage="starting", started_us=microseconds(self._clock()), lease_us=self._lease()
                )
            )
        return bool(begun.rowcount)

    def _beat(self) -> None:
        """Renew the leases of the jobs in this process, waiting ones included."""
        while not self._closing.wait(HEARTBEAT_S):
            with self._lock:
                mine = list(self._stops)
            if not mine:
                continue
            try:
                with self._database.write() as connection:
                    connection.execute(update(table).where(table.c.id.in_(mine)).values(lease_us=self._lease()))
            except Exception:
                _log.exception("A heartbeat was missed")

    def _lease(self) -> int:
        return microseconds(self._clock()) + int(LEASE_S * 1e6)

    def _job(self, row: Row[Any], connection: Connection) -> Job:
        state = str(row.state)
        place = 0
        if state in ACTIVE and row.lease_us < microseconds(self._clock()):
            state = "interrupted"
        elif state == "queued":
            ahead = (table.c.lane == row.lane) & (table.c.state == "queued") & (table.c.created_us < row.created_us)
            place = 1 + int(connection.scalar(select(func.count()).select_from(table).where(ahead)) or 0)
        return Job(
            row.id,
            row.kind,
            json.loads(row.params),
            state,
            row.stage,
            row.done,
            row.total,
            json.loads(row.detail),
            json.loads(row.result) if row.result else None,
            row.error,
            instant(row.created_us),
            instant(row.started_us) if row.started_us else None,
            instant(row.ended_us) if row.ended_us else None,
            place,
        )
