"""Counts of an import, by business day and outcome.

The trap it avoids: rows taken for attempts. A row may stand for many (a flood) or for none (a replay).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from lab.importer.given import RecordedRow
from lab.importer.rows import Hit


class Counts:
    """Attempts by business day and outcome; rows and replays beside them."""

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[int, bool]] = Counter()
        self.rows = self.replays = 0

    def add(self, entries: Iterable[Hit | RecordedRow]) -> None:
        """Count rows that carry their own outcome."""
        alike = Counter((entry.when.ordinal, entry.success, entry.attempts) for entry in entries)
        for (ordinal, success, attempts), rows in alike.items():
            self.count(ordinal, success, attempts, rows)

    def count(self, ordinal: int, success: bool, attempts: int = 1, rows: int = 1) -> None:
        """Count rows that each stand for so many attempts; for none, they are replays."""
        self.rows += rows
        if attempts:
            self._outcomes[ordinal, success] += attempts * rows
        else:
            self.replays += rows

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


def previewed_days(counts: Counts, judged: Mapping[int, int], already: Mapping[int, int]) -> list[dict[str, Any]]:
    """The days of a preview: recorded attempts by outcome, rows to be judged, rows that are there."""
    recorded = {row["day"]: row for row in counts.by_day()}
    days = {*recorded, *days_of(judged), *days_of(already)}
    empty = {"attempts": 0, "success": 0, "failed": 0}
    rows = []
    for day in sorted(days):
        ordinal = date.fromisoformat(day).toordinal()
        row = recorded.get(day, {"day": day, **empty})
        rows.append(row | {"judged": judged.get(ordinal, 0), "already": already.get(ordinal, 0)})
    return rows


def days_of(counts: Mapping[int, int]) -> list[str]:
    """Days that have a count, oldest first."""
    return [date.fromordinal(ordinal).isoformat() for ordinal in sorted(counts) if counts[ordinal]]
