"""Days named after states, as rows of attempts: a usual one, a bad one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from lab.attempt import Attempt

FRIDAY = date(2026, 11, 20)
SOURCES = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "PARTNER_API")
PAGES = ("/pricing", "/demo", "/contact")
_number = count()


def attempt(day: date, second: int, **columns: Any) -> Attempt:
    """An accepted attempt of a real visitor at that second of the day, UTC; any column can be given."""
    at = datetime.combine(day, time(), UTC) + timedelta(seconds=second)
    row = Attempt(
        f"{next(_number):036d}", 0, at, day, None, "api", "attempt", "WEBSITE_FORM", "/demo",
        f"u_{second:016x}", "SUCCESS", None, None, None, None, None, "lead", 20.0, None, "c_1", "Firefox", None, None,
        None, None, 1, None, None,
    )  # fmt: skip
    return row._replace(**columns)


def refused(day: date, second: int, category: str, stage: str, reason: str, **columns: Any) -> Attempt:
    """A refused attempt."""
    return attempt(
        day, second, outcome="FAILED", failure_category=category, failure_stage=stage, failure_reason=reason,
        lead_id=None, **columns,
    )


def usual_day(day: date, attempts: int = 40, until_s: int = 86_400) -> list[Attempt]:
    """Attempts spread over sources, pages and the day; one in ten fails validation of its e-mail."""
    rows = []
    for place in range(attempts):
        second = 600 + place * (86_400 - 1_200) // attempts
        where = {"source": SOURCES[place % 4], "page": PAGES[place % 3], "latency_ms": 15.0 + place % 20}
        if place % 10 == 9:
            rows.append(
                refused(day, second, "VALIDATION_FAILED", "validation", "The field email is not an e-mail address.",
                        failure_context='{"field":"email","rule":"email.form"}', **where)
            )
        else:
            rows.append(attempt(day, second, **where))
    return [row for row in rows if row.received_at < datetime.combine(day, time(), UTC) + timedelta(seconds=until_s)]


def bad_day(day: date) -> list[Attempt]:
    """A phone field fails for one source, another is silent, a partner repeats itself, a limit hits many users."""
    rows = [row for row in usual_day(day, 200) if row.source != "LANDING_PAGE"]
    phone = {"source": "MOBILE_APP", "page": "/demo", "failure_context": '{"field":"phone","rule":"phone.form"}'}
    partner = {"source": "PARTNER_API", "page": "/contact", "duplicate_kind": "client_retry", "user_id": "u_partner"}
    office = {"source": "WEBSITE_FORM", "page": "/pricing", "failure_context": '{"limit":100,"scope":"client"}'}
    rows += [
        refused(day, 40_000 + 61 * one, "VALIDATION_FAILED", "validation", "The field phone is not a number.", **phone)
        for one in range(60)
    ]
    rows += [
        refused(day, 50_000 + one, "DUPLICATE_LEAD", "duplicate", "The same lead was accepted before.", **partner)
        for one in range(30)
    ]
    rows += [
        refused(
            day, 60_000 + one, "RATE_LIMIT_EXCEEDED", "limits", "More than 100 attempts a minute.", **office,
            user_id=f"u_{one:016x}",
        )
        for one in range(40)
    ]
    return rows


def storm_day(day: date, users: int = 8) -> list[Attempt]:
    """A partner's clients send their accepted leads again and again, until the limit on one user refuses them."""
    rows = usual_day(day, 200)
    partner = {"source": "PARTNER_API", "page": "/contact"}
    for user in range(users):
        who = {"user_id": f"u_{user:016x}", **partner}
        rows += [
            refused(
                day, 50_000 + 60 * user + one, "DUPLICATE_LEAD", "duplicate", "The same lead was accepted before.",
                duplicate_kind="client_retry", **who,
            )
            for one in range(12)
        ]
        rows += [
            refused(
                day, 50_012 + 60 * user + one, "RATE_LIMIT_EXCEEDED", "limits", "More than 10 attempts a minute.",
                failure_context='{"limit":10,"scope":"user"}', **who,
            )
            for one in range(10)
        ]
    office = {"failure_context": '{"limit":100,"scope":"client"}', "source": "PARTNER_API"}
    rows += [
        refused(
            day, 40_000 + one, "RATE_LIMIT_EXCEEDED", "limits", "More than 100 attempts a minute.",
            user_id=f"u_{one:015x}f", **office,
        )
        for one in range(15)
    ]
    return rows
