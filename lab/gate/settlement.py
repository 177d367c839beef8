"""The stages that need the database: duplicate and store, decided inside the transaction that stores the row.

Idempotency, duplicate mark, lead and attempt commit together or not at all. The trap it avoids: two copies of
one submission that both look, both find nothing, and both become leads.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from lab.attempt import Attempt, Category, DuplicateKind, Kind, Refusal, Stage
from lab.database import idempotency, leads, payloads
from lab.gate.floods import REPLAY, Floods, Likeness
from lab.gate.rows import Decision, attempt, content, second
from lab.gate.screen import Check, Screened
from lab.ids import NewId, microseconds

WINDOW_S = 24 * 3600
DOUBLE_CLICK_S = 2
_WINDOW_US = WINDOW_S * 1_000_000
_SKEW_US = 300 * 1_000_000
"""Whoever commits second may carry the earlier instant: threads and processes are not in step."""
_AT_ONCE = 5_000


class Ticket:
    """An arrival on its way through a transaction; `row` is what became of it (shared by a coalesced flood)."""

    __slots__ = ("row", "screened")

    def __init__(self, screened: Screened) -> None:
        self.screened = screened
        self.row: Attempt | None = None


Item = Ticket | Attempt
"""What goes into a transaction: an arrival still to be decided, or a row that already is (a coalesced flood)."""


class Outcome:
    """Rows to append, and what must be written beside them in the same transaction."""

    def __init__(self) -> None:
        self.rows: list[list[Attempt]] = []
        self.replays = Floods()
        self.leads: list[dict[str, Any]] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.payloads: list[dict[str, Any]] = []

    def write(self, connection: Connection) -> None:
        """Write leads, idempotency keys and payloads."""
        for part in _parts(list(self.keys)):
            connection.execute(delete(idempotency).where(idempotency.c.key_hash.in_(part)))
        for table, values in ((leads, self.leads), (idempotency, list(self.keys.values())), (payloads, self.payloads)):
            if values:
                connection.execute(insert(table), values)


class Known:
    """What the database knows about the persons and keys of one batch."""

    def __init__(self, connection: Connection, items: Iterable[Screened]) -> None:
        asked = [one for one in items if one.refusal is None or one.key_hash]
        self.leads: dict[tuple[str, str], list[tuple[int, str, str]]] = defaultdict(list)
        self.keys: dict[str, tuple[int, str, str]] = {}
        if not asked:
            return
        since = min(microseconds(one.at) for one in asked) - _WINDOW_US
        for part in _parts(sorted({one.email_hash for one in asked if one.email_hash and one.refusal is None})):
            for row in connection.execute(
                select(leads.c.email_hash, leads.c.source, leads.c.received_us, leads.c.payload_hash, leads.c.lead_id)
                .where(leads.c.email_hash.in_(part), leads.c.received_us > since)
                .order_by(leads.c.received_us)
            ):
                self.leads[row.email_hash, row.source].append((row.received_us, row.payload_hash, row.lead_id))
        for part in _parts(sorted({one.key_hash for one in asked if one.key_hash})):
            for row in connection.execute(select(idempotency).where(idempotency.c.key_hash.in_(part))):
                self.keys[row.key_hash] = (row.received_us, row.payload_hash, row.verdict)

    def copy(self) -> Known:
        """What is known now, untouched by later decisions."""
        same = Known.__new__(Known)
        same.leads = defaultdict(list, {person: list(found) for person, found in self.leads.items()})
        same.keys = dict(self.keys)
        return same

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and dict(self.leads) == dict(other.leads) and self.keys == other.keys

    __hash__ = None  # type: ignore[assignment]

    def lead(self, one: Screened, at_us: int) -> tuple[int, str, str] | None:
        """The latest lead of the same person and source in the 24 hours up to that instant, give or take the skew."""
        found = self.leads.get((one.email_hash or "", one.source), ())
        return next((lead for lead in reversed(found) if at_us - _WINDOW_US < lead[0] <= at_us + _SKEW_US), None)


class Settlement:
    """Decides a transaction's items in order; an instance is the `settle` of the log's append."""

    def __init__(self, zone: ZoneInfo, store: Check, new_id: NewId, keep_payloads: bool) -> None:
        self._zone, self._store, self._new_id, self._keep = zone, store, new_id, keep_payloads

    def __call__(self, connection: Connection, batches: Sequence[Sequence[Item]]) -> list[list[Attempt]]:
        outcome = self.decide(Known(connection, screened(batches)), batches)
        outcome.write(connection)
        return outcome.rows

    def decide(self, known: Known, batches: Sequence[Sequence[Item]]) -> Outcome:
        """Decide without writing; `known` is brought up to date with what is decided on the way."""
        outcome = Outcome()
        for batch in batches:
            rows = []
            for item in batch:
                if isinstance(item, Attempt):
                    rows.append(item)
                    continue
                item.row = row = self._one(known, item.screened, outcome)
                if row.kind == Kind.REPLAY and outcome.replays.count(likeness := _likeness(row)):
                    item.row = outcome.replays.hold(likeness, row)
                else:
                    rows.append(row)
            rows.extend(outcome.replays.release().values())
            outcome.rows.append(rows)
        return outcome

    def _one(self, known: Known, one: Screened, outcome: Outcome) -> Attempt:
        attempt_id = self._new_id(one.at)
        at_us = microseconds(one.at)
        decision = self._decision(known, one, at_us)
        if decision.refusal is None and decision.kind is Kind.ATTEMPT:
            decision = decision._replace(lead_id=self._new_id(one.at))
            self._accept(known, one, at_us, attempt_id, decision.lead_id or "", outcome)
        elif self._keep and one.email_hash and decision.kind is Kind.ATTEMPT:
            outcome.payloads.append(
                {
                    "attempt_id": attempt_id,
                    "received_us": at_us,
                    "email_hash": one.email_hash,
                    "content": content(one),
                }
            )
        if one.key_hash and decision.kind is Kind.ATTEMPT and _answer_is_kept(decision.refusal):
            _remember(known, one, at_us, attempt_id, decision, outcome)
        return attempt(one, decision, attempt_id, self._zone)

    def _decision(self, known: Known, one: Screened, at_us: int) -> Decision:
        if one.refusal is not None and one.refusal.stage is not Stage.SPAM:
            return Decision(one.refusal)
        if one.key_hash and (answer := known.keys.get(one.key_hash)) and -_SKEW_US <= at_us - answer[0] < _WINDOW_US:
            if answer[1] == one.payload_hash:
                return _replayed(answer[2])
            return Decision(
                Refusal(
                    Category.IDEMPOTENCY_KEY_REUSED,
                    Stage.DUPLICATE,
                    "The idempotency key was already used with another payload.",
                    {"window_s": WINDOW_S},
                )
            )
        if one.refusal is not None:
            return Decision(one.refusal)
        if lead := known.lead(one, at_us):
            kind = _duplicate_kind(lead, one, at_us)
            reason = f"The same person sent this source a lead in the last {WINDOW_S // 3600} hours."
            context = {"kind": kind.value, "seconds_after": max(0, at_us - lead[0]) // 1_000_000, "window_s": WINDOW_S}
            return Decision(Refusal(Category.DUPLICATE_LEAD, Stage.DUPLICATE, reason, context), duplicate=kind)
        return Decision(self._store(one.arrival, one.at))

    def _accept(
        self, known: Known, one: Screened, at_us: int, attempt_id: str, lead_id: str, outcome: Outcome
    ) -> None:
        known.leads[one.email_hash or "", one.source].append((at_us, one.payload_hash or "", lead_id))
        outcome.leads.append(
            {
                "lead_id": lead_id,
                "attempt_id": attempt_id,
                "received_us": at_us,
                "source": one.source,
                "page": one.page,
                "email_hash": one.email_hash,
                "payload_hash": one.payload_hash,
                "run_id": one.arrival.run_id,
                "content": content(one),
            }
        )


def screened(batches: Iterable[Sequence[Item]]) -> Iterator[Screened]:
    """The items still to be decided."""
    return (item.screened for batch in batches for item in batch if isinstance(item, Ticket))


def _likeness(replay: Attempt) -> Likeness:
    return Likeness(replay.client or "", replay.source, REPLAY, second(replay.received_at))


def _remember(
    known: Known, one: Screened, at_us: int, attempt_id: str, decision: Decision, outcome: Outcome
) -> None:
    refusal = decision.refusal
    answer = json.dumps(
        {
            "attempt_id": attempt_id,
            "lead_id": decision.lead_id,
            "refusal": refusal and [refusal.category, refusal.stage, refusal.reason, dict(refusal.context)],
        }
    )
    assert one.key_hash is not None  # noqa: S101 - the caller asked
    known.keys[one.key_hash] = (at_us, one.payload_hash or "", answer)
    outcome.keys[one.key_hash] = {
        "key_hash": one.key_hash,
        "payload_hash": one.payload_hash or "",
        "received_us": at_us,
        "verdict": answer,
    }


def _replayed(answer: str) -> Decision:
    told = json.loads(answer)
    refusal = None
    if told["refusal"]:
        category, stage, reason, context = told["refusal"]
        refusal = Refusal(Category(category), Stage(stage), reason, context)
    return Decision(refusal, Kind.REPLAY, DuplicateKind.CLIENT_RETRY, told["lead_id"])


def _answer_is_kept(refusal: Refusal | None) -> bool:
    """201, 409 and the answer to spam are kept for a key; after any other refusal the key may try again."""
    return refusal is None or refusal.category in {Category.DUPLICATE_LEAD, Category.SPAM_SUSPECTED}


def _duplicate_kind(lead: tuple[int, str, str], one: Screened, at_us: int) -> DuplicateKind:
    if lead[1] != one.payload_hash:
        return DuplicateKind.TRUE_DUPLICATE
    soon = abs(at_us - lead[0]) <= DOUBLE_CLICK_S * 1_000_000
    return DuplicateKind.DOUBLE_CLICK if soon else DuplicateKind.CLIENT_RETRY


def _parts(values: list[str]) -> Iterator[list[str]]:
    """SQL takes a bounded number of parameters."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
