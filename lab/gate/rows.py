"""From a decision to a stored row, and from a row to the caller's verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lab.attempt import Attempt, Category, DuplicateKind, Kind, Outcome, Refusal, Stage, Verdict
from lab.clock import business_day
from lab.gate.screen import Screened, utm
from lab.user_agent import family

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_TRACE = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode


class Decision(NamedTuple):
    """What became of a screened arrival once the database was asked."""

    refusal: Refusal | None
    kind: Kind = Kind.ATTEMPT
    duplicate: DuplicateKind | None = None
    lead_id: str | None = None


def attempt(screened: Screened, decision: Decision, attempt_id: str, zone: ZoneInfo) -> Attempt:
    """The row to store; `seq` is filled in by the log."""
    arrival, submission, refusal = screened.arrival, screened.arrival.submission, decision.refusal
    return Attempt(
        attempt_id,
        0,
        screened.at,
        business_day(screened.at, zone),
        _claimed(submission.occurred_at) if submission and submission.occurred_at else None,
        arrival.channel.value,
        decision.kind.value,
        screened.source,
        screened.page,
        screened.user,
        "FAILED" if refusal else "SUCCESS",
        refusal.category.value if refusal else None,
        refusal.stage.value if refusal and refusal.stage else None,
        refusal.reason if refusal else None,
        _encode(dict(refusal.context)) if refusal and refusal.context else None,
        decision.duplicate.value if decision.duplicate else None,
        decision.lead_id,
        arrival.latency_ms,
        screened.key_hash,
        screened.client,
        family(arrival.user_agent) if arrival.user_agent else None,
        utm(submission.utm_source) if submission else None,
        utm(submission.utm_medium) if submission else None,
        utm(submission.utm_campaign) if submission else None,
        arrival.trace_id if arrival.trace_id and _TRACE.fullmatch(arrival.trace_id) else None,
        1,
        arrival.run_id,
        arrival.fault_id,
    )


def verdict(row: Attempt) -> Verdict:
    """What the caller is told about a stored row."""
    context: Mapping[str, Any] | None = json.loads(row.failure_context) if row.failure_context else None
    return Verdict(
        Outcome(row.outcome),
        row.attempt_id,
        row.received_at,
        Kind(row.kind),
        Category(row.failure_category) if row.failure_category else None,
        Stage(row.failure_stage) if row.failure_stage else None,
        row.failure_reason,
        context,
        DuplicateKind(row.duplicate_kind) if row.duplicate_kind else None,
        row.lead_id,
    )


def _claimed(at: datetime) -> datetime | None:
    """The instant a client claims, in UTC; none at all when no calendar of ours reaches it."""
    try:
        instant = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None
    return instant if _EARLIEST <= instant < _LATEST else None


def content(screened: Screened) -> str:
    """What the person sent, as JSON, for the tables that `forget` erases."""
    submission = screened.arrival.submission
    if submission is None:
        return "{}"
    sent = {
        "email": submission.email,
        "name": submission.name,
        "phone": submission.phone,
        "company": submission.company,
        "message": submission.message,
        "consent": submission.consent,
        "user_id": submission.user_id,
        "fields": dict(submission.fields),
    }
    return _encode({name: value for name, value in sent.items() if value or value is False})


def second(at: datetime) -> int:
    """The whole second an instant lies in."""
    return int(at.timestamp())
