r"""The formats of access logs, as one regular expression over bytes that consumes a chunk line by line.

Common:    host ident authuser [day/Mon/year:h:m:s zone] "request" status bytes
Combined:  the same, then "referer" "user agent"; whatever a server adds behind them is ignored.

The trap it avoids: a pattern that backtracks. Every repetition is possessive and ends where the next part
starts, so a hostile line costs no more than a good one. Quotes inside a quoted field are escaped (\"), as
Apache and nginx write them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from lab.clock import business_day
from lab.ids import microseconds
from lab.importer.values import bounded, instant_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

HOST, AUTHUSER, TIME, PATH, QUERY, STATUS, USER_AGENT, BROKEN = range(1, 9)
"""Parts of a line found, after the line itself: groups of a match, or places in a tuple of a reader's own.
PATH is None unless the request is a POST; BROKEN is None unless the line is."""

_TIME = rb"[0-3]\d/(?:" + "|".join(MONTHS).encode() + rb")/\d{4}:[0-2]\d:[0-5]\d:[0-6]\d [+-][01]\d[0-5]\d"
_LOG_TIME = re.compile(_TIME)
_QUOTED = rb'(?:[^"\\\n]++|\\[^\n])*+'
_POST = (
    rb'POST (?:[A-Za-z][A-Za-z0-9+.-]*+://[^/?#"\\ \n]*+)?+'
    rb'([^?#"\\ \n]*+)(\?[^#"\\ \n]*+)?+[^"\\ \n]*+(?: HTTP/\d(?:\.\d)?)?+'
)
_COMMON = (
    rb"([^ \n]++) [^ \n]++ ([^ \n]++) \[(" + _TIME + rb')\] "(?:' + _POST + rb"|" + _QUOTED + rb')" '
    rb"([0-5]\d\d) (?:\d++|-)"
)
_COMBINED = rb' "' + _QUOTED + rb'" "(' + _QUOTED + rb')"(?: (?:"' + _QUOTED + rb'"|[^" \n]++))*+'
_SECONDS = tuple(timedelta(seconds=seconds) for seconds in range(60))
_END = rb"\r?\n|([^\n]*+)\n"


_EARLIEST, _AHEAD = datetime(1990, 1, 1, tzinfo=UTC), timedelta(days=1)


class Found(Protocol):
    """A line taken apart: [0] is the line, the rest as named above. A regular expression's match is one."""

    def __getitem__(self, part: int, /) -> Any: ...


class Reader(Protocol):
    """Takes a file's lines apart, chunk after chunk; `header` is what a line needs before it to be read again."""

    header: bytes

    def read(self, lines: bytes) -> Iterable[Found]: ...


class Format(NamedTuple):
    """A name for the command line, what it is called in a sentence, and its lines."""

    name: str
    title: str
    line: re.Pattern[bytes]

    def reader(self) -> Reader:
        """A reader of one file."""
        return _Lines(self.line)


class _Lines:
    """Lines that stand for themselves."""

    header = b""

    def __init__(self, line: re.Pattern[bytes]) -> None:
        self.read = line.finditer


FORMATS = {
    one.name: one
    for one in (
        Format("auto", "Common or Combined Log Format", re.compile(_COMMON + rb"(?:" + _COMBINED + rb")?+" + _END)),
        Format("common", "Common Log Format", re.compile(_COMMON + rb"(\b\B)?+" + _END)),
        Format("combined", "Combined Log Format", re.compile(_COMMON + _COMBINED + _END)),
    )
}


class When(NamedTuple):
    """A line's instant, in the two forms that rows need, and its business day."""

    at: datetime
    at_us: int
    ordinal: int


def calendar(zone: ZoneInfo) -> Callable[[bytes], When | None]:
    """A function from a line's time to its instant and business day; None for a time that does not exist.

    Neighbouring lines share their second or at least their minute, so a small memory saves most of the work.
    """

    @lru_cache(maxsize=4096)
    def minute(text: bytes) -> When | None:
        """The minute of a log's time, when all of it lies in one business day."""
        start, end = (_log_time(b"%b:%b %b" % (text[:17], second, text[17:])) for second in (b"00", b"59"))
        if start is None or end is None:
            return None
        first = moment(start, zone)
        return first if first.ordinal == moment(end, zone).ordinal else None

    @lru_cache(maxsize=4096)
    def when(text: bytes) -> When | None:
        if not _LOG_TIME.fullmatch(text):
            at = instant_of(text.decode("ascii", "replace"))
            return None if at is None else moment(at, zone)
        start = minute(text[:17] + text[21:])
        if start is None:
            at = _log_time(text)
            return None if at is None else moment(at, zone)
        seconds = min(int(text[18:20]), 59)  # a leap second is written as :60
        return When(start.at + _SECONDS[seconds], start.at_us + seconds * 1_000_000, start.ordinal)

    return when


def possible(now: datetime) -> range:
    """The microseconds that a line's time may be: from 1990, before any form on the web, to a day from now.

    One line of a broken clock, dated in another millennium, would be the dashboard's newest day otherwise.
    """
    return range(microseconds(_EARLIEST), microseconds(now + _AHEAD) + 1)


def moment(at: datetime, zone: ZoneInfo) -> When:
    """An instant in the forms that rows need."""
    return When(at, microseconds(at), business_day(at, zone).toordinal())


def _log_time(text: bytes) -> datetime | None:
    """25/Oct/2015:04:11:27 +0100"""
    part = text.decode("ascii", "replace")
    try:
        offset = timedelta(hours=int(part[22:24]), minutes=int(part[24:26]))
        at = datetime(
            int(part[7:11]),
            MONTHS.index(part[3:6]) + 1,
            int(part[:2]),
            int(part[12:14]),
            int(part[15:17]),
            min(int(part[18:20]), 59),
            tzinfo=timezone(-offset if part[21] == "-" else offset),
        )
    except (ValueError, OverflowError, IndexError):
        return None
    return bounded(at)
