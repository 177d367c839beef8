"""The gate: every arrival goes in, a verdict for each comes out, durable, in order.

A live gate is shared by everything that submits now: small batches, group commit. A gate of a run (backfill)
takes its clock from the rows, has limiters of its own and writes segments that belong to the run. The trap
it avoids: a verdict given before the row behind it is on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from lab.attempt import Arrival, Attempt, Kind, Refusal, Verdict
from lab.clock import Clock, ReceiptClock, system_clock
from lab.eventlog import BULK_ROWS, SUBMISSIONS, EventLog, table_of
from lab.gate.floods import COALESCED, REPLAY, Floods, Likeness
from lab.gate.rows import Decision, attempt, second, verdict
from lab.gate.screen import Check, Screen, Screened
from lab.gate.settlement import Item, Known, Settlement, Ticket, screened
from lab.ids import NewId, uuid7
from lab.pseudonyms import Pseudonyms
from lab.world import World

Also = Callable[[Connection], None]
_REPLAYS_KEPT = 10_000
_REPLAY_KNOWN_FOR = timedelta(seconds=2)


def allow(_arrival: Arrival, _at: datetime) -> Refusal | None:
    """The collaborator that never refuses."""
    return None


class _Overtaken(Exception):
    """Somebody else's rows came between the look and the write: look again."""


class _Turn:
    """One admitted batch: where each answer will be found, what goes into the transaction, what it has consumed."""

    def __init__(self) -> None:
        self.answers: list[Item] = []
        self.items: list[Item] = []
        self.screened: list[Screened] = []
        self.counted: list[Likeness] = []
        self.released: dict[Likeness, Attempt] = {}


class _Seen(NamedTuple):
    """A replay that was confirmed: the same key and payload shortly after is one too."""

    row: Attempt
    at: datetime


class Gate:
    """May this become a lead? `_lock` guards the screen's limiters, the floods and the remembered replays."""

    def __init__(
        self,
        log: EventLog,
        world: World,
        zone: ZoneInfo,
        pseudonyms: Pseudonyms,
        *,
        clock: Clock = system_clock,
        run_id: str | None = None,
        credentials: Check = allow,
        store: Check = allow,
        keep_payloads: bool = True,
        new_id: NewId = uuid7,
    ) -> None:
        self._log = log
        self._zone = zone
        self._receipt = ReceiptClock(clock)
        self._run_id = run_id
        self._new_id = new_id
        self._screen = Screen(world, pseudonyms, credentials)
        self._settlement = Settlement(zone, store, new_id, keep_payloads and run_id is None)
        self._floods = Floods()
        self._replays: dict[tuple[str, str], _Seen] = {}
        self._lock = threading.Lock()

    def admit(
        self, arrivals: Sequence[Arrival], now: datetime | None = None, also: Also | None = None
    ) -> list[Verdict]:
        """Judge and store a batch; one verdict an arrival, in order. Durable on return.

        An arrival's own `at` is its instant of receipt, else `now`, else the clock. `also` runs in the same
        transaction. Raises QueueFull or StorageFailed; then nothing of the batch was stored.
        """
        turn = _Turn()
        with self._lock:
            self._take(turn, arrivals, now)
        try:
            self._write(turn.items, also)
        except BaseException:
            with self._lock:
                self._give_back(turn)
            raise
        with self._lock:
            self._note_replays(turn.items)
        return [verdict(_row(answer)) for answer in turn.answers]

    def not_before(self, instant: datetime) -> None:
        """Give live arrivals no time earlier than this: the end of a day that was sealed."""
        self._receipt.not_before(instant)

    def warm(self, arrivals: Sequence[Arrival]) -> None:
        """Let arrivals that an earlier, killed run already stored consume the limits again; nothing is stored."""
        with self._lock:
            for arrival in arrivals:
                self._screen.pass_through(arrival, arrival.at or self._receipt())

    def tick(self, now: datetime | None = None) -> None:
        """Write the floods of the seconds that are over; called once a second by housekeeping."""
        self._write_floods(second(now or self._receipt()))

    def close(self) -> None:
        """Write every flood still held. Idempotent."""
        self._write_floods(None)

    def _write_floods(self, before_second: int | None) -> None:
        with self._lock:
            released = self._floods.release(before_second)
        if not released:
            return
        try:
            self._write(list(released.values()), None)
        except BaseException:
            with self._lock:
                self._floods.restore(released)
            raise

    def _take(self, turn: _Turn, arrivals: Sequence[Arrival], now: datetime | None) -> None:
        """Screen a batch; `turn` says where each answer will be found, and what a failed write gives back."""
        latest = 0
        for arrival in arrivals:
            at = arrival.at or now or self._receipt()
            latest = max(latest, second(at))
            one = self._screen.pass_through(arrival, at)
            turn.screened.append(one)
            if row := self._coalesced(one, turn):
                turn.answers.append(row)
            else:
                turn.items.append(ticket := Ticket(one))
                turn.answers.append(ticket)
        turn.released = self._floods.release(None if self._run_id else latest)
        turn.items.extend(turn.released.values())

    def _give_back(self, turn: _Turn) -> None:
        """As if the batch had never come: limits, counts and held rows."""
        for one in turn.screened:
            self._screen.give_back(one)
        self._floods.restore(turn.released)
        for likeness in turn.counted:
            self._floods.give_back(likeness)

    def _coalesced(self, one: Screened, turn: _Turn) -> Attempt | None:
        """The held row this arrival was added to, or None when it gets a row of its own."""
        replayed = self._replays.get((one.key_hash or "", one.payload_hash or ""))
        if replayed is not None and one.at - replayed.at > _REPLAY_KNOWN_FOR:
            replayed = None
        if one.refusal is not None and one.refusal.category in COALESCED:
            what = one.refusal.category.value
        elif one.refusal is None and replayed is not None:
            what = REPLAY
        else:
            return None
        likeness = Likeness(one.client or "", one.source, what, second(one.at))
        turn.counted.append(likeness)
        if not self._floods.count(likeness):
            return None
        if (held := self._floods.held(likeness)) is not None:
            return self._floods.hold(likeness, held)
        row = attempt(one, Decision(one.refusal), self._new_id(one.at), self._zone)
        if what == REPLAY and replayed is not None:
            row = replayed.row._replace(attempt_id=row.attempt_id, received_at=row.received_at, day=row.day)
        return self._floods.hold(likeness, row)

    def _write(self, items: list[Item], also: Also | None) -> None:
        if self._run_id is not None or len(items) >= BULK_ROWS:
            self._write_segments(items, also)
        elif items or also is not None:
            self._log.append(SUBMISSIONS.name, items, self._settlement, also)

    def _write_segments(self, items: list[Item], also: Also | None) -> None:
        """Decide on what the database knows now, write the file, and see in the transaction that it still holds.

        Other rows may come meanwhile; only news of the same persons and keys make it look again.
        """
        while True:
            with self._log.database.read() as connection:
                version = self._log.version_in(connection, SUBMISSIONS.name)
                known = Known(connection, screened([items]))
            asked = known.copy()
            outcome = self._settlement.decide(known, [items])
            table = table_of(SUBMISSIONS, outcome.rows[0])

            def within(connection: Connection) -> None:
                news = self._log.version_in(connection, SUBMISSIONS.name) != version  # noqa: B023 - called in this turn
                if news and Known(connection, screened([items])) != asked:  # noqa: B023
                    raise _Overtaken
                outcome.write(connection)  # noqa: B023
                if also is not None:
                    also(connection)

            try:
                self._log.append_table(SUBMISSIONS.name, table, run_id=self._run_id, within=within)
            except _Overtaken:
                continue
            return

    def _note_replays(self, items: Sequence[Item]) -> None:
        if self._run_id is not None:
            return
        for item in items:
            if isinstance(item, Ticket) and item.row is not None and item.row.kind == Kind.REPLAY:
                one = item.screened
                self._replays[one.key_hash or "", one.payload_hash or ""] = _Seen(item.row, one.at)
        while len(self._replays) > _REPLAYS_KEPT:
            del self._replays[next(iter(self._replays))]


def _row(answer: Item) -> Attempt:
    row = answer if isinstance(answer, Attempt) else answer.row
    assert row is not None  # noqa: S101 - a transaction that committed has decided every ticket
    return row
