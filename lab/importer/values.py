"""Values as strangers write them: instants, numbers, yes and no, text.

The trap it avoids: one odd cell that stops a file. What cannot be read is None, and the caller decides.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from lab.ids import instant

_NUMBER = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_YES, _NO = {"true", "1", "yes", "y", "on", "t"}, {"false", "0", "no", "n", "off", "f"}
_SECONDS, _MILLISECONDS, _MICROSECONDS = 1e11, 1e14, 1e17
"""An epoch number below is in that unit, the next finer one from there on; holds from 1973 to 5138."""


def instant_of(value: Any) -> datetime | None:
    """An instant in UTC: ISO 8601, Unix time in seconds or finer, or a date. Without a zone it is taken as UTC."""
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _from_epoch(float(text) if "." in text else int(text))
        if text[-4:].upper() == " UTC":
            text = f"{text[:-4]}+00:00"
        try:
            return bounded(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            return None
    if isinstance(value, datetime):
        return bounded(value)
    if isinstance(value, date):
        return bounded(datetime.combine(value, time(), UTC))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _from_epoch(float(value) if isinstance(value, Decimal) else value)
    return None


def bounded(at: datetime) -> datetime | None:
    """The instant in UTC, if it is one that a log can hold."""
    try:
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if 1970 <= at.year < 2970 else None


def text_of(value: Any) -> str | None:
    """Text; None for nothing. A lone surrogate, which no file and no database takes, becomes a question mark."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    return text_of(value.isoformat() if isinstance(value, date) else plain_json(value))


def truth_of(value: Any) -> bool | None:
    """Yes or no, in the words that forms use."""
    if isinstance(value, bool):
        return value
    word = (text_of(value) or "").strip().lower()
    return True if word in _YES else False if word in _NO else None


def whole_of(value: Any) -> int | None:
    """A whole number."""
    if isinstance(value, bool):
        return None
    try:
        number = int(value) if isinstance(value, int | str) else round(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1 << 53 else None


def plain_json(value: Any) -> str:
    """JSON that is the same for equal values, whatever order they came in."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def _from_epoch(number: float) -> datetime | None:
    if not 0 <= number < 1e20:
        return None
    if number < _SECONDS:
        us = number * 1_000_000
    elif number < _MILLISECONDS:
        us = number * 1_000
    else:
        us = number if number < _MICROSECONDS else number / 1_000
    try:
        return bounded(instant(int(us)))
    except OverflowError:
        return None
