"""From a table's records to what is stored: recorded attempts, and arrivals that the gate is to judge.

A row with an outcome is recorded: own time and outcome, no lead. One without is judged. The trap it avoids: a
stranger's words in the log. Of a refusal only a category of ours is taken; the reason is our template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lab.attempt import UNKNOWN, Arrival, Attempt, Category, Channel, Kind, Outcome, Submission
from lab.clock import business_day
from lab.gate.screen import page_path, utm
from lab.ids import uuid7
from lab.importer.columns import Layout
from lab.importer.formats import When, moment
from lab.importer.records import Record
from lab.importer.values import instant_of, text_of, truth_of, whole_of
from lab.pseudonyms import Pseudonyms
from lab.user_agent import family
from lab.world import World

MOST_REPEATS = 1_000_000_000
_OUTCOMES = {
    **dict.fromkeys(("success", "succeeded", "accepted", "ok", "true", "1"), Outcome.SUCCESS),
    **dict.fromkeys(("failed", "failure", "refused", "rejected", "error", "false", "0"), Outcome.FAILED),
}
_CATEGORIES = frozenset(Category)
_TEXTS = ("name", "phone", "company", "message", "user_id", "utm_source", "utm_medium", "utm_campaign")


class RecordedRow(NamedTuple):
    """A row with its own outcome, ready to be stored."""

    line_hash: bytes
    occurrence: int
    when: When
    attempt: Attempt

    @property
    def success(self) -> bool:
        return self.attempt.outcome == Outcome.SUCCESS.value

    @property
    def attempts(self) -> int:
        """How many attempts it stands for; a replay is none."""
        return self.attempt.repeat_count if self.attempt.kind == Kind.ATTEMPT.value else 0


class JudgedRow(NamedTuple):
    """A row without an outcome, on its way to the gate."""

    line_hash: bytes
    occurrence: int
    when: When
    arrival: Arrival


class Given:
    """Reads the records of one file, by its layout."""

    def __init__(
        self, layout: Layout, forms: Mapping[str, str], world: World, zone: ZoneInfo, pseudonyms: Pseudonyms
    ) -> None:
        self._lookups = layout.lookups()
        self._used = {*self._lookups.values(), "time"}
        self._forms = {page_path(page): source for page, source in forms.items()}
        self._world = world.with_pages(set(self._forms))
        self._zone = zone
        self._pseudonyms = pseudonyms
        self._when: Callable[[str], When | None] = lru_cache(maxsize=4096)(self._moment)

    def row(self, record: Record, line_hash: bytes, occurrence: int) -> RecordedRow | JudgedRow | None:
        """The record as a row; None when it has no time, or an outcome that is none."""
        values = record.values
        if values is None:
            return None
        cell = {ours: values.get(theirs) for ours, theirs in self._lookups.items()}
        time = values.get("time") if cell["received_at"] is None else cell["received_at"]
        when = self._when(time) if isinstance(time, str) else self._moment(time)
        if when is None:
            return None
        if self._lookups["outcome"] in values:
            attempt = self._recorded(cell, when)
            return attempt and RecordedRow(line_hash, occurrence, when, attempt)
        return JudgedRow(line_hash, occurrence, when, self._judged(cell, values, when, len(record.raw)))

    def _moment(self, value: Any) -> When | None:
        at = instant_of(value)
        return None if at is None else moment(at, self._zone)

    def _recorded(self, cell: Mapping[str, Any], when: When) -> Attempt | None:
        outcome = _OUTCOMES.get((text_of(cell["outcome"]) or "").strip().lower())
        repeats = 1 if cell["repeat_count"] in (None, "") else whole_of(cell["repeat_count"])
        if outcome is None or repeats is None or not 0 < repeats <= MOST_REPEATS:
            return None
        category = reason = None
        if outcome is Outcome.FAILED:
            said = (text_of(cell["failure_category"]) or "").strip().upper()
            category = said if said in _CATEGORIES else Category.UNSPECIFIED.value
            reason = f"The imported row records {category}."
        page, source = self._page_and_source(cell)
        person = text_of(cell["user_id"]) or (text_of(cell["email"]) or "").strip().lower()
        client, agent = text_of(cell["client"]), text_of(cell["user_agent"])
        replay = (text_of(cell["kind"]) or "").strip().lower() == Kind.REPLAY.value
        return Attempt(
            attempt_id=uuid7(when.at),
            seq=0,
            received_at=when.at,
            day=business_day(when.at, self._zone),
            occurred_at=instant_of(cell["occurred_at"]),
            channel=Channel.IMPORT.value,
            kind=(Kind.REPLAY if replay else Kind.ATTEMPT).value,
            source=source if source in self._world.sources else UNKNOWN,
            page=page if page in self._world.pages else UNKNOWN,
            user_id=self._pseudonyms.user(person) if person else None,
            outcome=outcome.value,
            failure_category=category,
            failure_stage=None,
            failure_reason=reason,
            failure_context=None,
            duplicate_kind=None,
            lead_id=None,
            latency_ms=None,
            idempotency_key=None,
            client=self._pseudonyms.client(client.removeprefix("::ffff:")) if client else None,
            user_agent=family(agent) if agent else None,
            utm_source=utm(text_of(cell["utm_source"])),
            utm_medium=utm(text_of(cell["utm_medium"])),
            utm_campaign=utm(text_of(cell["utm_campaign"])),
            trace_id=None,
            repeat_count=repeats,
            run_id=None,
            fault_id=None,
        )

    def _judged(self, cell: Mapping[str, Any], values: Mapping[str, Any], when: When, size: int) -> Arrival:
        page, source = self._page_and_source(cell)
        fields = {name: text for name in values if name not in self._used and (text := text_of(values[name]))}
        if isinstance(cell["fields"], dict):
            fields |= {str(name): text for name, value in cell["fields"].items() if (text := text_of(value))}
        client = text_of(cell["client"])
        submission = Submission(
            source,
            page,
            text_of(cell["email"]) or "",
            **{name: text_of(cell[name]) for name in _TEXTS},
            consent=truth_of(cell["consent"]),
            occurred_at=instant_of(cell["occurred_at"]),
            idempotency_key=text_of(cell["idempotency_key"]),
            website=text_of(cell["website"]),
            elapsed_ms=whole_of(cell["elapsed_ms"]),
            fields={text_of(name) or "?": text for name, text in fields.items()},
        )
        return Arrival(
            submission,
            Channel.IMPORT,
            when.at,
            client=client.removeprefix("::ffff:") if client else None,
            user_agent=text_of(cell["user_agent"]),
            size_bytes=size,
        )

    def _page_and_source(self, cell: Mapping[str, Any]) -> tuple[str, str]:
        """The page's path, and the source that the row names or that was said for this page."""
        page = path_of(text_of(cell["page"]) or "")
        return page, (text_of(cell["source"]) or "").strip() or self._forms.get(page, UNKNOWN)


@lru_cache(maxsize=4096)
def path_of(page: str) -> str:
    """A page's path, also of a full address."""
    text = page.strip()
    if "://" in text[:20]:
        text = "/" + text.split("://", 1)[1].partition("/")[2]
    return page_path(text)
