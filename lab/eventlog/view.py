"""One consistent view of a stream: the files that exist and the rows still in the journal.

The trap it avoids: a row seen twice or not at all while a flush moves it from journal to file. Both parts are
read in one transaction, and nothing ever globs a folder.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lab.eventlog.segments import Segment
from lab.eventlog.stream import Stream


class DayFiles(NamedTuple):
    """One business day's rows: files, and the journal's part (None when it has none). Equal version, equal rows.

    `hashes` are the files' SHA-256 as written, in their order; empty when nobody knows them.
    """

    day: date
    files: tuple[Path, ...]
    journal: pa.Table | None
    version: str
    hashes: tuple[str, ...] = ()
    sealed: bool = False


class View:
    """What a reader sees. `version` changes whenever rows come or go; `damaged` are the files set aside."""

    def __init__(
        self,
        stream: Stream,
        folder: Path,
        segments: tuple[Segment, ...],
        journal: pa.Table,
        version: str,
        first: date | None = None,
        last: date | None = None,
    ) -> None:
        self.stream = stream
        self.folder = folder
        self.version = version
        mine = [one for one in segments if _within(one.day, first, last)]
        self.segments = tuple(one for one in mine if one.damage is None)
        self.damaged = tuple(one for one in mine if one.damage is not None)
        self._journal = journal
        self._first, self._last = first, last

    @cached_property
    def days(self) -> tuple[DayFiles, ...]:
        """The days that hold rows, oldest first."""
        files: dict[date, list[Segment]] = {}
        for one in (*self.segments, *self.damaged):
            files.setdefault(one.day, []).append(one)
        waiting = self._waiting
        return tuple(
            self._of_day(day, files.get(day, []), waiting.get(day)) for day in sorted(files.keys() | waiting.keys())
        )

    def _of_day(self, day: date, files: list[Segment], waiting: pa.Table | None) -> DayFiles:
        settled = _filed(self.folder, day, tuple(files))
        if waiting is None:
            return settled
        whole = [one for one in files if one.damage is None]
        return settled._replace(journal=waiting, version=_fingerprint(whole, waiting))

    @cached_property
    def rows(self) -> int:
        """Stored rows in the view, from the catalog and the journal alone."""
        waiting: int = sum(table.num_rows for table in self._waiting.values())
        return sum(one.rows for one in self.segments) + waiting

    @cached_property
    def _waiting(self) -> dict[date, pa.Table]:
        table = self._journal
        if not table.num_rows:
            return {}
        days = pc.unique(table["day"]).to_pylist()
        return {
            day: table if len(days) == 1 else table.filter(pc.equal(table["day"], pa.scalar(day, pa.date32())))
            for day in days
            if _within(day, self._first, self._last)
        }


@lru_cache(maxsize=4096)
def _filed(folder: Path, day: date, files: tuple[Segment, ...]) -> DayFiles:
    """A sealed day whose file is set aside still has its kept figures, so it stays, without a file."""
    whole = [one for one in files if one.damage is None]
    return DayFiles(
        day,
        tuple(folder / one.file for one in whole),
        None,
        _fingerprint(whole, None),
        tuple(one.sha256 for one in whole),
        any(one.seal is not None for one in files),
    )


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def _fingerprint(segments: list[Segment], journal: pa.Table | None) -> str:
    """Segment ids and the journal's seq range name the rows exactly: neither is ever reused."""
    text = ",".join(one.id for one in segments)
    if journal is not None:
        span = pc.min_max(journal["seq"])
        text += f"|{span['min'].as_py()}-{span['max'].as_py()}:{journal.num_rows}"
    return blake2b(text.encode(), digest_size=12).hexdigest()
