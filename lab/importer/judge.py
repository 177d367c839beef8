"""Rows without an outcome, through a gate of the run's own, in order of time.

The trap it avoids: limits that a second run forgot. Rows that an earlier, killed run stored consume the limits
again where they come before the missing ones or after them; between them they do not. A stretch that goes back
in time gets a gate of its own, since a window of limits moves forward only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from lab.attempt import Verdict
from lab.gate import Gate
from lab.gate.screen import page_path
from lab.importer.given import JudgedRow

if TYPE_CHECKING:
    from lab.opening import Lab

REMEMBERED = timedelta(seconds=120)
"""Longer than any limit's window."""


class Judge:
    """Judges a run's rows. `judged` counts them, `stretches` how often their order of time began anew."""

    def __init__(self, lab: Lab, run_id: str, forms: Mapping[str, str]) -> None:
        self._lab, self._run_id = lab, run_id
        self._world = lab.world.with_pages({page_path(page) for page in forms})
        self._gate: Gate | None = None
        self._until: datetime | None = None
        self.judged = self.stretches = 0

    def admit(
        self, batch: Sequence[JudgedRow], fresh: Sequence[JudgedRow], also: Callable[[Connection], None]
    ) -> list[tuple[JudgedRow, Verdict]]:
        """Judge and store the fresh rows of a batch, `also` in the same transaction; each with its verdict."""
        rows = sorted(batch, key=_at)
        gate = self._gate_for(rows[0].when.at)
        wanted = sorted(fresh, key=_at)
        first, last = (wanted[0].when.at, wanted[-1].when.at) if wanted else (rows[-1].when.at, rows[-1].when.at)
        missing = {(row.line_hash, row.occurrence) for row in fresh}
        known = [row for row in rows if (row.line_hash, row.occurrence) not in missing]
        gate.warm([row.arrival for row in known if first - REMEMBERED <= row.when.at <= first])
        judged: list[tuple[JudgedRow, Verdict]] = []
        if wanted:
            try:
                verdicts = gate.admit([row.arrival._replace(run_id=self._run_id) for row in wanted], also=also)
            except BaseException:
                self._gate = None  # it has counted what was not stored
                raise
            judged = list(zip(wanted, verdicts, strict=True))
        end = rows[-1].when.at
        gate.warm([row.arrival for row in known if max(last, end - REMEMBERED) < row.when.at])
        self._until = end
        self.judged += len(judged)
        return judged

    def _gate_for(self, first: datetime) -> Gate:
        if self._gate is None or (self._until is not None and first < self._until):
            self.stretches += self._until is None or first < self._until
            self._gate = self._lab.run_gate(self._run_id, world=self._world)
        return self._gate


def _at(row: JudgedRow) -> datetime:
    return row.when.at
