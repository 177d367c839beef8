"""Import runs: what a run would do (preview), and the run itself.

The trap it avoids: a run that was killed half-way and doubles its first half when it is run again. Each batch
of rows becomes real in the same transaction as the keys of its lines, so importing again adds what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from lab.attempt import Kind, Outcome
from lab.errors import Cancelled, DaySealed, StorageFailed
from lab.eventlog import SUBMISSIONS
from lab.importer import ledger, sentences
from lab.importer.columns import Columns
from lab.importer.counts import Counts, days_of, previewed_days
from lab.importer.given import JudgedRow, RecordedRow
from lab.importer.judge import Judge
from lab.importer.keys import E, Key, fresh_among, known_keys, seem_new, take_keys
from lab.importer.leftovers import Leftovers
from lab.importer.rows import Entry, Hit
from lab.importer.task import Forms, Progress, Task, sealed_among

if TYPE_CHECKING:
    from lab.opening import Lab

BATCH_ROWS = 50_000
JUDGED_ROWS, JUDGED_BYTES = 20_000, 32 << 20
"""Rows to be judged are held whole, with their text, so fewer of them at once."""
_TRIES = 20


def preview(
    lab: Lab,
    files: Sequence[Path | str],
    forms: Forms,
    refused: Sequence[str] = (),
    format: str = "auto",
    progress: Progress | None = None,
    columns: Columns = (),
) -> dict[str, Any]:
    """What an import of these files would do, with nothing written.

    Returns attempts, success, failed (of recorded rows), judged (rows whose outcome is not known yet), already
    (rows that are stored), fresh (rows that would be added), sealed_days, broken, not_for_a_form, by_day [{day,
    attempts, success, failed, judged, already}] and a sentence.
    """
    task = Task(lab, files, forms, refused, format, progress, columns)
    counts, judged, already, earlier = Counts(), Counter[int](), Counter[int](), set[Key]()
    broken = others = 0
    sealed = Counter[int]()
    for part, done in task.parts():
        broken += len(part.broken)
        others += part.not_for_a_form
        with lab.database.read() as connection:
            known = known_keys(connection, part.entries)
            closed = sealed_among(connection, part.entries)
        fresh = fresh_among(part.entries, known | earlier if earlier else known)
        if len(task.files) > 1:
            earlier.update((entry.line_hash, entry.occurrence) for entry in fresh)
        counts.add(entry for entry in part.entries if not isinstance(entry, JudgedRow))
        judged.update(entry.when.ordinal for entry in part.entries if isinstance(entry, JudgedRow))
        already.update(entry.when.ordinal for entry in part.entries)
        already.subtract(entry.when.ordinal for entry in fresh)
        sealed.update(entry.when.ordinal for entry in fresh if entry.when.ordinal in closed)
        rows = counts.rows + judged.total()
        task.progress.report("reading", done, task.total_bytes, attempts=rows, already=already.total())
    fresh_rows = counts.rows + judged.total() - already.total() - sealed.total()
    return {
        "formats": task.formats,
        "attempts": counts.attempts,
        "success": counts.success,
        "failed": counts.attempts - counts.success,
        "judged": judged.total(),
        "already": already.total(),
        "fresh": fresh_rows,
        "sealed_days": days_of(sealed),
        "broken": broken,
        "not_for_a_form": others,
        "by_day": previewed_days(counts, judged, already),
        "sentence": sentences.would_add(
            counts, judged.total(), already.total(), fresh_rows,
            sentences.Asides(others if task.has_log else None, broken, sealed=days_of(sealed)),
        ),
    }  # fmt: skip


def import_files(
    lab: Lab,
    files: Sequence[Path | str],
    forms: Forms,
    refused: Sequence[str] = (),
    format: str = "auto",
    progress: Progress | None = None,
    columns: Columns = (),
) -> dict[str, Any]:
    """Import the files as one run; a job's body.

    Returns run_id, added (rows), judged (how many of them went through the gate), replays, already, broken,
    not_for_a_form, sealed_days and left_out (rows of those days), leftovers (a path, or null), by_day [{day,
    attempts, success, failed}] of what was added, and a sentence. Raises UnreadableLog or BadRequest before
    anything is written; stopped or failing later, what was stored stays, and importing again adds the rest.
    """
    task = Task(lab, files, forms, refused, format, progress, columns)
    ledger.mark_interrupted(lab)
    told = {
        "files": [file.name for file in task.files],
        "formats": task.formats,
        "forms": dict(task.rules.forms),
        "refused": list(refused),
        "columns": task.columns,
    }
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
        self._leftovers = Leftovers(lab.settings.data_dir, run_id)
        self._judge = Judge(lab, run_id, task.rules.forms)
        self._added = Counts()
        self._sealed = Counter[int]()
        self._already = self._others = 0

    def store_all(self) -> None:
        """Read everything, store it in batches, each durable before the next."""
        recorded: list[Hit | RecordedRow] = []
        judged: list[JudgedRow] = []
        judged_bytes = 0
        for part, done in self._task.parts():
            self._others += part.not_for_a_form
            self._leftovers.add(part.broken, part.header)
            for entry in part.entries:
                if isinstance(entry, JudgedRow):
                    judged.append(entry)
                    judged_bytes += entry.arrival.size_bytes or 0
                else:
                    recorded.append(entry)
            if len(recorded) >= BATCH_ROWS or part.last:
                self._store(recorded, self._record)
                recorded = []
            if len(judged) >= JUDGED_ROWS or judged_bytes >= JUDGED_BYTES or part.last:
                self._store(judged, self._judged)
                judged, judged_bytes = [], 0
            self._task.progress.report(
                "importing",
                done,
                self._task.total_bytes,
                added=self._added.rows,
                success=self._added.success,
                failed=self._added.attempts - self._added.success,
                already=self._already,
                broken=self._leftovers.count,
            )

    def summary(self) -> dict[str, Any]:
        """What the run did, with a sentence for people."""
        kept = str(self._leftovers.path) if self._leftovers.kept else None
        sealed = days_of(self._sealed)
        asides = sentences.Asides(
            self._others if self._task.has_log else None, self._leftovers.count, kept, sealed, self._sealed.total(),
            self._judge.stretches, self._leftovers.kept,
        )  # fmt: skip
        return {
            "run_id": self._run_id,
            "added": self._added.rows,
            "judged": self._judge.judged,
            "replays": self._added.replays,
            "already": self._already,
            "broken": self._leftovers.count,
            "not_for_a_form": self._others,
            "sealed_days": sealed,
            "left_out": self._sealed.total(),
            "leftovers": kept,
            "by_day": self._added.by_day(),
            "sentence": sentences.added(self._added, self._already, asides),
        }

    def _store(self, entries: Sequence[E], append: Callable[[Sequence[E], Sequence[E]], None]) -> None:
        """Store what is not there yet; once more when another import stored some of it, or its day was sealed."""
        if not entries:
            return
        for turn in range(_TRIES):
            with self._lab.database.read() as connection:
                new = not turn and append == self._record and seem_new(connection, entries)
                known = set() if new else known_keys(connection, entries)
                closed = sealed_among(connection, entries)
            missing = list(entries) if new else fresh_among(entries, known)
            fresh = [entry for entry in missing if entry.when.ordinal not in closed] if closed else missing
            try:
                append(entries, fresh)
            except (_Overlap, DaySealed):
                continue
            self._already += len(entries) - len(missing)
            self._sealed.update(entry.when.ordinal for entry in missing if entry.when.ordinal in closed)
            return
        raise StorageFailed("Another import of the same lines goes on; wait for its end, then import again.")

    def _record(self, _batch: Sequence[Hit | RecordedRow], fresh: Sequence[Hit | RecordedRow]) -> None:
        if fresh:
            self._lab.log.append_table(
                SUBMISSIONS.name, self._task.table(fresh), run_id=self._run_id,
                within=lambda connection: self._claim(connection, fresh),
            )  # fmt: skip
            self._added.add(fresh)

    def _judged(self, batch: Sequence[JudgedRow], fresh: Sequence[JudgedRow]) -> None:
        for row, verdict in self._judge.admit(batch, fresh, lambda connection: self._claim(connection, fresh)):
            replay = verdict.kind is Kind.REPLAY
            self._added.count(row.when.ordinal, verdict.outcome is Outcome.SUCCESS, 0 if replay else 1)

    def _claim(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Take the entries' keys for this run, in the transaction that stores its rows."""
        try:
            take_keys(connection, entries, self._run_id)
        except IntegrityError as error:
            raise _Overlap from error
        ledger.advance(connection, self._run_id, len(entries))


class _Overlap(Exception):
    """Another import stored one of these lines meanwhile."""
