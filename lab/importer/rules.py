"""What an import is told: which paths are forms, of which source, and which statuses mean refused.

The trap it avoids: a form that answers 200 when it is shown again, counted as an accepted lead. What a status
means can be said for each path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lab.attempt import Category, Outcome
from lab.errors import BadRequest
from lab.world import World

PATH_LENGTH = 200

_CATEGORIES = {
    400: Category.MALFORMED_REQUEST,
    401: Category.AUTHENTICATION_FAILED,
    403: Category.AUTHENTICATION_FAILED,
    409: Category.DUPLICATE_LEAD,
    413: Category.PAYLOAD_TOO_LARGE,
    415: Category.MALFORMED_REQUEST,
    422: Category.VALIDATION_FAILED,
    429: Category.RATE_LIMIT_EXCEEDED,
    502: Category.UPSTREAM_ERROR,
    503: Category.UPSTREAM_ERROR,
    504: Category.UPSTREAM_ERROR,
}
_CODE = re.compile(r"[1-5](?:\d\d|xx)", re.IGNORECASE)


class Judgement(NamedTuple):
    """What a recorded status says, ready for a row."""

    outcome: str
    category: str | None = None
    reason: str | None = None
    context: str | None = None


@dataclass(frozen=True)
class Rules:
    """`forms`: path to source. `refused`: path to statuses that mean refused there; "" stands for every path."""

    forms: Mapping[str, str]
    refused: Mapping[str, frozenset[int]]

    def judge(self, path: str, status: int) -> Judgement:
        """2xx and 3xx are accepted unless the rules refuse them; everything else is refused."""
        everywhere = self.refused.get("", frozenset())
        if 200 <= status < 400 and status not in everywhere and status not in self.refused.get(path, frozenset()):
            return _ACCEPTED
        return _refusal(status)


def make_rules(world: World, forms: Mapping[str, str] | Sequence[str], refused: Sequence[str] = ()) -> Rules:
    """Rules from path to source (or PATH=SOURCE texts) and [PATH=]CODES texts; BadRequest names what is wrong."""
    pairs = list(forms.items()) if isinstance(forms, Mapping) else [_pair(text) for text in forms]
    known: dict[str, str] = {}
    for path, source in pairs:
        _check_path(path)
        if source not in world.sources:
            raise BadRequest(f"{source!r} is not a declared source; use one of {', '.join(world.sources)}.")
        if known.setdefault(path, source) != source:
            raise BadRequest(f"{path} is given as {known[path]} and as {source}; keep one of the two.")
    codes: dict[str, frozenset[int]] = {}
    for text in refused:
        path, found = _refused(text)
        if path and path not in known:
            raise BadRequest(f"--refused {text} names a path that no form has; add --form {path}=SOURCE or mend it.")
        codes[path] = codes.get(path, frozenset()) | found
    return Rules(known, codes)


def _pair(text: str) -> tuple[str, str]:
    path, equals, source = text.rpartition("=")
    if not equals:
        raise BadRequest(f"--form {text!r} is not PATH=SOURCE; write it as /contact=WEBSITE_FORM.")
    return path, source


def _check_path(path: str) -> None:
    if not path.startswith("/") or len(path) > PATH_LENGTH or not path.isprintable():
        raise BadRequest(f"{path[:PATH_LENGTH]!r} is not a path; write it from its first slash, such as /contact.")
    if set(path) & set('?#" \\'):
        raise BadRequest(f"{path!r} is more than a path; leave out what comes from the question mark on.")


def _refused(text: str) -> tuple[str, frozenset[int]]:
    path, _, codes = text.rpartition("=")
    statuses: set[int] = set()
    for code in (part.strip() for part in codes.split(",")):
        if not _CODE.fullmatch(code):
            raise BadRequest(f"--refused {text!r} holds {code!r}, which is no status; write it as 200 or 4xx.")
        first = int(code[0]) * 100
        statuses.update(range(first, first + 100) if code[1:].lower() == "xx" else (int(code),))
    return path, frozenset(statuses)


def statuses_in_words(counts: Mapping[int, int] | Iterable[tuple[int, int]]) -> dict[str, int]:
    """Counts by status with text keys, in order of status, as JSON wants them."""
    return {str(status): count for status, count in sorted(dict(counts).items())}


@lru_cache(maxsize=1024)
def _refusal(status: int) -> Judgement:
    fallback = Category.INTERNAL_ERROR if status >= 500 else Category.UNSPECIFIED
    return Judgement(
        Outcome.FAILED.value,
        _CATEGORIES.get(status, fallback).value,
        f"The access log records status {status}.",
        json.dumps({"status": status}),
    )


_ACCEPTED = Judgement(Outcome.SUCCESS.value)
