"""Withdrawing a run: its rows, its lines' keys and its leftovers go, in one transaction, and it says so.

The trap it avoids: undoing an import by hand, half. Afterwards the same files can be imported again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from lab.database import imported_lines, runs
from lab.errors import BadRequest
from lab.eventlog import SUBMISSIONS
from lab.ids import microseconds
from lab.importer.ledger import KIND, WITHDRAWN, at_work
from lab.importer.leftovers import leftovers_path
from lab.importer.task import many

if TYPE_CHECKING:
    from lab.opening import Lab


def withdraw(lab: Lab, run_id: str) -> dict[str, Any]:
    """Take an import back as a whole; returns run_id, removed, days, leftovers (removed too) and a sentence.

    Raises BadRequest for an unknown run, one that is no import, one withdrawn before and one still at work.
    """
    with lab.database.read() as connection:
        job_id = connection.scalar(select(runs.c.job_id).where(runs.c.run_id == run_id))
    if at_work(lab, job_id):
        raise BadRequest(f"{run_id} is still at work; stop it first, then withdraw it.")
    with lab.database.write() as connection:
        run = connection.execute(select(runs).where(runs.c.run_id == run_id)).first()
        if run is None:
            newest = select(runs.c.run_id).where(runs.c.kind == KIND, runs.c.state != WITHDRAWN)
            known = connection.scalars(newest.order_by(runs.c.created_us.desc()).limit(5)).all()
            remedy = f"the latest are {', '.join(known)}" if known else "nothing was imported yet"
            raise BadRequest(f"There is no run {run_id[:80]!r}; {remedy}.")
        if run.kind != KIND:
            raise BadRequest(f"{run_id} is a {run.kind}, not an import; name an import to withdraw.")
        if run.state == WITHDRAWN:
            raise BadRequest(f"{run_id} is withdrawn already; import its files again to have them back.")
        removed, days = lab.log.withdraw(connection, SUBMISSIONS.name, run_id)
        connection.execute(delete(imported_lines).where(imported_lines.c.run_id == run_id))
        connection.execute(
            update(runs)
            .where(runs.c.run_id == run_id)
            .values(state=WITHDRAWN, ended_us=microseconds(lab.clock()))
        )
    kept = leftovers_path(lab.settings.data_dir, run_id)
    leftovers = kept.exists()
    kept.unlink(missing_ok=True)
    files = ", ".join(json.loads(run.params).get("files", [])) or "its files"
    said = f"Withdrew {many(removed, 'attempt')} on {many(len(days), 'day')} that came from {files}"
    return {
        "run_id": run_id,
        "removed": removed,
        "days": [day.isoformat() for day in days],
        "leftovers": leftovers,
        "sentence": f"{said}{', and the broken lines kept aside' if leftovers else ''}.",
    }
