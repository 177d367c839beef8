"""An import's task: files, rules and format, checked before anything is written, then read part by part.

Preview and import read through the same task, so that what was shown is what is stored. The trap it avoids:
two files of one run that overlap. A key is new once, whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from lab.attempt import Outcome
from lab.database import imported_lines
from lab.errors import BadRequest
from lab.importer.files import check, size_bytes
from lab.importer.formats import calendar, format_named
from lab.importer.rows import Hit, Part, read_parts
from lab.importer.rules import make_rules

if TYPE_CHECKING:
    from lab.opening import Lab

Key = tuple[bytes, int]
Forms = Mapping[str, str] | Sequence[str]
"""Path to source, or PATH=SOURCE texts."""

LOOKED_UP_AT_ONCE = 900
_KNOWN = select(imported_lines.c.line_hash, imported_lines.c.occurrence).where(
    imported_lines.c.line_hash.in_(bindparam("hashes", expanding=True))
)


class Progress(Protocol):
    """The part of a job's progress that an import uses."""

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        """Tell how far it is; may raise Cancelled."""


class Silent:
    """Progress that nobody watches."""

    job_id: str | None = None

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        """Nothing to tell."""


class Counts:
    """Hits by business day and outcome."""

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[int, bool]] = Counter()

    def add(self, hits: Sequence[Hit]) -> None:
        """Count these too."""
        self._outcomes.update((hit.when.ordinal, hit.judgement.outcome == Outcome.SUCCESS) for hit in hits)

    @property
    def attempts(self) -> int:
        return self._outcomes.total()

    @property
    def success(self) -> int:
        return sum(count for (_, success), count in self._outcomes.items() if success)

    def by_day(self) -> list[dict[str, Any]]:
        """Rows {day, attempts, success, failed}, oldest first."""
        rows = []
        for ordinal in sorted({ordinal for ordinal, _ in self._outcomes}):
            success, failed = self._outcomes[ordinal, True], self._outcomes[ordinal, False]
            day = date.fromordinal(ordinal).isoformat()
            rows.append({"day": day, "attempts": success + failed, "success": success, "failed": failed})
        return rows


class Task:
    """Files to read and how. Making one raises UnreadableLog or BadRequest for whatever cannot be done."""

    def __init__(
        self, lab: Lab, files: Sequence[Path | str], forms: Forms, refused: Sequence[str], format: str,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.progress = progress or Silent()
        self.rules = make_rules(lab.world, forms, refused)
        self.format = format_named(format)
        self.files = [Path(file) for file in files]
        if not self.files:
            raise BadRequest("No file is named; name the log to import.")
        self._lab = lab
        sizes = [size_bytes(file) for file in self.files]
        self.total_bytes = sum(sizes)
        self._starts = [sum(sizes[:index]) for index in range(len(sizes))]
        for file, start in zip(self.files, self._starts, strict=True):
            self._checked(start)
            check(file, self.format, lambda done, start=start: self._checked(start + done))  # type: ignore[misc]

    def parts(self) -> Iterator[tuple[Part, int]]:
        """Every part of every file, with the bytes read so far of all files."""
        when = calendar(self._lab.zone)
        for file, start in zip(self.files, self._starts, strict=True):
            for part in read_parts(file, self.format, self.rules, when, self._lab.pseudonyms.line):
                yield part, start + part.done_bytes

    def _checked(self, done: int) -> None:
        self.progress.report("checking", done, self.total_bytes)


def known_keys(connection: Connection, hits: Sequence[Hit]) -> set[Key]:
    """Keys of stored lines among those of the hits."""
    hashes = list({hit.line_hash for hit in hits})
    known: set[Key] = set()
    for start in range(0, len(hashes), LOOKED_UP_AT_ONCE):
        rows = connection.execute(_KNOWN, {"hashes": hashes[start : start + LOOKED_UP_AT_ONCE]})
        known.update((row[0], row[1]) for row in rows)
    return known


def fresh_among(hits: Sequence[Hit], known: set[Key]) -> list[Hit]:
    """The hits whose key is not known yet, each key once; their keys become known."""
    fresh = []
    for hit in hits:
        key = (hit.line_hash, hit.occurrence)
        if key not in known:
            known.add(key)
            fresh.append(hit)
    return fresh


def many(count: int, noun: str) -> str:
    """1 line, 2 lines, 1,234 lines."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
