"""How figures and names are written, in facts, prompts and reports alike: 1,204; 20.0%; 38 ms; 13:53.

The trap it avoids: one figure written in two ways, which a reader, and the check of every figure, would take
for two.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lab.attempt import Category, readable

CATEGORY_WORDS = {
    Category.VALIDATION_FAILED: "validation failures",
    Category.MALFORMED_REQUEST: "malformed requests",
    Category.PAYLOAD_TOO_LARGE: "oversized payloads",
    Category.AUTHENTICATION_FAILED: "refused credentials",
    Category.UNKNOWN_SOURCE: "undeclared sources",
    Category.RATE_LIMIT_EXCEEDED: "rate-limit refusals",
    Category.SPAM_SUSPECTED: "suspected spam",
    Category.DUPLICATE_LEAD: "duplicates of accepted leads",
    Category.IDEMPOTENCY_KEY_REUSED: "reused idempotency keys",
    Category.UPSTREAM_ERROR: "upstream errors",
    Category.INTERNAL_ERROR: "internal errors",
    Category.ORIGIN_NOT_ALLOWED: "origins not allowed",
    Category.UNSPECIFIED: "refusals without a stated cause",
}
"""What a category's attempts are called in a sentence; each reads after a count."""

DUPLICATE_WORDS = {
    "double_click": ("double click", "double clicks"),
    "client_retry": ("client retry", "client retries"),
    "true_duplicate": ("true duplicate", "true duplicates"),
}
"""What the kinds of duplicate are called, one and many."""

OTHER = "OTHER"
"""Stands for a stored label that is not of the form our own labels have; a stranger's words go no further."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,99}")
_REASON = re.compile(r"[A-Za-z][A-Za-z0-9 ,.;'()/_+-]{0,199}")


def count(value: float) -> str:
    """1,204: a whole number, half up."""
    return f"{math.floor(value + 0.5):,}"


def share(part: float, whole: float) -> str:
    """20.0%, rounded once, from the two integers."""
    return percent(100 * part / whole)


def percent(value: float) -> str:
    """20.0% from 20.0."""
    return f"{value:.1f}%"


def change(now: float, before: float) -> str:
    """+5.2% or -12.0%: the change against a base that is not 0."""
    return f"{100 * (now - before) / before:+.1f}%"


def milliseconds(value: float) -> str:
    """38 ms; below 10 one decimal."""
    return f"{value:,.1f} ms" if value < 10 else f"{value:,.0f} ms"


def clock_time(instant: datetime, zone: ZoneInfo) -> str:
    """13:53, in the lab's zone."""
    return instant.astimezone(zone).strftime("%H:%M")


def long_day(day: date) -> str:
    """Thursday 20 November 2025."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def short_day(day: date) -> str:
    """Thursday 20 November."""
    return f"{day:%A} {day.day} {day:%B}"


def code(text: str | None) -> str:
    """A source, category, stage or field of the form ours have; OTHER for anything else."""
    return text if text and _CODE.fullmatch(text) else OTHER


def name(text: str | None) -> str:
    """`code` in words, as every page writes it: Partner API."""
    return readable(code(text))


def path(text: str | None) -> str:
    """A declared page's path; OTHER for anything else. UNKNOWN stays as it is."""
    return text if text and (_PATH.fullmatch(text) or _CODE.fullmatch(text)) else OTHER


def reason(text: str | None) -> str | None:
    """A refusal's template when it has the form of one, without its full stop."""
    return text.rstrip(".") if text and _REASON.fullmatch(text) else None


def category_words(category: str) -> str:
    """A category as it reads after a count."""
    return CATEGORY_WORDS.get(Category(category), category) if category in Category.__members__ else "other failures"


def listed(parts: list[str]) -> str:
    """a; a and b; a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def plural(number: float, one: str, many: str | None = None) -> str:
    """"1 attempt", "2 attempts", "0 attempts"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
