"""Sealing as the lab does it: on request, and by itself for live days once they are over.

By itself only a day on which the live door was open, two hours after its end. Imported and backfilled days stay
open until somebody seals them. The trap it avoids: an automatic seal that shuts out tomorrow's import.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import insert, select

from lab.clock import business_day, day_bounds
from lab.database import closed_days, live_days
from lab.errors import BadRequest, LabError
from lab.eventlog import chain
from lab.eventlog.chain import Link
from lab.eventlog.seal import SEALING, keep_results, seal_day, sealable_days
from lab.eventlog.stream import SUBMISSIONS
from lab.ids import microseconds
from lab.metrics import rollup

if TYPE_CHECKING:
    from lab.opening import Lab

GRACE_S = 2 * 3600
VERIFY_EVERY_S = 24 * 3600
VERIFY = "verify"


class Progress(Protocol):
    """How a run tells how far it is; `report` raises Cancelled when it should stop."""

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None: ...


def seal(lab: Lab, days: Sequence[date] | None, progress: Progress) -> dict[str, Any]:
    """Seal these days, or every day that has ended; returns the links, the head and a sentence."""
    asked = sorted(set(days)) if days is not None else days_to_seal(lab)
    links: list[Link] = []
    for number, day in enumerate(asked):
        progress.report("sealing", number, len(asked), day=day.isoformat())
        links.append(seal_now(lab, day))
    progress.report("sealing", len(asked), len(asked))
    with lab.database.read() as connection:
        head = chain.head(connection)
    said = f"Sealed {_many(len(links), 'day')}" if links else "No day that has ended waits to be sealed"
    return {
        "sealed": [{"day": one.day.isoformat(), "number": one.number, "rows": one.rows} for one in links],
        "head": head,
        "sentence": f"{said}. Head {head}",
    }


def seal_now(lab: Lab, day: date) -> Link:
    """Seal one day; live traffic will never be given a time before its end."""
    link = seal_day(lab.log, day, clock=lab.clock, zone=lab.zone, rollup=rollup.results)
    lab.gate.not_before(day_bounds(day, lab.zone)[1])
    return link


def days_to_seal(lab: Lab) -> list[date]:
    """Days that hold attempts, have ended and are not sealed, oldest first."""
    with lab.database.read() as connection:
        return sealable_days(connection, lab.clock, lab.zone)


def rebuild(lab: Lab, progress: Progress) -> dict[str, Any]:
    """Compute the kept figures of every sealed day again, after a new lab changed its measures."""
    days = [day for day in lab.log.view().days if day.sealed]
    for number, day in enumerate(days):
        progress.report("computing", number, len(days), day=day.day.isoformat())
        results = list(rollup.results(day))
        with lab.database.write() as connection:
            keep_results(connection, SUBMISSIONS.name, day.day, results)
    progress.report("computing", len(days), len(days))
    return {"days": len(days), "sentence": f"Computed the kept figures of {_many(len(days), 'sealed day')} again."}


def last_sealed_end(lab: Lab) -> None:
    """Keep live receipt times after the last sealed live day, whatever the clock says."""
    with lab.database.read() as connection:
        query = select(closed_days.c.day).where(closed_days.c.day.in_(select(live_days.c.day)))
        last = connection.scalar(query.order_by(closed_days.c.day.desc()).limit(1))
    if last is not None:
        lab.gate.not_before(day_bounds(last, lab.zone)[1])


class Caretaker:
    """Housekeeping's sealing duty: note that the door is open today, take up killed seals, seal what is due."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._noted: date | None = None
        self._looked_us = 0

    def __call__(self) -> None:
        lab = self._lab
        now_us = microseconds(lab.clock())
        self._note(business_day(lab.clock(), lab.zone))
        if 0 <= now_us - self._looked_us < 60_000_000:
            return
        self._looked_us = now_us
        with lab.database.read() as connection:
            begun = select(closed_days.c.day).where(closed_days.c.state == SEALING)
            due = set(connection.scalars(begun))
            due |= set(sealable_days(connection, lab.clock, lab.zone, live_before_us=now_us - GRACE_S * 1_000_000))
        for day in sorted(due):
            try:
                seal_now(lab, day)
            except BadRequest:
                continue
            except LabError:
                return  # another process keeps house, or a file is damaged: the next look tries again

    def _note(self, today: date) -> None:
        if today == self._noted:
            return
        with self._lab.database.write() as connection:
            if connection.execute(select(live_days.c.day).where(live_days.c.day == today)).first() is None:
                connection.execute(insert(live_days).values(day=today))
        self._noted = today


class NightWatch:
    """Housekeeping's other duty: verify everything once a day, as a job that the System page shows."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._looked_us = 0

    def __call__(self) -> None:
        lab = self._lab
        now_us = microseconds(lab.clock())
        if 0 <= now_us - self._looked_us < 600_000_000:
            return
        self._looked_us = now_us
        last = lab.jobs.recent(VERIFY, 1)
        if last and now_us - microseconds(last[0].created_at) < VERIFY_EVERY_S * 1_000_000:
            return
        if lab.log.view().segments:
            start_verify(lab)


def start_verify(lab: Lab) -> str:
    """Verify in the background; the job under way when there is one. The result is a Verified's summary."""
    return lab.jobs.start(VERIFY, {}, lambda progress: verify_here(lab, progress), key=VERIFY)


def verify_here(lab: Lab, progress: Progress, head: str | None = None) -> dict[str, Any]:
    """Verify now; returns the summary."""
    from lab.verify import verify

    found = verify(lab.log, lab.database, head=head, tell=lambda done, of: progress.report("verifying", done, of))
    if found.file is not None:
        lab.log.set_aside(lab.log.folder / found.file, found.mismatch or "")
    return found.summary()


def states(lab: Lab) -> dict[date, str]:
    """"sealing" or "sealed" for each closed day."""
    with lab.database.read() as connection:
        return {row.day: row.state for row in connection.execute(select(closed_days.c.day, closed_days.c.state))}


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
