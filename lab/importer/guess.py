"""A first guess at a file: which of a log's paths are forms and of which source, or what a table's columns mean.

The trap it avoids: a newcomer who has to know the log before seeing it. It is a proposal and is shown as one;
nothing is read from it that the user did not see.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.attempt import UNKNOWN
from lab.importer.columns import guess_columns
from lab.importer.detect import Detected, detect, format_named
from lab.importer.files import read_chunks
from lab.importer.formats import BROKEN, PATH, STATUS
from lab.importer.given import path_of
from lab.importer.rules import PATH_LENGTH, statuses_in_words
from lab.importer.values import text_of
from lab.world import World

SAMPLE_BYTES = 32 << 20
"""How much text is read for a guess; a larger file is judged by its start."""

PATHS_SHOWN = PAGES_SHOWN = 50
_PATHS_HELD = 10_000

_LEAVE_OUT = re.compile(
    r"wp-login|wp-admin|wp-cron|xmlrpc|admin-ajax|acl_users|cgi-bin|phpmyadmin|\.env|\.(?:css|js|png|jpe?g|gif|ico|svg)$"
    r"|/(?:logout|search|graphql|collect|track|beacon|csp-report|metrics|telemetry|_stcore|boaform|sdk)(?:[/.]|$)"
)
_SOURCES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("MOBILE_APP", re.compile(r"mobile|(?:^|[/_.-])(?:app|ios|android)(?:[/_.-]|$)")),
    ("PARTNER_API", re.compile(r"(?:^|/)(?:api|v\d+|partner\w*)(?:[/_.-]|$)")),
    ("CHAT_WIDGET", re.compile(r"chat")),
    ("REFERRAL_WIDGET", re.compile(r"referr")),
    ("LANDING_PAGE", re.compile(r"landing|log_?-?in|sign_?-?in|(?:^|[/_.-])lp(?:[/_.-]|\d|$)")),
)


@dataclass(frozen=True)
class GuessedForm:
    """A path that is posted to. `source` is None where leaving it out is proposed; `hint` may be empty."""

    path: str
    source: str | None
    posts: int
    statuses: dict[str, int]
    hint: str = ""


@dataclass(frozen=True)
class Guess:
    """What a file's POSTs look like, most posted first. `whole` is False when only its start was read."""

    forms: tuple[GuessedForm, ...]
    lines: int
    posts: int
    broken: int
    whole: bool

    @property
    def mapping(self) -> dict[str, str]:
        """The proposal alone: path to source, without what is left out."""
        return {form.path: form.source for form in self.forms if form.source is not None}


@dataclass(frozen=True)
class TableGuess:
    """What a table looks like: its columns, our name to theirs, and the pages among its first rows, most first."""

    format: str
    columns: tuple[str, ...]
    names: dict[str, str]
    pages: dict[str, int]

    @property
    def recorded(self) -> bool:
        """Whether rows carry their own outcome, under the guessed names."""
        return "outcome" in self.names


def guess(path: Path | str, world: World | None = None, format: str = "auto") -> Guess | TableGuess:
    """Look into a file and propose how to read it; UnreadableLog when it is nothing the lab reads."""
    found = detect(Path(path), format_named(format), None)
    return guess_posts(found, world) if found.table is None else _guess_table(found)


def guess_posts(found: Detected, world: World | None = None) -> Guess:
    """Read a log's POSTs and propose a source for each path."""
    declared = tuple((world or World.default()).sources)
    reader = found.reader()
    statuses: dict[bytes, Counter[bytes]] = {}
    lines = posts = broken = read = 0
    whole = True
    for chunk in read_chunks(found.path):
        if read >= SAMPLE_BYTES:
            whole = False
            break
        read += len(chunk.lines)
        for line in reader.read(chunk.lines):
            target = line[PATH]
            if target is None:
                text = line[BROKEN]
                lines += text is None or bool(text.strip())
                broken += bool(text and text.strip())
                continue
            lines += 1
            posts += 1
            if target in statuses or len(statuses) < _PATHS_HELD:
                statuses.setdefault(target or b"/", Counter())[line[STATUS]] += 1
    forms: list[GuessedForm] = []
    for target, counts in sorted(statuses.items(), key=lambda item: (-item[1].total(), item[0])):
        text = target.decode("utf-8", "replace")
        if len(forms) < PATHS_SHOWN and len(text) <= PATH_LENGTH and text.startswith("/") and text.isprintable():
            by_status = statuses_in_words((int(status), count) for status, count in counts.items())
            forms.append(GuessedForm(text, propose(text, declared), counts.total(), by_status, _hint(counts)))
    return Guess(tuple(forms), lines, posts, broken, whole)


def _guess_table(found: Detected) -> TableGuess:
    """Columns by name, and the pages of the first chunk."""
    assert found.table is not None  # noqa: S101 - the caller asked
    names = guess_columns(found.table.columns)
    first = next(found.table.read(), None)
    values = [record.values for record in (first.rows if first else ()) if record.values is not None]
    pages = Counter(
        page for row in values if (page := path_of(text_of(row.get(names.get("page", ""))) or "")) not in ("", UNKNOWN)
    )
    shown = {page: count for page, count in pages.most_common(PAGES_SHOWN) if len(page) <= PATH_LENGTH}
    return TableGuess(found.name, found.table.columns, names, shown)


def propose(path: str, declared: Iterable[str]) -> str | None:
    """The source a path's name suggests, among those declared; None to leave it out."""
    sources = tuple(declared)
    low = path.lower()
    if _LEAVE_OUT.search(low):
        return None
    for source, mark in _SOURCES:
        if mark.search(low) and source in sources:
            return source
    return "WEBSITE_FORM" if "WEBSITE_FORM" in sources else sources[0]


def _hint(statuses: Iterable[bytes]) -> str:
    if b"200" not in statuses:
        return ""
    if any(status.startswith(b"3") for status in statuses):
        return "Some posts are redirected and some answer 200: 200 may be the form shown again, a refusal."
    return "Posts answer 200: accepted, unless the form is shown again with its errors."
