"""Instants and business days. The trap it avoids: days cut by whatever zone a library happens to assume.

An instant is an aware datetime in UTC with microseconds. A business day is the calendar day of that
instant in the lab's IANA zone, decided once, on receipt. DST days have 23 or 25 hours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lab.errors import BadRequest, BadSetting

Clock = Callable[[], datetime]
"""Gives the present instant, aware, in UTC."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until told otherwise; for tests and for replayed time."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **span: float) -> None:
        """Move on by `timedelta(**span)`."""
        self.at += timedelta(**span)


class ReceiptClock:
    """Receipt times for live traffic: never earlier than the one before, even when the machine's clock steps back.

    While the clock is behind, time goes on by the machine's monotonic clock, so that limits still open again.
    The lock guards `_last` and `_at_s`, the monotonic seconds when it was given.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._last = datetime.min.replace(tzinfo=UTC)
        self._at_s = monotonic()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            now, at_s = self._clock(), self._monotonic()
            if now < self._last:
                now = self._last + timedelta(seconds=max(0.0, at_s - self._at_s))
            self._last, self._at_s = now, at_s
            return now

    def not_before(self, instant: datetime) -> None:
        """Give no time earlier than this from now on."""
        with self._lock:
            if instant > self._last:
                self._last, self._at_s = instant, self._monotonic()


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name; BadSetting when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSetting(
            f"LAB_TIME_ZONE={name!r} is not an IANA time zone; use a name such as UTC or Europe/Amsterdam."
        ) from error


def business_day(instant: datetime, zone: ZoneInfo) -> date:
    """The business day an instant belongs to."""
    return instant.astimezone(zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of the business day and first instant of the next, in UTC: 23, 24 or 25 hours apart."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def parse_day(text: str) -> date:
    """A day written as 2026-11-20; BadRequest otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text!r} is not a day; write it as 2026-11-20.") from error
