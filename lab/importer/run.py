"""Import runs: what a run would do (preview), and the run itself.

The trap it avoids: a run that was killed half-way and doubles its first half when it is run again. Each batch
of rows becomes real in the same transaction as the keys of its lines, so importing again adds what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from lab.database import imported_lines
from lab.errors import Cancelled, StorageFailed
from lab.eventlog import SUBMISSIONS
from lab.importer import ledger
from lab.importer.leftovers import Leftovers
from lab.importer.rows import Hit, Recorder
from lab.importer.task import Counts, Forms, Key, Progress, Task, fresh_among, known_keys, many

if TYPE_CHECKING:
    from lab.opening import Lab

BATCH_ROWS = 50_000
_TRIES = 20


def preview(
    lab: Lab,
    files: Sequence[Path | str],
    forms: Forms,
    refused: Sequence[str] = (),
    format: str = "auto",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What an import of these files would do, with nothing written.

    Returns attempts, success, failed (of all hits), already (how many of them are stored), broken,
    not_for_a_form, by_day [{day, attempts, success, failed, already}] and a sentence.
    """
    task = Task(lab, files, forms, refused, format, progress)
    counts, already, earlier = Counts(), Counter[int](), set[Key]()
    broken = others = 0
    for part, done in task.parts():
        broken += len(part.broken)
        others += part.not_for_a_form
        with lab.database.read() as connection:
            known = known_keys(connection, part.hits)
        fresh = fresh_among(part.hits, known | earlier if earlier else known)
        if len(task.files) > 1:
            earlier.update((hit.line_hash, hit.occurrence) for hit in fresh)
        counts.add(part.hits)
        already.update(hit.when.ordinal for hit in part.hits)
        already.subtract(hit.when.ordinal for hit in fresh)
        task.progress.report("reading", done, task.total_bytes, attempts=counts.attempts, already=already.total())
    rows = [row | {"already": already[date.fromisoformat(row["day"]).toordinal()]} for row in counts.by_day()]
    return {
        "attempts": counts.attempts,
        "success": counts.success,
        "failed": counts.attempts - counts.success,
        "already": already.total(),
        "broken": broken,
        "not_for_a_form": others,
        "by_day": rows,
        "sentence": f"{many(counts.attempts - already.total(), 'attempt')} would be added, {already.total():,} are "
        f"already there. {_asides(others, broken)} Nothing was written.",
    }


def import_files(
    lab: Lab,
    files: Sequence[Path | str],
    forms: Forms,
    refused: Sequence[str] = (),
    format: str = "auto",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Import the files as one run; a job's body.

    Returns run_id, added, already, broken, not_for_a_form, leftovers (a path, or null), by_day [{day, attempts,
    success, failed}] of what was added, and a sentence. Raises UnreadableLog or BadRequest before anything is
    written; stopped or failing later, what was stored stays, and importing again adds the rest.
    """
    task = Task(lab, files, forms, refused, format, progress)
    ledger.mark_interrupted(lab)
    told = {"files": [file.name for file in task.files], "forms": dict(task.rules.forms), "refused": list(refused)}
    run_id = ledger.begin(lab, told, getattr(task.progress, "job_id", None))
    run = _Run(lab, task, run_id)
    state = "failed"
    try:
        run.store_all()
        state = "done"
    except Cancelled:
        state = "cancelled"
        raise
    finally:
        summary = run.summary()
        ledger.end(lab, run_id, state, summary)
    return summary


class _Run:
    """A run under way, and what it has come across so far."""

    def __init__(self, lab: Lab, task: Task, run_id: str) -> None:
        self._lab, self._task, self._run_id = lab, task, run_id
        self._recorder = Recorder(task.rules, lab.pseudonyms)
        self._leftovers = Leftovers(lab.settings.data_dir, run_id)
        self._added = Counts()
        self._already = self._others = 0

    def store_all(self) -> None:
        """Read everything, store it in batches, each durable before the next."""
        waiting: list[Hit] = []
        for part, done in self._task.parts():
            self._others += part.not_for_a_form
            self._leftovers.add(part.broken)
            waiting += part.hits
            if len(waiting) >= BATCH_ROWS:
                self._store(waiting)
                waiting = []
            self._task.progress.report(
                "importing",
                done,
                self._task.total_bytes,
                added=self._added.attempts,
                success=self._added.success,
                failed=self._added.attempts - self._added.success,
                already=self._already,
                broken=self._leftovers.count,
            )
        self._store(waiting)

    def summary(self) -> dict[str, Any]:
        """What the run did, with a sentence for people."""
        added, rows = self._added.attempts, self._added.by_day()
        kept = str(self._leftovers.path) if self._leftovers.kept else None
        if added:
            said = (
                f"Added {many(added, 'attempt')} on {many(len(rows), 'day')} ({self._added.success:,} accepted, "
                f"{added - self._added.success:,} refused); {self._already:,} were already there."
            )
        elif self._already:
            said = f"Nothing was added: {many(self._already, 'attempt')} of these files were already there."
        else:
            said = "Nothing was added: no line is a POST to one of these paths."
        return {
            "run_id": self._run_id,
            "added": added,
            "already": self._already,
            "broken": self._leftovers.count,
            "not_for_a_form": self._others,
            "leftovers": kept,
            "by_day": rows,
            "sentence": f"{said} {_asides(self._others, self._leftovers.count, kept)}",
        }

    def _store(self, hits: Sequence[Hit]) -> None:
        """Store the hits that are not there yet; once more when another import stored some of them meanwhile."""
        for _ in range(_TRIES):
            with self._lab.database.read() as connection:
                known = known_keys(connection, hits)
            fresh = fresh_among(hits, known)
            if fresh:
                try:
                    self._lab.log.append_table(
                        SUBMISSIONS.name,
                        self._recorder.table(fresh),
                        run_id=self._run_id,
                        within=lambda connection, fresh=fresh: self._claim(connection, fresh),  # type: ignore[misc]
                    )
                except _Overlap:
                    continue
            self._added.add(fresh)
            self._already += len(hits) - len(fresh)
            return
        raise StorageFailed("Another import of the same lines goes on; wait for its end, then import again.")

    def _claim(self, connection: Connection, hits: Sequence[Hit]) -> None:
        """Take the hits' keys for this run, in the transaction that stores its rows."""
        try:
            connection.execute(
                insert(imported_lines),
                [{"line_hash": hit.line_hash, "occurrence": hit.occurrence, "run_id": self._run_id} for hit in hits],
            )
        except IntegrityError as error:
            raise _Overlap from error
        ledger.advance(connection, self._run_id, len(hits))


class _Overlap(Exception):
    """Another import stored one of these lines meanwhile."""


def _asides(others: int, broken: int, leftovers: str | None = None) -> str:
    said = f"{many(others, 'line')} not for a form"
    if not broken:
        return f"{said}."
    return f"{said}, {many(broken, 'broken line')}{f' kept in {leftovers}' if leftovers else ''}."
