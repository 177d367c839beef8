"""The lab's vocabulary: what comes in (Submission), what is decided (Verdict), what is stored (Attempt).

The trap it avoids: words that mean one thing at the door and another in a chart. Every category, stage
and column is named here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa

UNKNOWN = "UNKNOWN"
"""Stands for an undeclared source or page; a stranger's text is never stored in their place."""


class Outcome(StrEnum):
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class Channel(StrEnum):
    API = "api"
    SIMULATOR = "simulator"
    IMPORT = "import"


class Kind(StrEnum):
    """A replay repeats a finished idempotent request; it counts in no attempt, rate or user figure."""

    ATTEMPT = "attempt"
    REPLAY = "replay"


class Category(StrEnum):
    """Why an attempt was refused, in the order in which stacks and legends show them."""

    VALIDATION_FAILED = "VALIDATION_FAILED"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"
    UNKNOWN_SOURCE = "UNKNOWN_SOURCE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    SPAM_SUSPECTED = "SPAM_SUSPECTED"
    DUPLICATE_LEAD = "DUPLICATE_LEAD"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    UNSPECIFIED = "UNSPECIFIED"


class Stage(StrEnum):
    """The gate's stages, in the order in which they are passed."""

    SIZE = "size"
    PARSE = "parse"
    SOURCE = "source"
    CREDENTIALS = "credentials"
    SPAM = "spam"
    LIMITS = "limits"
    VALIDATION = "validation"
    DUPLICATE = "duplicate"
    STORE = "store"


class DuplicateKind(StrEnum):
    """double_click: same payload within 2 s. client_retry: same payload later, or a replayed key.
    true_duplicate: another payload of the same person, within the window."""

    DOUBLE_CLICK = "double_click"
    CLIENT_RETRY = "client_retry"
    TRUE_DUPLICATE = "true_duplicate"


_READABLE = {"MOBILE_APP": "Mobile app", "PARTNER_API": "Partner API", "UNSPECIFIED": "Cause not told"}


def readable(code: str) -> str:
    """A code as words: WEBSITE_FORM is Website form, double_click is Double click. Paths stay as they are."""
    if code.startswith("/"):
        return code
    return _READABLE.get(code) or code.replace("_", " ").strip().capitalize()


class Submission(NamedTuple):
    """What a form, a backend or a partner sends. Text as sent: the gate normalises, bounds and refuses."""

    source: str
    page: str
    email: str
    name: str | None = None
    phone: str | None = None
    company: str | None = None
    message: str | None = None
    consent: bool | None = None
    user_id: str | None = None
    occurred_at: datetime | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    idempotency_key: str | None = None
    website: str | None = None
    elapsed_ms: int | None = None
    fields: Mapping[str, str] = {}


class Refusal(NamedTuple):
    """Why a stage says no. `reason` is one of our templates, at most 200 characters, never what was sent."""

    category: Category
    stage: Stage | None
    reason: str
    context: Mapping[str, Any] = {}


class Arrival(NamedTuple):
    """A submission on its way through the gate, with what the channel knows about it.

    `at` is the instant of receipt; None takes the gate's `now`. `refused` is a refusal from before the
    gate (a body too large or not parsed), with `submission` None. `credential` is what the caller showed,
    already resolved to a key's name. `latency_ms` is measured for api, given by the world for simulated.
    """

    submission: Submission | None
    channel: Channel
    at: datetime | None = None
    client: str | None = None
    user_agent: str | None = None
    trace_id: str | None = None
    credential: str | None = None
    size_bytes: int | None = None
    latency_ms: float | None = None
    refused: Refusal | None = None
    run_id: str | None = None
    fault_id: str | None = None


class Verdict(NamedTuple):
    """What the gate decided, in the caller's terms. `lead_id` is set for a stored lead and for a replay of one."""

    outcome: Outcome
    attempt_id: str
    received_at: datetime
    kind: Kind = Kind.ATTEMPT
    category: Category | None = None
    stage: Stage | None = None
    reason: str | None = None
    context: Mapping[str, Any] | None = None
    duplicate_kind: DuplicateKind | None = None
    lead_id: str | None = None


class Attempt(NamedTuple):
    """One stored row, in the order of `SCHEMA`; `seq` is given by the log when the row becomes durable."""

    attempt_id: str
    seq: int
    received_at: datetime
    day: date
    occurred_at: datetime | None
    channel: str
    kind: str
    source: str
    page: str
    user_id: str | None
    outcome: str
    failure_category: str | None
    failure_stage: str | None
    failure_reason: str | None
    failure_context: str | None
    duplicate_kind: str | None
    lead_id: str | None
    latency_ms: float | None
    idempotency_key: str | None
    client: str | None
    user_agent: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    trace_id: str | None
    repeat_count: int
    run_id: str | None
    fault_id: str | None


INSTANT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema(
    [
        pa.field("attempt_id", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("received_at", INSTANT, nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("occurred_at", INSTANT),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("page", pa.string(), nullable=False),
        pa.field("user_id", pa.string()),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("failure_category", pa.string()),
        pa.field("failure_stage", pa.string()),
        pa.field("failure_reason", pa.string()),
        pa.field("failure_context", pa.string()),
        pa.field("duplicate_kind", pa.string()),
        pa.field("lead_id", pa.string()),
        pa.field("latency_ms", pa.float64()),
        pa.field("idempotency_key", pa.string()),
        pa.field("client", pa.string()),
        pa.field("user_agent", pa.string()),
        pa.field("utm_source", pa.string()),
        pa.field("utm_medium", pa.string()),
        pa.field("utm_campaign", pa.string()),
        pa.field("trace_id", pa.string()),
        pa.field("repeat_count", pa.int64(), nullable=False),
        pa.field("run_id", pa.string()),
        pa.field("fault_id", pa.string()),
    ]
)
"""Columns are only ever added, at the end; readers unite by name."""
