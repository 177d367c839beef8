"""What is asked of the simulator: a backfill of past days, or a burst now.

A plan is a value: equal plans with equal starts give equal submissions. The trap it avoids: a plan that is
found impossible after half of it has been stored; `checked` says so first, in one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

from lab.errors import BadRequest
from lab.simulator.troubles import TROUBLES, Trouble
from lab.world import FIELDS, World

MOST_DAYS, MOST_PER_DAY, MOST_IN_ALL = 1_100, 200_000, 20_000_000
MOST_ATTEMPTS, MOST_SECONDS = 100_000, 3_600
_PREFERRED = ("MOBILE_APP", "WEBSITE_FORM", "LANDING_PAGE")


@dataclass(frozen=True)
class Plan:
    """What to simulate. `days`, `per_day`, `today` and `start` shape a backfill; `attempts` and `seconds` a burst.

    Without `start` a backfill ends yesterday; `today` goes on with today up to now. No `sources` means all.
    """

    kind: Literal["backfill", "burst"] = "backfill"
    scenario: str = "healthy"
    seed: int = 42
    sources: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    days: int = 70
    per_day: int = 1_200
    today: bool = False
    start: date | None = None
    attempts: int = 300
    seconds: int = 60

    def params(self) -> dict[str, Any]:
        """The plan as JSON has it; only what matters to its kind."""
        given = asdict(self)
        given["start"] = self.start.isoformat() if self.start else None
        other = ("attempts", "seconds") if self.kind == "backfill" else ("days", "per_day", "today", "start")
        return {name: value for name, value in given.items() if name not in other}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Plan:
        """The plan that `params` came from."""
        given = dict(params)
        given["sources"] = tuple(given.get("sources") or ())
        given["troubles"] = tuple(Trouble(**one) for one in given.get("troubles") or ())
        given["start"] = date.fromisoformat(given["start"]) if given.get("start") else None
        return cls(**given)


DEMO = Plan(
    scenario="demo",
    today=True,
    troubles=(
        Trouble("broken_field", days_ago=4, at_hour=9, hours=48, source="MOBILE_APP", page="/demo", field="phone"),
        Trouble("retry_storm", days_ago=1, at_hour=14, hours=2.5, source="PARTNER_API"),
    ),
)
"""Ten weeks with two incidents in the last five days, and today up to now."""

SCENARIOS: dict[str, Plan] = {
    "healthy": Plan(),
    "demo": DEMO,
    **{
        name: Plan(scenario=name, troubles=(Trouble(name, hours=24 if name == "silent_source" else 4),))
        for name in TROUBLES
    },
}


def scenario(name: str, **changes: Any) -> Plan:
    """A scenario by name, with other days, per_day, seed or sources; BadRequest when there is none of that name."""
    if name not in SCENARIOS:
        raise BadRequest(f"There is no scenario {name[:40]!r}; use {', '.join(SCENARIOS)}.")
    return replace(SCENARIOS[name], **{key: value for key, value in changes.items() if value is not None})


def checked(plan: Plan, world: World) -> Plan:
    """The plan with every choice left open made for this world; BadRequest says what cannot be done, and the remedy."""
    if plan.kind == "backfill":
        _within("days", plan.days, 1, MOST_DAYS)
        _within("attempts a day", plan.per_day, 1, MOST_PER_DAY)
        if plan.days * plan.per_day > MOST_IN_ALL:
            raise BadRequest(
                f"{plan.days:,} days of {plan.per_day:,} attempts are more than {MOST_IN_ALL:,}; "
                "ask for fewer days or fewer attempts a day."
            )
    elif plan.kind == "burst":
        _within("attempts", plan.attempts, 1, MOST_ATTEMPTS)
        _within("seconds", plan.seconds, 1, MOST_SECONDS)
    else:
        raise BadRequest(f"A simulation is a backfill or a burst, not {plan.kind!r}; choose one of them.")
    _within("the seed", plan.seed, 0, 2**63 - 1)
    for source in plan.sources:
        _declared(source, world)
    usual = plan.scenario in SCENARIOS and plan.troubles == SCENARIOS[plan.scenario].troubles
    return replace(plan, troubles=tuple(_trouble(one, plan, world, usual) for one in plan.troubles))


def _trouble(one: Trouble, plan: Plan, world: World, usual: bool) -> Trouble:
    kind = TROUBLES.get(one.name)
    if kind is None:
        raise BadRequest(f"There is no trouble {one.name[:40]!r}; use {', '.join(TROUBLES)}.")
    sources = plan.sources or tuple(world.sources)
    source, page = one.source, one.page
    if usual and source not in sources:
        source = None
    if usual and page not in world.pages:
        page = None
    if source is not None:
        _declared(source, world)
        if source not in sources:
            raise BadRequest(f"The trouble is at {source}, which takes no part; add {source} to the sources.")
    elif one.name != "outage":
        source = _preferred(one.name, sources)
    if page is not None and page not in world.pages:
        raise BadRequest(f"{page[:80]!r} is no declared page; use {', '.join(sorted(world.pages)) or 'none'}.")
    if page is None and world.pages and one.name in {"flash_crowd", "bot_flood", "broken_field"}:
        page = "/demo" if "/demo" in world.pages else min(world.pages)
    field = one.field
    if one.name == "broken_field":
        field = field or "phone"
        seen = dict.fromkeys(("email", "phone", *(world.sources[source].required if source else ())))
        if field not in FIELDS or field not in seen:
            raise BadRequest(f"{source} does not ask for {field[:40]!r}; break {', '.join(seen)} instead.")
    elif field is not None:
        raise BadRequest(f"A {kind.title.lower()} breaks no field; leave the field out or choose a broken field.")
    strength = kind.strength if one.strength is None else one.strength
    if not 0 < strength <= kind.most:
        raise BadRequest(f"The strength of a {kind.title.lower()} must be above 0 and at most {kind.most:g}; mend it.")
    if one.name == "silent_source" and plan.kind == "burst" and set(sources) == {source} and strength == 1:
        raise BadRequest(f"With {source} silent nothing is left to send; add another source.")
    if plan.kind == "backfill" and not usual:
        if not 0 <= one.at_hour < 24 or not 0 < one.hours <= 24 * plan.days:
            raise BadRequest("A trouble begins at an hour from 0 to 23.9 and lasts no longer than the plan; mend it.")
        first = 0 if plan.today else 1
        if not first <= one.days_ago <= plan.days:
            raise BadRequest(f"A trouble begins {first} to {plan.days} days ago, not {one.days_ago}; mend it.")
    return replace(one, source=source, page=page, field=field, strength=float(strength))


def _preferred(trouble: str, sources: tuple[str, ...]) -> str:
    if trouble == "retry_storm" and (machine := next((name for name in sources if "API" in name.split("_")), None)):
        return machine
    return next((name for name in _PREFERRED if name in sources), sources[0])


def _declared(source: str, world: World) -> None:
    if source not in world.sources:
        raise BadRequest(f"{source[:40]!r} is no declared source; use {', '.join(world.sources)}.")


def _within(what: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadRequest(f"{what[0].upper()}{what[1:]} must be a whole number from {least:,} to {most:,}; mend it.")
