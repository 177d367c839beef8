"""Withdrawing a run: its rows, leads, keys and leftovers go, in one transaction, and it says so.

The trap it avoids: undoing an import by hand, half. Afterwards the same files can be imported again; a lead or
an idempotency key that stayed behind would then refuse its own row.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from lab.attempt import Kind
from lab.database import idempotency, imported_lines, leads, runs, segments
from lab.errors import BadRequest
from lab.eventlog import SUBMISSIONS
from lab.ids import microseconds
from lab.importer.keys import LOOKED_UP_AT_ONCE
from lab.importer.ledger import KIND, WITHDRAWN, at_work
from lab.importer.leftovers import leftovers_path
from lab.importer.sentences import many

if TYPE_CHECKING:
    from lab.opening import Lab


def withdraw(lab: Lab, run_id: str) -> dict[str, Any]:
    """Take an import back as a whole; returns run_id, removed, leads, days, leftovers (removed too) and a sentence.

    Raises BadRequest for an unknown run, one that is no import, one withdrawn before, one with rows on a sealed
    day and one still at work.
    """
    with lab.database.read() as connection:
        job_id = connection.scalar(select(runs.c.job_id).where(runs.c.run_id == run_id))
    if at_work(lab, job_id):
        raise BadRequest(f"{run_id} is still at work; stop it first, then withdraw it.")
    answered = _answered(lab, run_id)
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
        taken = connection.execute(delete(leads).where(leads.c.run_id == run_id)).rowcount
        _forget_keys(connection, answered)
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
    with_leads = f" and {many(taken, 'lead')}" if taken else ""
    said = f"Withdrew {many(removed, 'attempt')} on {many(len(days), 'day')}{with_leads} that came from {files}"
    return {
        "run_id": run_id,
        "removed": removed,
        "leads": taken,
        "days": [day.isoformat() for day in days],
        "leftovers": leftovers,
        "sentence": f"{said}{', and the broken lines kept aside' if leftovers else ''}.",
    }


def _answered(lab: Lab, run_id: str) -> dict[str, str]:
    """Hashes of the idempotency keys that the run's rows came with, and the attempt of each, from its files."""
    query = select(segments.c.file).where(segments.c.stream == SUBMISSIONS.name, segments.c.run_id == run_id)
    with lab.database.read() as connection:
        files = connection.scalars(query).all()
    found: dict[str, str] = {}
    for file in files:
        try:
            rows = pq.ParquetFile(lab.log.folder / file).read(["idempotency_key", "attempt_id", "kind"])
        except (OSError, pa.ArrowException):
            continue  # a damaged file: its keys end by themselves, a day after their rows
        for row in rows.filter(pc.is_valid(rows["idempotency_key"])).to_pylist():
            if row["kind"] == Kind.ATTEMPT.value:
                found[row["attempt_id"]] = row["idempotency_key"]
    return found


def _forget_keys(connection: Connection, answered: dict[str, str]) -> None:
    """Remove those keys whose remembered answer is one of the attempts."""
    hashes = sorted(set(answered.values()))
    for start in range(0, len(hashes), LOOKED_UP_AT_ONCE):
        asked = idempotency.c.key_hash.in_(hashes[start : start + LOOKED_UP_AT_ONCE])
        rows = connection.execute(select(idempotency.c.key_hash, idempotency.c.verdict).where(asked)).all()
        if mine := [row.key_hash for row in rows if json.loads(row.verdict)["attempt_id"] in answered]:
            connection.execute(delete(idempotency).where(idempotency.c.key_hash.in_(mine)))
