"""What an import says of itself, in one paragraph: what came, what was there, what was left aside and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lab.importer.counts import Counts

_DAYS_NAMED = 5


class Asides(NamedTuple):
    """What was not stored. `others` is None where every line is a row; `stretches` count the rows' changes of order.

    `kept` of the broken lines are in the file `leftovers`.
    """

    others: int | None
    broken: int
    leftovers: str | None = None
    sealed: Sequence[str] = ()
    left_out: int = 0
    stretches: int = 0
    kept: int = 0

    def __str__(self) -> str:
        parts = [] if self.others is None else [f"{many(self.others, 'line')} not for a form"]
        if self.broken:
            parts.append(f"{many(self.broken, 'broken line')}{self._where}")
        said = [f"{', '.join(parts)}."] if parts else []
        if self.sealed:
            rows = f"{many(self.left_out, 'row')} of " if self.left_out else ""
            more = len(self.sealed) - _DAYS_NAMED
            days = ", ".join(self.sealed[:_DAYS_NAMED]) + (f" and {more:,} more" if more > 0 else "")
            said.append(f"{rows[:1].upper()}{rows[1:]}{days} left out: sealed days take no more rows.")
        if self.stretches > 1:
            said.append(
                f"The rows are not in order of time, so limits and duplicates hold within {self.stretches:,} stretches "
                "of the file only; sort it by time to have them judged across all of it."
            )
        return " ".join(said)

    @property
    def _where(self) -> str:
        if not self.leftovers:
            return ""
        return f"{'' if self.kept == self.broken else f', the first {self.kept:,}'} kept in {self.leftovers}"


def would_add(counts: Counts, judged: int, already: int, fresh: int, asides: Asides) -> str:
    """A preview's sentence."""
    if judged:
        recorded = f"{many(counts.rows, 'recorded row')} and " if counts.rows else ""
        told = f"{recorded}{many(judged, 'row')} to be judged: {fresh:,} would be added"
    else:
        told = f"{many(fresh, 'attempt')} would be added"
    return _joined(f"{told}, {already:,} are already there.", str(asides), "Nothing was written.")


def added(counts: Counts, already: int, asides: Asides) -> str:
    """A run's sentence."""
    if counts.rows:
        replays = f" and {many(counts.replays, 'replay')}" if counts.replays else ""
        told = (
            f"Added {many(counts.attempts, 'attempt')} on {many(len(counts.by_day()), 'day')} "
            f"({counts.success:,} accepted, {counts.attempts - counts.success:,} refused){replays}; "
            f"{already:,} were already there."
        )
    elif already:
        told = f"Nothing was added: {many(already, 'attempt')} of these files were already there."
    elif asides.sealed:
        told = "Nothing was added."
    elif asides.others is None:
        told = "Nothing was added: no row could be read."
    else:
        told = "Nothing was added: no line is a POST to one of these paths."
    return _joined(told, str(asides))


def many(count: int, noun: str) -> str:
    """1 line, 2 lines, 1,234 lines."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
