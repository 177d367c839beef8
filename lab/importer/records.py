"""Tables as text: NDJSON and CSV, record by record, each with the bytes it was made of.

The trap it avoids: a quote that is never closed and swallows the rest of a file. A record that grows too long
or has another number of cells than the header loses its first line only; reading goes on at the next.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lab.importer.files import LINE_BYTES, read_chunks

DELIMITERS = (",", ";", "\t")


class Record(NamedTuple):
    """A row as bytes, and its values by the file's own names; None where it cannot be read."""

    raw: bytes
    values: dict[str, Any] | None


class Records(NamedTuple):
    """What one chunk of a file gave. `header` is what a row needs before it to be read again."""

    rows: list[Record]
    done_bytes: int
    header: bytes = b""


class TableFile(Protocol):
    """A file of rows with named columns."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def read(self) -> Iterator[Records]: ...


class NdjsonFile:
    """One object a line. `columns` are those that its first rows have; later ones are read all the same."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._path = path
        rows = [one for one in map(_object, head.splitlines()) if one is not None]
        self.columns = tuple(dict.fromkeys(name for row in rows for name in row))

    def read(self) -> Iterator[Records]:
        """Chunk by chunk."""
        for chunk in read_chunks(self._path):
            lines = (line for line in chunk.lines.splitlines() if line.strip())
            yield Records([Record(line, _object(line)) for line in lines], chunk.done_bytes)


class CsvFile:
    """RFC 4180 with a header, the delimiter found by trying; `columns` are empty when it is no such table."""

    def __init__(self, path: Path, head: bytes) -> None:
        self._path = path
        first = next((line for line in head.splitlines() if line.strip()), b"")
        self._header_line = first
        cells = {mark: _cells(first, mark) or [] for mark in DELIMITERS}
        self._delimiter = max(DELIMITERS, key=lambda mark: len(cells[mark]))
        self.columns = _named(cells[self._delimiter])
        if b"\0" in first or not all(name.isprintable() and len(name) <= 200 for name in self.columns):
            self.columns = ()

    def read(self) -> Iterator[Records]:
        """Chunk by chunk; a record whose quoted line break falls between two chunks comes with the second."""
        waiting: list[bytes] = []
        seen_header, done = False, 0
        for chunk in read_chunks(self._path):
            lines = waiting + chunk.lines.split(b"\n")[:-1]
            if not seen_header:
                start = next((at for at, line in enumerate(lines) if line.strip()), None)
                if start is None:
                    continue
                lines, seen_header = lines[start + 1 :], True
            rows: list[Record] = []
            waiting = self._take(lines, rows, last=False)
            done = chunk.done_bytes
            yield Records(rows, done, self._header_line)
        rows = []
        self._take(waiting, rows, last=True)
        if rows:
            yield Records(rows, done, self._header_line)

    def _take(self, lines: Sequence[bytes], rows: list[Record], *, last: bool) -> list[bytes]:
        """Records of these lines; gives back the lines of one that is not at its end."""
        at = 0
        while at < len(lines):
            end, size, open_quote = at, 0, False
            while end < len(lines):
                size += len(lines[end]) + 1
                open_quote ^= bool(lines[end].count(b'"') & 1)
                end += 1
                if not open_quote or size > LINE_BYTES:
                    break
            if open_quote and size <= LINE_BYTES and not last:
                return list(lines[at:])
            values = None if open_quote else self._values(b"\n".join(lines[at:end]).rstrip(b"\r"))
            if values is None and end - at > 1:
                end = at + 1
            raw = b"\n".join(lines[at:end]).rstrip(b"\r")
            if raw.strip():
                rows.append(Record(raw, values))
            at = end
        return []

    def _values(self, raw: bytes) -> dict[str, Any] | None:
        cells = _cells(raw, self._delimiter)
        if cells is None or len(cells) != len(self.columns):
            return None
        return dict(zip(self.columns, cells, strict=True))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cells(raw: bytes, delimiter: str) -> list[str] | None:
    """A record's cells; text that is not UTF-8 is taken for the one that spreadsheets on Windows write."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    if '"' not in text:
        return text.split(delimiter)
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _named(cells: Iterable[str]) -> tuple[str, ...]:
    """Names of a header, each of its own: a second `Mail` is `Mail_2`."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column_{number}"
        again = 2
        while name in names:
            name, again = f"{cell.strip() or 'column'}_{again}", again + 1
        names.append(name)
    return tuple(names)
