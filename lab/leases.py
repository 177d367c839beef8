"""Leases: a named right that one process holds until an instant, and that anyone may take after it.

The trap it avoids: a lock whose holder was killed. Nothing has to be released for the next to go on.
"""

from __future__ import annotations

import os
import socket
import uuid

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from lab.database import leases


def new_holder() -> str:
    """A name for this process, readable in the database and unique even after a process id comes round again."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def take(connection: Connection, name: str, holder: str, now_us: int, span_us: int) -> bool:
    """Take or renew the lease inside a write transaction; False while somebody else holds it."""
    expires = now_us + span_us
    renewed = connection.execute(
        update(leases)
        .where(leases.c.name == name, or_(leases.c.holder == holder, leases.c.expires_us < now_us))
        .values(holder=holder, expires_us=expires)
    )
    if renewed.rowcount:
        return True
    if connection.execute(select(leases.c.name).where(leases.c.name == name)).first():
        return False
    connection.execute(insert(leases).values(name=name, holder=holder, expires_us=expires))
    return True


def give_back(connection: Connection, name: str, holder: str) -> None:
    """Release the lease early, if it is still this holder's."""
    connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
