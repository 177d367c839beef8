"""The sequence of submissions: a pure function of plan, start, zone and world, byte for byte.

Each business day has randomness of its own, so a day can be made again without those before it, and today's
beginning stays what it was while the day goes on. The trap it avoids: randomness that depends on how much of
it was used before, on the process, or on the hour at which somebody pressed the button.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from lab.attempt import Arrival
from lab.clock import day_bounds
from lab.ids import microseconds
from lab.simulator.people import pool, seeded
from lab.simulator.personas import BATCH, mix_of
from lab.simulator.plan import Plan
from lab.simulator.seasons import Slice, factor, habit_of, instant_at, mood, poisson, slices, unevenness
from lab.simulator.troubles import TROUBLES, Fault
from lab.simulator.visits import Visits
from lab.world import World

_SHARES = {
    "WEBSITE_FORM": 0.34,
    "LANDING_PAGE": 0.22,
    "MOBILE_APP": 0.16,
    "PARTNER_API": 0.14,
    "REFERRAL_WIDGET": 0.08,
    "CHAT_WIDGET": 0.06,
}
_POPULARITY = {"/pricing": 30.0, "/demo": 26.0, "/contact": 20.0, "/webinar": 14.0, "/ebook": 10.0}
_LIKES = {
    ("LANDING_PAGE", "/ebook"): 3.0,
    ("LANDING_PAGE", "/webinar"): 2.5,
    ("MOBILE_APP", "/demo"): 1.8,
    ("CHAT_WIDGET", "/contact"): 2.5,
    ("PARTNER_API", "/webinar"): 2.0,
}
_ATTEMPTS_A_VISIT = {"flash_crowd": 1.0, "bot_flood": 4.0, "retry_storm": 20.0}
_ADDING = frozenset(_ATTEMPTS_A_VISIT)
_BURST_IDENTITIES = 2_000_000


def run_id_of(plan: Plan, start: date | datetime, zone: ZoneInfo, world: World) -> str:
    """The id of a run: a hash of all that shapes its submissions."""
    shape = {
        "plan": plan.params(),
        "start": start.isoformat(),
        "zone": zone.key,
        "sources": [[one.name, list(one.required), one.min_fill_ms] for one in world.sources.values()],
        "pages": sorted(world.pages),
        "max_bytes": world.limits.max_bytes,
    }
    digest = sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
    return f"{plan.kind}-{digest[:20]}"


def days_of(plan: Plan, start: date) -> list[date]:
    """A backfill's business days; with `today` the day after the last whole one is added."""
    return [start + timedelta(days=number) for number in range(plan.days + plan.today)]


def faults_of(plan: Plan, start: date, zone: ZoneInfo) -> list[Fault]:
    """A backfill's troubles on the clock, as far as they fall within its days."""
    first, _ = day_bounds(start, zone)
    _, end = day_bounds(days_of(plan, start)[-1], zone)
    today = start + timedelta(days=plan.days)
    faults = []
    for number, one in enumerate(plan.troubles, 1):
        begins = instant_at(today - timedelta(days=one.days_ago), one.at_hour, zone)
        begin, finish = max(begins, first), min(begins + timedelta(hours=one.hours), end)
        if begin < finish:
            strength = TROUBLES[one.name].strength if one.strength is None else one.strength
            faults.append(
                Fault(f"{one.name}-{number}", one.name, begin, finish, one.source, one.page, one.field, strength)
            )
    return faults


def submissions(plan: Plan, start: date, zone: ZoneInfo, world: World) -> Iterator[Arrival]:
    """A checked backfill plan's arrivals in order of time, each with its instant of receipt, run and fault."""
    faults = faults_of(plan, start, zone)
    run_id = run_id_of(plan, start, zone, world)
    for day in days_of(plan, start):
        yield from submissions_of_day(plan, start, day, zone, world, run_id, faults)


def submissions_of_day(
    plan: Plan, start: date, day: date, zone: ZoneInfo, world: World, run_id: str, faults: Sequence[Fault]
) -> Iterator[Arrival]:
    """One business day's arrivals in order of time. What would follow after midnight is left out."""
    random = seeded("day", plan.scenario, plan.seed, start, day)
    scene = _Scene(plan, world, run_id, random, max(20_000, 60 * plan.per_day), min(BATCH, 3 + plan.per_day / 60))
    first, after = day_bounds(day, zone)
    today = [fault for fault in faults if fault.start < after and fault.end > first]
    busy = plan.per_day * mood(random)
    pending = scene.visits.sent
    for part in slices(day, zone):
        now = [fault for fault in today if _us(fault.start) < part.end_us and _us(fault.end) > part.start_us]
        scene.visits.faults = now
        scene.fill(part, busy, now)
        pending.sort()
        ready = bisect(pending, (part.end_us,))
        for _, _, arrival in pending[:ready]:
            yield arrival
        del pending[:ready]


def burst_submissions(plan: Plan, start: datetime, zone: ZoneInfo, world: World, run_id: str) -> list[Arrival]:
    """A checked burst's arrivals, exactly as many as asked for, within its seconds from `start`."""
    random = seeded("burst", plan.scenario, plan.seed, start.isoformat())
    span_us = plan.seconds * 1_000_000
    batch = max(1.0, min(BATCH, plan.attempts / 20))
    scene = _Scene(plan, world, run_id, random, _BURST_IDENTITIES, batch)
    visits, start_us = scene.visits, microseconds(start)
    visits.faults = faults = burst_faults(plan, start)
    visits.hurry = min(1.0, plan.seconds / 120)
    adding = [fault for fault in faults if fault.name in _ADDING]
    extra_visits = [fault.strength / _ATTEMPTS_A_VISIT[fault.name] for fault in adding]
    weekday, hour = start.astimezone(zone).weekday(), start.astimezone(zone).hour
    rates = scene.rates(weekday, hour)
    cumulative = list(accumulate([sum(rates), *extra_visits]))
    sources = list(accumulate(rates))
    seen = 0
    while len(visits.sent) < plan.attempts:
        at_us = start_us + int(random.random() * span_us)
        who = bisect(cumulative, random.random() * cumulative[-1])
        if 0 < who <= len(adding):
            visits.one_more(adding[who - 1], at_us, scene.page(adding[who - 1].source or scene.sources[0]))
        else:
            source = scene.sources[min(bisect(sources, random.random() * sources[-1]), len(sources) - 1)]
            visits.visit(at_us, source, scene.page(source))
        visits.sent[seen:] = [one for one in visits.sent[seen:] if one[0] < start_us + span_us]
        seen = len(visits.sent)
    return [arrival for _, _, arrival in sorted(visits.sent[: plan.attempts])]


def burst_faults(plan: Plan, start: datetime) -> list[Fault]:
    """A burst's troubles: each lasts as long as the burst."""
    start, end = start.astimezone(UTC), start.astimezone(UTC) + timedelta(seconds=plan.seconds)
    return [
        Fault(
            f"{one.name}-{number}",
            one.name,
            start,
            end,
            one.source,
            one.page,
            one.field,
            TROUBLES[one.name].strength if one.strength is None else one.strength,
        )
        for number, one in enumerate(plan.troubles, 1)
    ]


def expected_curve(plan: Plan, start: date, world: World) -> list[tuple[date, float]]:
    """Attempts expected on each day of a backfill, troubles and luck left out."""
    shares = _shares(plan, world)
    return [
        (day, plan.per_day * sum(share * habit_of(name).weekdays[day.weekday()] for name, share in shares.items()))
        for day in days_of(plan, start)
    ]


class _Scene:
    """One day's or burst's sources, pages and visits, with the randomness they share."""

    def __init__(
        self, plan: Plan, world: World, run_id: str, random: Random, identities: int, batch: float
    ) -> None:
        self._random = random
        self._shares = _shares(plan, world)
        self.sources = list(self._shares)
        self._rates: dict[tuple[int, int], list[float]] = {}
        self.visits = Visits(random, pool(plan.seed), world, run_id=run_id, identities=identities, batch=batch)
        pages = sorted(world.pages) or ["/"]
        self._pages = {
            name: (pages, list(accumulate(_POPULARITY.get(page, 15) * _LIKES.get((name, page), 1) for page in pages)))
            for name in world.sources
        }

    def page(self, source: str) -> str:
        """A page, as popular as it is with that source's people."""
        pages, cumulative = self._pages[source]
        return pages[min(bisect(cumulative, self._random.random() * cumulative[-1]), len(pages) - 1)]

    def rates(self, weekday: int, hour: int) -> list[float]:
        """Visits of each source in that hour, for one attempt of an average hour in all."""
        if (weekday, hour) not in self._rates:
            self._rates[weekday, hour] = [
                share * factor(habit_of(name), weekday, hour) / mix_of(name).attempts_a_visit
                for name, share in self._shares.items()
            ]
        return self._rates[weekday, hour]

    def fill(self, part: Slice, per_day: float, faults: Sequence[Fault]) -> None:
        """Let everybody come who comes in that slice."""
        random, visits = self._random, self.visits
        rates = self.rates(part.weekday, part.hour)
        cumulative = list(accumulate(rates))
        usual = per_day * part.share
        span_us = part.end_us - part.start_us
        last = len(rates) - 1
        for _ in range(poisson(random, usual * cumulative[-1] * unevenness(random))):
            source = self.sources[min(bisect(cumulative, random.random() * cumulative[-1]), last)]
            visits.visit(part.start_us + int(random.random() * span_us), source, self.page(source))
        for fault in faults:
            if fault.name in _ADDING:
                begin_us, end_us = max(part.start_us, _us(fault.start)), min(part.end_us, _us(fault.end))
                share = (end_us - begin_us) / span_us
                mean = usual * share * fault.strength / _ATTEMPTS_A_VISIT[fault.name]
                for _ in range(poisson(random, mean)):
                    at_us = begin_us + int(random.random() * (end_us - begin_us))
                    visits.one_more(fault, at_us, self.page(fault.source or self.sources[0]))


def _shares(plan: Plan, world: World) -> dict[str, float]:
    names = [name for name in world.sources if not plan.sources or name in plan.sources]
    known = {name: _SHARES.get(name, 0.1) for name in names}
    return {name: share / sum(known.values()) for name, share in known.items()}


def _us(instant: datetime) -> int:
    return microseconds(instant)
