"""An import's task: files, rules and format, checked before anything is written, then read part by part.

Preview and import read through the same task, so that what was shown is what is stored. The trap it avoids:
a second file that turns out to be wrong when the first is stored. All are checked first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.engine import Connection

from lab.database import closed_days
from lab.errors import BadRequest
from lab.eventlog import SUBMISSIONS, table_of
from lab.importer.columns import Columns, make_columns
from lab.importer.detect import Detected, check_table, detect, format_named
from lab.importer.files import read_whole, size_bytes
from lab.importer.formats import calendar, possible
from lab.importer.given import Given, RecordedRow
from lab.importer.keys import LOOKED_UP_AT_ONCE
from lab.importer.rows import Entry, Hit, Keys, Part, Recorder, read_parts, read_table
from lab.importer.rules import make_rules

if TYPE_CHECKING:
    from lab.opening import Lab

Forms = Mapping[str, str] | Sequence[str]
"""Path to source, or PATH=SOURCE texts."""


class Progress(Protocol):
    """The part of a job's progress that an import uses."""

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        """Tell how far it is; may raise Cancelled."""


class Silent:
    """Progress that nobody watches."""

    job_id: str | None = None

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        """Nothing to tell."""


class Task:
    """Files to read and how. Making one raises UnreadableLog or BadRequest for whatever cannot be done."""

    def __init__(
        self, lab: Lab, files: Sequence[Path | str], forms: Forms, refused: Sequence[str], format: str,
        progress: Progress | None, columns: Columns = (),
    ) -> None:  # fmt: skip
        self.progress = progress or Silent()
        self.rules = make_rules(lab.world, forms, refused)
        self.columns = given = make_columns(columns)
        asked = format_named(format)
        self.files = [Path(file) for file in files]
        if not self.files:
            raise BadRequest("No file is named; name the log to import.")
        self._lab = lab
        self._recorder = Recorder(self.rules, lab.pseudonyms)
        sizes = [size_bytes(file) for file in self.files]
        self.total_bytes = sum(sizes)
        self._starts = [sum(sizes[:index]) for index in range(len(sizes))]
        self._detected: list[Detected] = []
        for file, start in zip(self.files, self._starts, strict=True):
            self._checked(start)
            found = detect(file, asked, given)
            if found.table is None and not self.rules.forms:
                raise BadRequest("No form is named; say which paths are forms, such as --form /contact=WEBSITE_FORM.")
            check_table(found, given, has_forms=bool(self.rules.forms))
            read_whole(file, lambda done, start=start: self._checked(start + done))  # type: ignore[misc]
            self._detected.append(found)
        if given and not any(found.table for found in self._detected):
            raise BadRequest("--map names columns, and an access log has none; leave it out.")

    @property
    def formats(self) -> list[str]:
        """The format of each file."""
        return [found.name for found in self._detected]

    @property
    def has_log(self) -> bool:
        """Whether a file is an access log, most of whose lines are for no form."""
        return any(found.table is None for found in self._detected)

    def parts(self) -> Iterator[tuple[Part, int]]:
        """Every part of every file, with the bytes read so far of all files; a last, empty part ends each file."""
        for found, start in zip(self._detected, self._starts, strict=True):
            done = 0
            for part in self._parts(found):
                done = part.done_bytes
                yield part, start + done
            yield Part((), [], 0, done, last=True), start + done

    def table(self, entries: Sequence[Hit | RecordedRow]) -> pa.Table:
        """Entries of one file as recorded rows of the log."""
        if isinstance(entries[0], Hit):
            return self._recorder.table(cast(Sequence[Hit], entries))
        return table_of(SUBMISSIONS, [row.attempt for row in cast(Sequence[RecordedRow], entries)])

    def _parts(self, found: Detected) -> Iterator[Part]:
        lab, keys, times = self._lab, Keys(self._lab.pseudonyms.line), possible(self._lab.clock())
        if found.table is None or found.layout is None:
            return read_parts(found.path, found.reader(), self.rules, calendar(lab.zone), keys, times)
        return read_table(
            found.table, Given(found.layout, self.rules.forms, lab.world, lab.zone, lab.pseudonyms), keys, times
        )

    def _checked(self, done: int) -> None:
        self.progress.report("checking", done, self.total_bytes)


def sealed_among(connection: Connection, entries: Sequence[Entry]) -> set[int]:
    """Ordinals of the entries' days that take no more rows."""
    days = [date.fromordinal(ordinal) for ordinal in {entry.when.ordinal for entry in entries}]
    closed: set[int] = set()
    for start in range(0, len(days), LOOKED_UP_AT_ONCE):
        asked = closed_days.c.day.in_(days[start : start + LOOKED_UP_AT_ONCE])
        query = select(closed_days.c.day).where(closed_days.c.stream == SUBMISSIONS.name, asked)
        closed.update(day.toordinal() for day in connection.scalars(query))
    return closed
