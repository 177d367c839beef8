"""What goes wrong on purpose: troubles by name, each with a place, a time and a strength.

A Trouble is asked for relative to a plan; a Fault is one placed on the clock. Faults that strike inside the gate
do so through its collaborators, `credentials` and `store`, so the gate itself never learns that it is simulated.
The trap it avoids: a fault nobody wrote down, which turns a detector's hit into a false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from lab.attempt import Arrival, Category, Refusal, Stage

CURRENT_KEY, STALE_KEY = "partner key, current", "partner key, withdrawn"
"""Names of what a partner shows; the world's only secrets, and they open nothing."""

UPSTREAM = Refusal(
    Category.UPSTREAM_ERROR, Stage.STORE, "The system behind the form did not take the lead.", {"upstream": "crm"}
)
EXPIRED = Refusal(
    Category.AUTHENTICATION_FAILED, Stage.CREDENTIALS, "The key is no longer valid.", {"rule": "key_expired"}
)


class TroubleKind(NamedTuple):
    """What a trouble does, in words for people. `strength` is the usual one and `most` the highest allowed.

    `adds`: strength is attempts added for each usual one; else it is the share of attempts that is hit.
    """

    name: str
    title: str
    help: str
    adds: bool
    strength: float
    most: float


TROUBLES: dict[str, TroubleKind] = {
    kind.name: kind
    for kind in (
        TroubleKind("flash_crowd", "Flash crowd", "Many real people at once, on one page of one source.", True, 4, 50),
        TroubleKind("bot_flood", "Bot flood", "Robots from a few addresses fill in one form.", True, 4, 50),
        TroubleKind("broken_field", "Broken field", "A field arrives empty or mangled.", False, 0.9, 1),
        TroubleKind("retry_storm", "Retry storm", "A client repeats its leads over and over.", True, 5, 50),
        TroubleKind("outage", "Outage", "The system behind the form refuses leads.", False, 0.85, 1),
        TroubleKind("silent_source", "Silent source", "A source sends nothing at all.", False, 1, 1),
    )
}


@dataclass(frozen=True)
class Trouble:
    """A trouble as asked for. In a backfill it begins at `at_hour` of the day `days_ago` and lasts `hours`; in a
    burst it lasts as long as the burst. What is None is chosen for you."""

    name: str
    days_ago: int = 1
    at_hour: float = 10.0
    hours: float = 4.0
    source: str | None = None
    page: str | None = None
    field: str | None = None
    strength: float | None = None


class Fault(NamedTuple):
    """A trouble on the clock, `start` included, `end` not. Its id names it within its run."""

    fault_id: str
    name: str
    start: datetime
    end: datetime
    source: str | None
    page: str | None
    field: str | None
    strength: float

    @property
    def component(self) -> str:
        """Where it strikes: source, page and field, as far as they are given."""
        return " ".join(part for part in (self.source, self.page, self.field) if part) or "every source"

    def strikes(self, source: str, page: str) -> bool:
        """Whether a submission of that source and page is within its reach."""
        return self.source in (None, source) and self.page in (None, page)


def credentials(arrival: Arrival, _at: datetime) -> Refusal | None:
    """The gate's collaborator at stage credentials: a withdrawn key opens nothing."""
    return EXPIRED if arrival.credential == STALE_KEY else None


def store(arrival: Arrival, _at: datetime) -> Refusal | None:
    """The gate's collaborator at stage store: during an outage the system behind the form says no."""
    return UPSTREAM if arrival.fault_id is not None and arrival.fault_id.startswith("outage") else None
