"""Floods: from the 11th like refusal within a second on, one row with an exact count.

The trap it avoids: a robot that fills the log, and a summary that loses how many there were. Only refusals
that cost nothing to repeat are coalesced; what is held is written at the second's end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lab.attempt import Attempt, Category

WRITTEN_APART = 10
COALESCED = frozenset(
    {
        Category.RATE_LIMIT_EXCEEDED,
        Category.AUTHENTICATION_FAILED,
        Category.MALFORMED_REQUEST,
        Category.PAYLOAD_TOO_LARGE,
    }
)
REPLAY = "replay"


class Likeness(NamedTuple):
    """What makes refusals alike."""

    client: str
    source: str
    what: str
    second: int


class Floods:
    """Counts like refusals a second; call it under the gate's lock."""

    def __init__(self) -> None:
        self._counts: dict[Likeness, int] = {}
        self._held: dict[Likeness, Attempt] = {}

    def count(self, likeness: Likeness) -> bool:
        """Count one; True from the 11th of its second on: hold it instead of writing it."""
        seen = self._counts.get(likeness, 0) + 1
        self._counts[likeness] = seen
        return seen > WRITTEN_APART

    def held(self, likeness: Likeness) -> Attempt | None:
        """The row that already stands for this likeness, if any."""
        return self._held.get(likeness)

    def hold(self, likeness: Likeness, row: Attempt) -> Attempt:
        """Add one to the row held for this likeness, which is `row` when it is the first."""
        known = self._held.get(likeness)
        kept = known._replace(repeat_count=known.repeat_count + 1) if known else row
        self._held[likeness] = kept
        return kept

    def give_back(self, likeness: Likeness) -> None:
        """Take back one that was counted, and held if it was, and then not stored."""
        seen = self._counts.get(likeness, 0)
        if seen <= 1:
            self._counts.pop(likeness, None)
        else:
            self._counts[likeness] = seen - 1
        if seen > WRITTEN_APART and (row := self._held.get(likeness)):
            if row.repeat_count > 1:
                self._held[likeness] = row._replace(repeat_count=row.repeat_count - 1)
            else:
                del self._held[likeness]

    def release(self, before_second: int | None = None) -> dict[Likeness, Attempt]:
        """Rows of the seconds that are over (all of them by default), in order of time; they are forgotten here."""
        over = [one for one in self._counts if before_second is None or one.second < before_second]
        rows = {}
        for one in over:
            del self._counts[one]
            if row := self._held.pop(one, None):
                rows[one] = row
        return dict(sorted(rows.items(), key=lambda item: item[1].received_at))

    def restore(self, released: Mapping[Likeness, Attempt]) -> None:
        """Hold released rows again, since they could not be written."""
        for likeness, row in released.items():
            known = self._held.get(likeness)
            count = row.repeat_count + (known.repeat_count if known else 0)
            self._held[likeness] = row._replace(repeat_count=count)
            self._counts[likeness] = self._counts.get(likeness, WRITTEN_APART) + row.repeat_count
