"""The rows in `runs` that imports keep: begun, advanced with their attempts, ended, or found dead.

The trap it avoids: a run whose process was killed, shown as running for ever. Its job's lease tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from lab.database import runs
from lab.errors import Cancelled, JobNotFound
from lab.ids import microseconds, uuid7

if TYPE_CHECKING:
    from lab.opening import Lab

KIND = "import"
RUNNING, INTERRUPTED, WITHDRAWN = "running", "interrupted", "withdrawn"


def begin(lab: Lab, told: Mapping[str, Any], job_id: str | None) -> str:
    """Write down a new run and return its id, which starts with the instant, for people to tell runs apart."""
    now = lab.clock()
    run_id = f"{KIND}-{now:%Y%m%d-%H%M%S}-{uuid7(now)[-6:]}"
    with lab.database.write() as connection:
        connection.execute(
            insert(runs).values(
                run_id=run_id,
                kind=KIND,
                params=json.dumps(told),
                state=RUNNING,
                done=0,
                job_id=job_id,
                created_us=microseconds(now),
            )
        )
    return run_id


def advance(connection: Connection, run_id: str, rows: int) -> None:
    """Count rows, in the transaction that stores them; Cancelled when the run was withdrawn meanwhile."""
    mine = (runs.c.run_id == run_id) & (runs.c.state == RUNNING)
    if not connection.execute(update(runs).where(mine).values(done=runs.c.done + rows)).rowcount:
        raise Cancelled("The run was withdrawn meanwhile; import the files again if that was not meant.")


def end(lab: Lab, run_id: str, state: str, summary: Mapping[str, Any]) -> None:
    """Write down how a run ended, unless it was withdrawn meanwhile."""
    with lab.database.write() as connection:
        connection.execute(
            update(runs)
            .where(runs.c.run_id == run_id, runs.c.state == RUNNING)
            .values(state=state, summary=json.dumps(summary), ended_us=microseconds(lab.clock()))
        )


def at_work(lab: Lab, job_id: str | None) -> bool:
    """Whether a run's job is still active; a run without a job is nobody's to wait for."""
    try:
        return job_id is not None and lab.jobs.get(job_id).active
    except JobNotFound:
        return False


def mark_interrupted(lab: Lab) -> list[str]:
    """Mark imports whose job has died as interrupted; returns their ids. Cheap where nothing runs."""
    query = select(runs.c.run_id, runs.c.job_id).where(
        runs.c.kind == KIND, runs.c.state == RUNNING, runs.c.job_id.is_not(None)
    )
    with lab.database.read() as connection:
        running = connection.execute(query).all()
    dead = [run.run_id for run in running if not at_work(lab, run.job_id)]
    if dead:
        with lab.database.write() as connection:
            mine = runs.c.run_id.in_(dead) & (runs.c.state == RUNNING)
            connection.execute(update(runs).where(mine).values(state=INTERRUPTED, ended_us=microseconds(lab.clock())))
    return dead
