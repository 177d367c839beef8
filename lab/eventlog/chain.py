"""The chain of seals: each link names what was sealed and carries the hash of the link before.

The trap it avoids: a past that can be changed one file at a time. Who owns disk and database can forge the
whole chain; who kept a head elsewhere will notice even that, and a cut tail too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from lab.database import seals

GENESIS = "0" * 64
DAY, REPORT = "day", "report"


class Link(NamedTuple):
    """One seal. `subject` is the segment's or the report's id, `sha256` that of its content."""

    number: int
    kind: str
    stream: str
    day: date
    subject: str
    rows: int
    sha256: str
    sealed_us: int
    previous: str
    hash: str

    def computed(self) -> str:
        """SHA-256 of the link's other fields as JSON with sorted keys."""
        fields = self._asdict()
        del fields["hash"]
        fields["day"] = self.day.isoformat()
        return sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Break(NamedTuple):
    """The first link that does not hold, and why."""

    number: int
    why: str


def add(
    connection: Connection, *, kind: str, stream: str, day: date, subject: str, rows: int, content: str, now_us: int
) -> Link:
    """Append a link inside the caller's write transaction; `content` is the SHA-256 of what is sealed."""
    last = connection.execute(select(seals.c.number, seals.c.hash).order_by(seals.c.number.desc()).limit(1)).first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    link = Link(number, kind, stream, day, subject, rows, content, now_us, previous, "")
    link = link._replace(hash=link.computed())
    connection.execute(insert(seals).values(**link._asdict()))
    return link


def links(connection: Connection) -> list[Link]:
    """Every link in order of sealing."""
    return [Link._make(row) for row in connection.execute(select(seals).order_by(seals.c.number))]


def head(connection: Connection) -> str:
    """The hash of the newest link; 64 zeros before the first."""
    found = connection.scalar(select(seals.c.hash).order_by(seals.c.number.desc()).limit(1))
    return found or GENESIS


def first_break(chain: Iterable[Link]) -> Break | None:
    """The first link that is missing, was changed, or does not follow the one before; None when all hold."""
    number, previous = 1, GENESIS
    for link in chain:
        if link.number != number:
            return Break(number, "the link is missing")
        if link.previous != previous:
            return Break(number, "it does not carry the hash of the link before")
        if link.hash != link.computed():
            return Break(number, "its fields do not give its hash")
        number, previous = number + 1, link.hash
    return None
