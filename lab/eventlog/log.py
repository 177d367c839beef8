"""The event log: append, flush, view. A small, strict catalog over plain Parquet.

`append` and `append_table` return only when the rows are durable. Small batches go to the journal, many
callers in one transaction; large ones become segments at once. A file counts only once its catalog row is
committed, so one that a kill left behind does not exist.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from lab.clock import Clock
from lab.database import Database, closed_days, journal, segments, sequences
from lab.errors import DaySealed, StorageFailed
from lab.eventlog import catalog
from lab.eventlog.catalog import note_change
from lab.eventlog.committer import Committer, Pending, Settle
from lab.eventlog.segments import Segment, cut_by_day, in_order, write_segment
from lab.eventlog.stream import SUBMISSIONS, Row, Stream, encoder, table_from_journal
from lab.eventlog.view import View
from lab.ids import NewId, microseconds, uuid7

BULK_ROWS = 10_000
"""From here on a batch is cheaper as a file of its own than as journal rows."""


class EventLog:
    """The streams of one data folder. Several processes may append to it; readers need no lock.

    `_lock` guards `_seen`: for each stream the catalog and the decoded journal as of the last view.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        clock: Clock,
        streams: Sequence[Stream] = (SUBMISSIONS,),
        new_id: NewId = uuid7,
    ) -> None:
        self.database = database
        self.folder = folder
        self.streams = {stream.name: stream for stream in streams}
        self._clock = clock
        self._new_id = new_id
        self._encoders = {stream.name: encoder(stream) for stream in streams}
        self._committer = Committer(self._commit)
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, tuple[Segment, ...], pa.Table, int]] = {}

    def prepare(self) -> None:
        """Make the streams' sequence rows; once, when the lab is opened."""
        with self.database.write() as connection:
            known = set(connection.scalars(select(sequences.c.stream)))
            for name in self.streams.keys() - known:
                connection.execute(insert(sequences).values(stream=name, next=1, version=0, catalog_version=0))

    def append(
        self,
        stream: str,
        items: Sequence[Any],
        settle: Settle | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> Sequence[Row]:
        """Append rows (or items that `settle` turns into rows inside the transaction) and return them, durable.

        Raises QueueFull when too many callers wait and StorageFailed when the disk refuses; nothing is kept then.
        """
        done: Future[Sequence[Row]] = Future()
        self._committer.put(Pending(self.streams[stream], items, settle, also, done))
        return done.result()

    def append_table(
        self,
        stream: str,
        table: pa.Table,
        *,
        run_id: str | None = None,
        within: Callable[[Connection], None] | None = None,
    ) -> int:
        """Append an Arrow table in the stream's schema as segments, one or more a day; returns the first seq.

        `seq` is filled here, in order of time. `within` runs inside the transaction that makes the rows exist;
        what it raises undoes the append. Raises StorageFailed when the disk refuses.
        """
        declared = self.streams[stream]
        if not table.num_rows:
            if within is not None:
                with self.database.write() as connection:
                    within(connection)
            return 0
        with self.database.write() as connection:
            first = self._reserve(connection, stream, table.num_rows)
        table = in_order(declared, table, first)
        with self.new_files(declared) as write:
            written = [write(day, rows, run_id) for day, rows in cut_by_day(declared, table)]
            with self._writing() as connection:
                self._refuse_closed(connection, stream, {one.day for one in written})
                if within is not None:
                    within(connection)
                connection.execute(insert(segments), [one._asdict() for one in written])
                note_change(connection, stream, rows=True, files=True)
        return first

    def flush(self, stream: str) -> int:
        """Turn the journal's rows into segments; returns how many. Call it under the housekeeping lease.

        If the transaction finds fewer journal rows than were written, somebody else flushed them: it is undone.
        """
        declared = self.streams[stream]
        with self.database.read() as connection:
            rows = connection.execute(
                select(journal.c.seq, journal.c.body).where(journal.c.stream == stream).order_by(journal.c.seq)
            ).all()
        if not rows:
            return 0
        table = table_from_journal(declared, [row.seq for row in rows], (row.body for row in rows))
        table = table.sort_by([(declared.time, "ascending"), ("seq", "ascending")])
        flushed = (journal.c.stream == stream) & journal.c.seq.between(rows[0].seq, rows[-1].seq)
        with self.new_files(declared) as write:
            written = [write(day, part, None) for day, part in cut_by_day(declared, table)]
            with self._writing() as connection:
                if connection.execute(delete(journal).where(flushed)).rowcount != len(rows):
                    raise StorageFailed("Another process flushed the journal at the same time; nothing was changed.")
                connection.execute(insert(segments), [one._asdict() for one in written])
                note_change(connection, stream, rows=False, files=True)
        return len(rows)

    def withdraw(self, connection: Connection, stream: str, run_id: str) -> tuple[int, list[date]]:
        """Take a run's segments out of the catalog, inside the caller's transaction; returns rows and days.

        BadRequest when one of its days is sealed.
        """
        return catalog.withdraw(connection, stream, run_id, microseconds(self._clock()))

    def set_aside(self, file: Path, why: str) -> bool:
        """Leave a damaged or missing file out of every view from now on; False when no view has it anyway."""
        return catalog.set_aside(self.database, self.folder, file, why)

    def view(self, stream: str = SUBMISSIONS.name, first: date | None = None, last: date | None = None) -> View:
        """One consistent read of the days `first` to `last`, both included."""
        declared = self.streams[stream]
        with self._lock:
            seen = self._seen.get(stream)
            with self.database.read() as connection:
                state = connection.execute(select(sequences).where(sequences.c.stream == stream)).one()
                if seen is None or seen[0] != state.catalog_version:
                    rows = connection.execute(
                        select(segments).where(segments.c.stream == stream).order_by(segments.c.day, segments.c.min_us)
                    )
                    files = tuple(Segment._make(row) for row in rows)
                    known, decoded = 0, declared.schema.empty_table()
                else:
                    _, files, decoded, known = seen
                if state.next - 1 > known:
                    fresh = connection.execute(
                        select(journal.c.seq, journal.c.body)
                        .where(journal.c.stream == stream, journal.c.seq > known)
                        .order_by(journal.c.seq)
                    ).all()
                    if fresh:
                        added = table_from_journal(declared, [row.seq for row in fresh], (row.body for row in fresh))
                        decoded = pa.concat_tables([decoded, added])
                        if decoded["seq"].num_chunks > 32:
                            decoded = decoded.combine_chunks()
                        known = fresh[-1].seq
            self._seen[stream] = (state.catalog_version, files, decoded, known)
        return View(declared, self.folder, files, decoded, f"{stream}-{state.version}", first, last)

    def version(self, stream: str = SUBMISSIONS.name) -> str:
        """A token that changes whenever rows come or go; one small read."""
        with self.database.read() as connection:
            return self.version_in(connection, stream)

    def version_in(self, connection: Connection, stream: str) -> str:
        """The same token, as the caller's transaction sees it."""
        value = connection.scalar(select(sequences.c.version).where(sequences.c.stream == stream))
        return f"{stream}-{value}"

    def close(self) -> None:
        """Write what waits and stop the committer. Idempotent."""
        self._committer.close()

    def _commit(self, batch: list[Pending]) -> list[Sequence[Row]]:
        """Write a drain's parts in one transaction; each part's rows, settled and numbered, in order."""
        with self.database.write() as connection:
            settled: list[Sequence[Row]] = [one.items for one in batch]
            for settle in dict.fromkeys(one.settle for one in batch if one.settle is not None):
                theirs = [index for index, one in enumerate(batch) if one.settle is settle]
                for index, rows in zip(
                    theirs, settle(connection, [batch[index].items for index in theirs]), strict=True
                ):
                    settled[index] = rows
            now = microseconds(self._clock())
            for name in dict.fromkeys(one.stream.name for one in batch):
                theirs = [index for index, one in enumerate(batch) if one.stream.name == name]
                self._to_journal(connection, self.streams[name], theirs, settled, now)
            for one in batch:
                if one.also is not None:
                    one.also(connection)
        return settled

    def _to_journal(
        self, connection: Connection, stream: Stream, parts: list[int], settled: list[Sequence[Row]], now_us: int
    ) -> None:
        total = sum(len(settled[index]) for index in parts)
        if not total:
            return
        seq = self._reserve(connection, stream.name, total)
        at, day = stream.position("seq"), stream.position("day")
        encode = self._encoders[stream.name]
        self._refuse_closed(connection, stream.name, {row[day] for index in parts for row in settled[index]})
        bodies = []
        for index in parts:
            numbered = []
            for row in settled[index]:
                numbered.append((*row[:at], seq, *row[at + 1 :]))
                bodies.append(
                    {"stream": stream.name, "seq": seq, "day": row[day], "appended_us": now_us, "body": encode(row)}
                )
                seq += 1
            settled[index] = numbered
        connection.execute(insert(journal), bodies)
        note_change(connection, stream.name, rows=True, files=False)

    def _reserve(self, connection: Connection, stream: str, count: int) -> int:
        connection.execute(
            update(sequences).where(sequences.c.stream == stream).values(next=sequences.c.next + count)
        )
        after = connection.scalar(select(sequences.c.next).where(sequences.c.stream == stream))
        assert after is not None  # noqa: S101 - prepare() made the row
        return int(after) - count

    def _refuse_closed(self, connection: Connection, stream: str, days: set[date]) -> None:
        mine = (closed_days.c.stream == stream) & closed_days.c.day.in_(days)
        if day := connection.scalar(select(closed_days.c.day).where(mine).order_by(closed_days.c.day).limit(1)):
            raise DaySealed(day)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self.database.write() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageFailed(
                f"The database refused the write ({getattr(error, 'orig', None) or error}); nothing was changed. "
                "Free space or check the disk, then try again."
            ) from error

    @contextlib.contextmanager
    def new_files(self, stream: Stream) -> Iterator[Callable[[date, pa.Table, str | None], Segment]]:
        """Gives a function that writes a day's rows as a durable file; unlinked when the block fails."""
        now, written = self._clock(), list[Segment]()

        def write(day: date, rows: pa.Table, run_id: str | None) -> Segment:
            written.append(
                write_segment(self.folder, stream, day, rows, self._new_id(now), run_id, microseconds(now))
            )
            return written[-1]

        try:
            yield write
        except BaseException:
            self._unlink_unknown(written)
            raise

    def _unlink_unknown(self, written: list[Segment]) -> None:
        """Unlink files that the catalog does not name; an interrupt may have come just after the commit."""
        with contextlib.suppress(SQLAlchemyError, OSError):
            with self.database.read() as connection:
                named = set(
                    connection.scalars(select(segments.c.id).where(segments.c.id.in_([one.id for one in written])))
                )
            for one in written:
                if one.id not in named:
                    (self.folder / one.file).unlink(missing_ok=True)
