"""Versions of a day's report: each is a row that is written once and read as it was, facts included.

The trap it avoids: two writers that take the same number. A version's number is given inside the transaction
that stores it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection, Row

from lab.database import Database
from lab.database import reports as table
from lab.eventlog import chain
from lab.ids import instant, microseconds
from lab.report.analyst import Draft, Effort, Section, Statement
from lab.report.fact import Facts
from lab.report.grounding import Checks, Dropped

DRAFT, PROVISIONAL, FINAL = "draft", "provisional", "final"
"""draft: the day was open. provisional: it was over, and its rows could still change. final: it was sealed."""


@dataclass(frozen=True)
class Telling:
    """How a report was written. `sentence` says who wrote it and why; `failure` is the class of a model's failure."""

    sentence: str
    failure: str | None = None
    effort: Effort = field(default_factory=Effort)
    checks: Checks = field(default_factory=Checks)
    facts_ms: float = 0.0
    checking_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True)
class Report:
    """One version. `analyst` is "rules" or "ollama", whoever's wording it mainly is."""

    id: str
    day: date
    version: int
    state: str
    analyst: str
    model: str | None
    digest: str | None
    traffic: str
    log_version: str
    facts: Facts
    draft: Draft
    telling: Telling
    created_at: datetime


@dataclass(frozen=True)
class Line:
    """A version as a list shows it, without its facts and words."""

    id: str
    day: date
    version: int
    state: str
    analyst: str
    model: str | None
    traffic: str
    headline: str
    created_at: datetime


def content_hash(facts: str, body: str) -> str:
    """SHA-256 of a stored report's facts and words, which is what a seal keeps of it."""
    return sha256(f"{len(facts)}:{facts}{body}".encode()).hexdigest()


def store(database: Database, report: Report) -> Report:
    """Store as the next version of its day; the report comes back with the number it was given.

    A final one becomes a link of the chain in the same transaction.
    """
    facts, body = report.facts.to_json(), _dump(asdict(report.draft))
    with database.write() as connection:
        highest = connection.scalar(select(func.max(table.c.version)).where(table.c.day == report.day))
        version = int(highest or 0) + 1
        connection.execute(
            insert(table).values(
                id=report.id,
                day=report.day,
                version=version,
                state=report.state,
                analyst=report.analyst,
                model=report.model,
                digest=report.digest,
                traffic=report.traffic,
                log_version=report.log_version,
                facts=facts,
                body=body,
                telling=_dump(asdict(report.telling)),
                created_us=microseconds(report.created_at),
            )
        )
        if report.state == FINAL:
            chain.add(
                connection, kind=chain.REPORT, stream="submissions", day=report.day, subject=report.id, rows=0,
                content=content_hash(facts, body), now_us=microseconds(report.created_at),
            )  # fmt: skip
    return Report(**{**vars(report), "version": version})


def latest(database: Database, day: date) -> Report | None:
    """The newest version of the day's report."""
    query = select(table).where(table.c.day == day).order_by(table.c.version.desc()).limit(1)
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else _report(row)


def version(database: Database, day: date, number: int) -> Report | None:
    """That version of the day's report."""
    with database.read() as connection:
        row = connection.execute(select(table).where(table.c.day == day, table.c.version == number)).first()
    return None if row is None else _report(row)


def versions(database: Database, day: date) -> list[Line]:
    """The day's versions, newest first."""
    with database.read() as connection:
        return _lines(connection, day, None)


def recent(database: Database, limit: int) -> list[Line]:
    """The newest reports of any day, newest first."""
    with database.read() as connection:
        return _lines(connection, None, limit)


def _lines(connection: Connection, day: date | None, limit: int | None) -> list[Line]:
    query = select(table).order_by(table.c.created_us.desc(), table.c.version.desc())
    if day is not None:
        query = query.where(table.c.day == day)
    if limit is not None:
        query = query.limit(limit)
    return [
        Line(
            row.id, row.day, row.version, row.state, row.analyst, row.model, row.traffic,
            json.loads(row.body)["headline"]["text"], instant(row.created_us),
        )
        for row in connection.execute(query)
    ]


def _report(row: Row[Any]) -> Report:
    return Report(
        row.id, row.day, row.version, row.state, row.analyst, row.model, row.digest, row.traffic, row.log_version,
        Facts.from_json(row.facts), _draft(json.loads(row.body)), _telling(json.loads(row.telling)),
        instant(row.created_us),
    )


def _draft(stored: Mapping[str, Any]) -> Draft:
    sections = tuple(Section(one["key"], tuple(map(_statement, one["statements"]))) for one in stored["sections"])
    return Draft(_statement(stored["headline"]), sections)


def _statement(stored: Mapping[str, Any]) -> Statement:
    return Statement(stored["text"], tuple(stored["facts"]))


def _telling(stored: Mapping[str, Any]) -> Telling:
    checks = stored["checks"]
    dropped = tuple(Dropped(**one) for one in checks["dropped"])
    found = Checks(**{**checks, "dropped": dropped, "stood_in": tuple(checks["stood_in"])})
    return Telling(**{**stored, "effort": Effort(**stored["effort"]), "checks": found})


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
