"""Signs of something misconfigured, by a few plain rules, each stated with its evidence and never as a cause.

The trap it avoids: crying wolf over small numbers. Every rule asks for `ENOUGH` attempts and for a share that
says the sign belongs to one place; an open day is never held against whole ones, so no source is called silent
before its day is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lab.attempt import UNKNOWN, Category
from lab.report import wording
from lab.report.evidence import Evidence, Refused

ENOUGH = 20
"""Attempts below which no rule speaks."""
MOSTLY = 0.8
"""Share of one field's failures that one source must hold."""
NOTABLE = 0.1
"""Share of that source's attempts that must name the field; a large source always has a few."""
NEARLY_ALL = 0.9
"""Share of one source's attempts that must fail to say that the source does."""
SILENT = 0.1
"""A source below this share of its usual has fallen silent."""
MANY_USERS = 10
"""Distinct users refused by a limit on one client that suggest a shared address rather than the users."""
AGAIN = 3
"""Refusals a user by the limit on one user, from which on the same senders come again and again."""
MACHINE_A_MINUTE = 10
"""Duplicates of one source in one minute that no person sends."""


class Signal(NamedTuple):
    """One sign: what was counted, of what, against what. `key` is signal:<rule>:<names…>.

    `concerns` is the number of attempts that the sign is about, which may not be what it counts.
    """

    key: str
    label: str
    value: int
    unit: str
    share: str | None
    base: float | None
    where: Mapping[str, str]
    concerns: int = 0


def signals(evidence: Evidence) -> list[Signal]:
    """All signs of the day, the one that concerns most attempts first."""
    rules = (
        _broken_field, _refused_credentials, _failing_source, _silent_source, _shared_client, _repeated_sends,
        _machine_duplicates,
    )
    found = [signal for rule in rules for signal in rule(evidence)]
    return sorted(found, key=lambda signal: (-max(signal.value, signal.base or 0, signal.concerns), signal.key))


def _broken_field(evidence: Evidence) -> Iterator[Signal]:
    """One field fails mostly for one source."""
    fields: dict[str, Counter[str]] = {}
    for row in evidence.refused:
        if row.field:
            fields.setdefault(row.field, Counter())[row.source] += row.attempts
    attempts = _attempts_by_source(evidence)
    for field, sources in sorted(fields.items()):
        total = sum(sources.values())
        source, most = min(sources.items(), key=lambda item: (-item[1], item[0]))
        if most < ENOUGH or most < MOSTLY * total or most < NOTABLE * attempts.get(source, 0):
            continue
        yield Signal(
            f"signal:field:{wording.code(field)}:{wording.code(source)}",
            f"failures naming the field {wording.code(field)} from {wording.name(source)}", most, "attempts",
            f"{wording.share(most, total)} of the failures naming it", None,
            {"source": source, "outcome": "FAILED", "text": field},
        )


def _refused_credentials(evidence: Evidence) -> Iterator[Signal]:
    """Most attempts of one source fail at their credentials."""
    attempts = _attempts_by_source(evidence)
    for source, rows in _by_source(evidence, Category.AUTHENTICATION_FAILED):
        refused, total = sum(row.attempts for row in rows), attempts.get(source, 0)
        if refused >= ENOUGH and total and 2 * refused >= total:
            yield Signal(
                f"signal:credentials:{wording.code(source)}", f"refused credentials from {wording.name(source)}",
                refused, "attempts", f"{wording.share(refused, total)} of its attempts", None,
                {"source": source, "category": Category.AUTHENTICATION_FAILED},
            )


def _failing_source(evidence: Evidence) -> Iterator[Signal]:
    """Nearly all attempts of one source fail, for whatever reason."""
    for source, attempts, failed in evidence.detail.sources.select("source", "attempts", "failed").iter_rows():
        if source != UNKNOWN and failed >= ENOUGH and failed >= NEARLY_ALL * attempts:
            yield Signal(
                f"signal:failing:{wording.code(source)}", f"failed attempts of {wording.name(source)}", failed,
                "attempts", f"{wording.share(failed, attempts)} of its attempts", None,
                {"source": source, "outcome": "FAILED"},
            )


def _silent_source(evidence: Evidence) -> Iterator[Signal]:
    """A source has fallen silent against its own usual."""
    attempts = _attempts_by_source(evidence)
    for source, usual in sorted(evidence.usual.sources.items()):
        now = attempts.get(source, 0)
        if source != UNKNOWN and usual >= ENOUGH and now <= SILENT * usual:
            yield Signal(
                f"signal:silent:{wording.code(source)}", f"attempts of {wording.name(source)}, fallen silent",
                now, "attempts", None, usual, {"source": source},
            )


def _shared_client(evidence: Evidence) -> Iterator[Signal]:
    """The limit on one client refuses many distinct users: they may share an address."""
    for source, rows in _by_source(evidence, Category.RATE_LIMIT_EXCEEDED):
        of_client = [row for row in rows if row.scope == "client"]
        refused, total = sum(row.attempts for row in of_client), sum(row.attempts for row in rows)
        users = max((row.users for row in of_client), default=0)
        if refused >= ENOUGH and users >= MANY_USERS and 2 * refused > total:
            yield Signal(
                f"signal:limit:{wording.code(source)}",
                f"distinct users refused by the limit on one client, {wording.name(source)}",
                users, "users", f"{wording.count(refused)} attempts refused", None,
                {"source": source, "category": Category.RATE_LIMIT_EXCEEDED, "text": "one client"}, refused,
            )


def _repeated_sends(evidence: Evidence) -> Iterator[Signal]:
    """The limit on one user refuses the same users again and again: something sends in a loop."""
    repeated = dict(_by_source(evidence, Category.DUPLICATE_LEAD))
    for source, rows in _by_source(evidence, Category.RATE_LIMIT_EXCEEDED):
        of_user = [row for row in rows if row.scope == "user"]
        refused, total = sum(row.attempts for row in of_user), sum(row.attempts for row in rows)
        users = max((row.users for row in of_user), default=0)
        if refused >= ENOUGH and 2 * refused > total and refused >= AGAIN * users:
            senders = wording.plural(users, "user")
            yield Signal(
                f"signal:repeats:{wording.code(source)}",
                f"attempts refused by the limit on one user, {wording.name(source)}",
                refused, "attempts", f"sent by {senders}" if users else None, None,
                {"source": source, "category": Category.RATE_LIMIT_EXCEEDED, "text": "one user"},
                refused + sum(row.attempts for row in repeated.get(source, ())),
            )


def _machine_duplicates(evidence: Evidence) -> Iterator[Signal]:
    """One source repeats accepted leads at machine speed."""
    for source, rows in _by_source(evidence, Category.DUPLICATE_LEAD):
        total, peak = sum(row.attempts for row in rows), max(row.peak for row in rows)
        if total >= ENOUGH and peak >= MACHINE_A_MINUTE:
            yield Signal(
                f"signal:duplicates:{wording.code(source)}", f"most duplicates of {wording.name(source)} in one minute",
                peak, "attempts", f"{wording.count(total)} in the day", None,
                {"source": source, "category": Category.DUPLICATE_LEAD}, total,
            )


def _attempts_by_source(evidence: Evidence) -> dict[str, int]:
    return dict(evidence.detail.sources.select("source", "attempts").iter_rows())


def _by_source(evidence: Evidence, category: Category) -> list[tuple[str, list[Refused]]]:
    rows: dict[str, list[Refused]] = {}
    for row in evidence.refused:
        if row.category == category:
            rows.setdefault(row.source, []).append(row)
    return sorted(rows.items())
