"""Erasure: what a person sent, removed on request and after a time, from the tables and from the file's bytes.

The event log stays as it is; it holds pseudonyms only. The trap it avoids: a row that is deleted and a text that
is still in the database's file. `lab.remains` sees to the bytes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from lab.clock import Clock
from lab.database import Database, idempotency, jobs, leads, payloads
from lab.errors import BadRequest, Cancelled, LabError, StorageFailed
from lab.gate.settlement import WINDOW_S
from lab.ids import microseconds
from lab.jobs import ACTIVE
from lab.metrics.run import run_days
from lab.quantities import many
from lab.remains import empty_write_ahead_log, holds_text, rewrite, traces

if TYPE_CHECKING:
    from lab.jobs import Progress
    from lab.opening import Lab

KIND = "forget"
RETENTION_EVERY = timedelta(hours=1)
EMPTIED = {"content": "{}", "email_hash": "", "payload_hash": ""}
_AT_ONCE, _KEYS_AT_ONCE = 500, 10_000
KEYS_KEPT_US = (WINDOW_S + 3600) * 1_000_000
"""A key's window and an hour, so that nobody's skewed clock comes for one that is gone."""
_ATTEMPTS = """
select repeat_count, idempotency_key
from attempts
where user_id = $user or attempt_id in (select unnest($attempts)) or lead_id in (select unnest($leads))
"""


class Found(NamedTuple):
    """Rows of one person, by id, and rows of others whose text mentions the address."""

    leads: frozenset[str]
    payloads: frozenset[str]
    attempts: frozenset[str]
    mentions: tuple[str, ...]


def normalised(email: str) -> str:
    """An address as the gate compares it; BadRequest when it is none."""
    address = email.strip().lower()
    if "@" not in address or len(address) > 254:
        raise BadRequest("That is no e-mail address; give the one the person used, such as ann@example.org.")
    return address


def forget(lab: Lab, email: str, progress: Progress | None = None) -> dict[str, Any]:
    """Erase what the person with this address sent, and tell what was erased and what stays.

    The answer does not repeat the address. Raises BadRequest for what is no address, StorageFailed when the
    database refuses; running it again takes up what is left.
    """
    address = normalised(email)

    def tell(stage: str) -> None:
        if progress is not None:
            progress.report(stage)

    tell("looking for the person")
    hashed, user = lab.pseudonyms.email(address), lab.pseudonyms.user(address)
    try:
        with lab.database.read() as connection:
            seen = _find(connection, hashed, address)
        attempts, keys = _in_log(lab, user, seen)
        tell("erasing")
        with lab.database.write() as connection:
            if lab.database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            found = _find(connection, hashed, address)
            keys_erased = _erase(connection, found, keys)
        with suppress(Cancelled):  # from here on only the rest makes sense
            tell("rewriting the database")
        left = []
        if lab.database.is_sqlite and (found.leads or found.payloads or keys_erased or traces(lab.database, address)):
            rewrite(lab.database)
            left = traces(lab.database, address)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__
        raise StorageFailed(
            f"The erasure was not finished ({cause}); free space or check the disk, then run it again."
        ) from None  # the cause may carry the address
    told = {
        "leads": len(found.leads),
        "payloads": len(found.payloads),
        "idempotency_keys": keys_erased,
        "attempts_left": attempts,
        "mentions": list(found.mentions),
        "kept_lines": _kept_lines(lab.settings.data_dir, address),
        "traces": left,
        "backups": _backups(lab),
    }
    return {**told, "sentence": sentence(told)}


def sentence(told: dict[str, Any]) -> str:
    """What was erased, and what stays, for people."""
    erased = told["leads"] or told["payloads"] or told["idempotency_keys"]
    if erased:
        kept = f"{many(told['payloads'], 'kept payload')} and {many(told['idempotency_keys'], 'idempotency key')}"
        who = "of this person, who may submit again"
        said = [f"Erased the content and hashes of {many(told['leads'], 'lead')}, {kept} {who}."]
    else:
        said = ["Nothing of this person was found in leads, payloads and idempotency keys; nothing was erased."]
    if attempts := told["attempts_left"]:
        stay = "attempt stays" if attempts == 1 else "attempts stay"
        said.append(f"{attempts:,} {stay} in the log under a keyed hash, without name or words.")
    elif attempts is None:
        said.append("The log could not be read through; its attempts hold a keyed hash only.")
    if erased:
        known = f", such as {', '.join(told['backups'])}" if told["backups"] else ""
        said.append(f"Backups made earlier still hold it{known}; delete or replace them.")
    if told["mentions"]:
        said.append(
            f"{many(len(told['mentions']), 'row')} of other people mention the address and were left: "
            f"{', '.join(told['mentions'][:3])}."
        )
    if told["kept_lines"]:
        said.append(f"Broken lines of imports hold it too; edit or delete {', '.join(told['kept_lines'])}.")
    if told["traces"] and not told["mentions"]:
        said.append(f"Old bytes are still in {', '.join(told['traces'])}, held by a reader; run it again shortly.")
    return " ".join(said)


def retention(database: Database, clock: Clock, keep_days: int) -> Callable[[], None]:
    """A duty for housekeeping: at most hourly, erase payloads older than so many days (0 keeps none) and old keys."""
    last: datetime | None = None

    def duty() -> None:
        nonlocal last
        now = clock()
        if last is not None and timedelta() <= now - last < RETENTION_EVERY:
            return
        erase_payloads(database, microseconds(now - timedelta(days=keep_days)))
        drop_old_keys(database, microseconds(now))
        last = now

    return duty


def erase_payloads(database: Database, before_us: int) -> int:
    """Erase payloads received up to that instant, some at a time so that nobody waits long; returns how many."""
    old, total = payloads.c.received_us <= before_us, 0
    with database.read() as connection:
        if connection.execute(select(payloads.c.attempt_id).where(old).limit(1)).first() is None:
            return 0
    while True:
        with database.write() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            some = connection.scalars(select(payloads.c.attempt_id).where(old).limit(_AT_ONCE)).all()
            connection.execute(delete(payloads).where(payloads.c.attempt_id.in_(some)))
        total += len(some)
        if len(some) < _AT_ONCE:
            break
    if database.is_sqlite:
        empty_write_ahead_log(database, tries=1)
    return total


def drop_old_keys(database: Database, now_us: int) -> int:
    """Drop idempotency keys that no arrival of now can repeat any more; returns how many.

    A run judges by its rows' own times, which may be long ago: while a job is at work all keys stay.
    """
    old = idempotency.c.received_us < now_us - KEYS_KEPT_US
    busy = jobs.c.state.in_(ACTIVE) & (jobs.c.lease_us >= now_us)
    some = select(idempotency.c.key_hash).where(old).limit(_KEYS_AT_ONCE)
    total = 0
    while True:
        with database.read() as connection:
            if connection.execute(some.limit(1)).first() is None:
                return total
        with database.write() as connection:
            if connection.execute(select(jobs.c.id).where(busy).limit(1)).first() is not None:
                return total
            total += connection.execute(delete(idempotency).where(idempotency.c.key_hash.in_(some))).rowcount


def _find(connection: Connection, hashed: str, address: str) -> Found:
    """By keyed hash, and by content, which finds a person also where the key is another one than it was."""
    mine: dict[str, set[str]] = {"leads": set(), "payloads": set()}
    attempts, mentions = set[str](), list[str]()
    for table, key in ((leads, leads.c.lead_id), (payloads, payloads.c.attempt_id)):
        holds = func.lower(table.c.content).contains(address, autoescape=True)
        asked = select(key.label("id"), table.c.attempt_id, table.c.email_hash, table.c.content)
        for row in connection.execute(asked.where(or_(table.c.email_hash == hashed, holds))):
            if row.email_hash == hashed or str(json.loads(row.content).get("email", "")).strip().lower() == address:
                mine[table.name].add(row.id)
                attempts.add(row.attempt_id)
            else:
                mentions.append(f"{table.name.removesuffix('s')} {row.id}")
    return Found(frozenset(mine["leads"]), frozenset(mine["payloads"]), frozenset(attempts), tuple(mentions))


def _in_log(lab: Lab, user: str, found: Found) -> tuple[int | None, frozenset[str]]:
    """The person's attempts in the log, and the idempotency keys (hashed) they came with."""
    params = {"user": user, "attempts": sorted(found.attempts), "leads": sorted(found.leads)}
    try:
        rows = run_days(lab.log.view().days, _ATTEMPTS, params=params)
    except LabError:
        return None, frozenset()
    return int(rows["repeat_count"].sum()), frozenset(rows["idempotency_key"].drop_nulls())


def _erase(connection: Connection, found: Found, keys: frozenset[str]) -> int:
    """Erase the rows' content; returns how many idempotency keys went with them."""
    hashes = set[str]()
    for part in _parts(found.leads):
        mine = leads.c.lead_id.in_(part)
        hashes.update(connection.scalars(select(leads.c.payload_hash).where(mine)))
        connection.execute(update(leads).where(mine).values(EMPTIED))
    for part in _parts(found.payloads):
        connection.execute(delete(payloads).where(payloads.c.attempt_id.in_(part)))
    erased = 0
    for column, values in ((idempotency.c.key_hash, keys), (idempotency.c.payload_hash, hashes - {""})):
        for part in _parts(values):
            erased += connection.execute(delete(idempotency).where(column.in_(part))).rowcount
    return erased


def _kept_lines(data_dir: Path, address: str) -> list[str]:
    files = sorted((data_dir / "leftovers").glob("*.txt"))
    return [str(path) for path in files if holds_text(path, address) or holds_text(path, address.replace("@", "%40"))]


def _backups(lab: Lab) -> list[str]:
    """Where backups were written, as far as the jobs still tell, and that are still there."""
    told = (str((job.result or {}).get("folder", "")) for job in lab.jobs.recent("backup", limit=50))
    return sorted({folder for folder in told if folder and os.path.isdir(folder)})


def _parts(values: frozenset[str] | set[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
