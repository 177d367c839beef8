"""W3C extended logs, as IIS writes them: the #Fields line names the columns, times are in UTC.

The trap it avoids: columns that change in the middle. A server that is restarted or set up anew writes another
#Fields line, and what follows is read by that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from lab.importer.formats import Found

MARK = re.compile(rb"#(?:Fields|Version|Software|Date):", re.IGNORECASE)
TITLE = "W3C extended format"
_DATE = re.compile(rb"\d{4}-\d\d-\d\d")
_TIME = re.compile(rb"\d\d:\d\d:\d\d(?:\.\d{1,6})?")
_STATUS = re.compile(rb"[1-5]\d\d")
_AUTHORITY = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*+://[^/?#]*+")
_HOSTS = (b"c-ip", b"cs-ip", b"x-forwarded-for")
_NEEDED = (b"time", b"cs-method", b"sc-status")

Column = Callable[[list[bytes]], bytes | None]


class W3CReader:
    """One file's lines, by the #Fields line above them."""

    def __init__(self) -> None:
        self.header = b""
        self._date = b""
        self._count = 0
        self._columns: dict[bytes, int] = {}

    def read(self, lines: bytes) -> Iterable[Found]:
        """Each line that is no directive, taken apart."""
        for line in lines.splitlines():
            if line.startswith(b"#"):
                self._direct(line)
            elif line.strip():
                yield from self._parts(line)

    @property
    def understood(self) -> bool:
        """Whether a #Fields line was met that tells what is needed."""
        has_path = b"cs-uri-stem" in self._columns or b"cs-uri" in self._columns
        has_day = b"date" in self._columns or bool(self._date)
        return has_path and has_day and all(name in self._columns for name in _NEEDED)

    def _direct(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name.lower() == b"#fields":
            fields = value.split()
            self.header, self._count = line, len(fields)
            self._columns = {field.lower(): index for index, field in enumerate(fields)}
        elif name.lower() == b"#date" and (found := _DATE.search(value)):
            self._date = found[0]

    def _parts(self, line: bytes) -> Iterator[tuple[bytes | None, ...]]:
        cells = line.split(b"\t") if b"\t" in line else line.split(b" ")
        if len(cells) != self._count or not self.understood:
            yield (line, None, None, None, None, None, None, None, line)
            return
        columns = self._columns

        def cell(name: bytes) -> bytes | None:
            index = columns.get(name)
            value = b"-" if index is None else cells[index]
            return None if value in (b"-", b"") else value

        day = cell(b"date")
        if day is None:  # such a line is dated by the directive above it, and would equal another day's
            day, line = self._date, self._date + b" " + line
        clock, status = cell(b"time") or b"", cell(b"sc-status") or b""
        if not _DATE.fullmatch(day) or not _TIME.fullmatch(clock) or not _STATUS.fullmatch(status):
            yield (line, None, None, None, None, None, None, None, line)
            return
        if cell(b"cs-method") != b"POST":
            yield (line, None, None, None, None, None, None, None, None)
            return
        stem, _, query = (cell(b"cs-uri-stem") or cell(b"cs-uri") or b"").partition(b"?")
        query = cell(b"cs-uri-query") or query
        host = next((found for name in _HOSTS if (found := cell(name))), b"-")
        agent = cell(b"cs(user-agent)")
        yield (
            line, host, cell(b"cs-username") or b"-", day + b" " + clock, _AUTHORITY.sub(b"", stem, 1),
            b"?" + query if query else None, status, agent.replace(b"+", b" ") if agent else None, None,
        )  # fmt: skip
