"""The stages that need no database: size, parse, source, credentials, spam, limits, validation.

The first refusal wins. The trap it avoids: a stranger's text in the log. Reasons are templates, a source or
page that nobody declared becomes UNKNOWN, and what is kept of a submission is hashed, bounded or a family.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from lab.attempt import UNKNOWN, Arrival, Category, Refusal, Stage, Submission
from lab.gate.limits import SlidingWindow
from lab.ids import microseconds
from lab.pseudonyms import Pseudonyms
from lab.world import FIELDS, Source, World

Check = Callable[[Arrival, datetime], Refusal | None]
"""A collaborator at one stage: credentials or store."""

LONGEST = {"email": 254, "name": 200, "phone": 50, "company": 200, "message": 5_000, "user_id": 200}
_POSITIONS = tuple((Submission._fields.index(field), field, longest) for field, longest in LONGEST.items())
_CONTENT = tuple(Submission._fields.index(field) for field in FIELDS[1:])
MOST_FIELDS, LONGEST_FIELD = 50, 2_000
_EMAIL = re.compile(
    r"[^@\s\"(),:;<>\[\\\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_PHONE = re.compile(r"[+(]?[\d][\d\s().\-/]{4,28}\d")
_UTM = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class Screened(NamedTuple):
    """An arrival with what the log may know of it, and the refusal so far. Hashes are None where there is nothing."""

    arrival: Arrival
    at: datetime
    refusal: Refusal | None
    source: str
    page: str
    user: str | None
    client: str | None
    email_hash: str | None
    payload_hash: str | None
    key_hash: str | None


class Screen:
    """The stages in order over one world. Holds the limiters, so one screen serves one clock."""

    def __init__(self, world: World, pseudonyms: Pseudonyms, credentials: Check) -> None:
        self._world = world
        self._pseudonyms = pseudonyms
        self._credentials = credentials
        self._users = SlidingWindow(world.limits.per_user_a_minute)
        self._clients = SlidingWindow(world.limits.per_client_a_minute)

    def pass_through(self, arrival: Arrival, at: datetime) -> Screened:
        """Screen one arrival at that instant; it consumes the limits whatever comes of it."""
        submission, pseudonyms = arrival.submission, self._pseudonyms
        at_us = microseconds(at)
        client = pseudonyms.client(arrival.client) if arrival.client else None
        client_within = client is None or self._clients.consume(client, at_us)
        if submission is None:
            unread = arrival.refused or Refusal(
                Category.MALFORMED_REQUEST, Stage.PARSE, "The body could not be read as a submission."
            )
            return Screened(arrival, at, unread, UNKNOWN, UNKNOWN, None, client, None, None, None)
        email = submission.email.strip().lower() if submission.email else ""
        person = submission.user_id or email
        user = pseudonyms.user(person) if person else None
        user_within = user is None or self._users.consume(user, at_us)
        source = self._world.sources.get(submission.source)
        source_name = source.name if source else UNKNOWN
        page = page_path(submission.page)
        refusal = (
            arrival.refused
            or self._size(arrival)
            or _source(source)
            or self._credentials(arrival, at)
            or _spam(submission, source)
            or self._limits(user_within, client_within)
            or _validation(submission, email, source)
        )
        key = submission.idempotency_key
        return Screened(
            arrival,
            at,
            refusal,
            source_name,
            page if page in self._world.pages else UNKNOWN,
            user,
            client,
            pseudonyms.email(email) if email else None,
            pseudonyms.payload(_content(submission, email)),
            pseudonyms.key(f"{source_name}\n{key}") if key else None,
        )

    def give_back(self, one: Screened) -> None:
        """Take back what an arrival consumed, since it could not be stored."""
        at_us = microseconds(one.at)
        if one.client is not None:
            self._clients.give_back(one.client, at_us)
        if one.user is not None:
            self._users.give_back(one.user, at_us)

    def _size(self, arrival: Arrival) -> Refusal | None:
        limit = self._world.limits.max_bytes
        if arrival.size_bytes is None or arrival.size_bytes <= limit:
            return None
        return Refusal(
            Category.PAYLOAD_TOO_LARGE, Stage.SIZE, f"The body is larger than {limit:,} bytes.", {"limit_bytes": limit}
        )

    def _limits(self, user_within: bool, client_within: bool) -> Refusal | None:
        if user_within and client_within:
            return None
        scope, window = ("client", self._clients) if not client_within else ("user", self._users)
        return Refusal(
            Category.RATE_LIMIT_EXCEEDED,
            Stage.LIMITS,
            f"More than {window.limit} attempts a minute from one {scope}.",
            {"limit": window.limit, "window_s": window.window_us // 1_000_000, "scope": scope},
        )


def page_path(page: str) -> str:
    """A page without query, fragment or trailing slash."""
    path = page.split("?", 1)[0].split("#", 1)[0]
    return path.rstrip("/") or "/" if path else UNKNOWN


def utm(value: str | None) -> str | None:
    """A utm value if it is a plain token, else None."""
    return value if value and _UTM.fullmatch(value) else None


def _source(source: Source | None) -> Refusal | None:
    if source is not None:
        return None
    return Refusal(Category.UNKNOWN_SOURCE, Stage.SOURCE, "The source is not declared in sources.toml.")


def _spam(submission: Submission, source: Source | None) -> Refusal | None:
    if submission.website:
        return _suspected("honeypot", 1.0, "A field that people cannot see was filled in.")
    shortest = source.min_fill_ms if source else 0
    if submission.elapsed_ms is not None and submission.elapsed_ms < shortest:
        return _suspected("fill_time", 0.8, f"The form was filled in under {shortest} ms.")
    return None


def _suspected(rule: str, score: float, reason: str) -> Refusal:
    return Refusal(Category.SPAM_SUSPECTED, Stage.SPAM, reason, {"rule": rule, "score": score})


def _validation(submission: Submission, email: str, source: Source | None) -> Refusal | None:
    for field in source.required if source else ("email",):
        value = getattr(submission, field)
        if value is None or value is False or (isinstance(value, str) and not value.strip()):
            return _invalid(field, "required", f"The field {field} is required by this source.")
    if email and not _EMAIL.fullmatch(email):
        return _invalid("email", "format", "The field email is not an e-mail address.")
    if submission.phone and not _PHONE.fullmatch(submission.phone.strip()):
        return _invalid("phone", "format", "The field phone is not a phone number.")
    for position, field, longest in _POSITIONS:
        text = submission[position]
        if isinstance(text, str) and len(text) > longest:
            return _invalid(field, "length", f"The field {field} is longer than {longest} characters.")
    if len(submission.fields) > MOST_FIELDS:
        return _invalid("fields", "count", f"More than {MOST_FIELDS} further fields.")
    if any(len(name) > 100 or len(value) > LONGEST_FIELD for name, value in submission.fields.items()):
        return _invalid("fields", "length", f"A further field is longer than {LONGEST_FIELD} characters.")
    return None


def _invalid(field: str, rule: str, reason: str) -> Refusal:
    return Refusal(Category.VALIDATION_FAILED, Stage.VALIDATION, reason, {"field": field, "rule": rule})


def _content(submission: Submission, email: str) -> list[str]:
    """What makes two submissions the same payload: everything a person typed, not how it was sent."""
    parts = [submission.source, submission.page, email]
    parts += [str(submission[position] or "") for position in _CONTENT]
    for name in sorted(submission.fields):
        parts += (name, submission.fields[name])
    return parts
