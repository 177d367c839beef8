"""The sequence of submissions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from lab.attempt import Arrival
from lab.clock import business_day
from lab.settings import PROJECT
from lab.simulator import Plan, Trouble, checked, expected_curve, run_id_of, submissions
from lab.simulator.stream import burst_submissions, faults_of, submissions_of_day
from lab.simulator.troubles import STALE_KEY, store
from lab.world import World

WORLD, ZONE, MONDAY = World.default(), ZoneInfo("Europe/Amsterdam"), date(2026, 11, 9)
DIGEST = """
from datetime import UTC, date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo
from lab.simulator import TROUBLES, Plan, Trouble, checked, submissions
from lab.simulator.stream import burst_submissions
from lab.world import World
zone, world = ZoneInfo("Europe/Amsterdam"), World.default()
troubles = tuple(Trouble(name) for name in TROUBLES)
digest = sha256()
for arrival in submissions(checked(Plan(days=2, per_day=400, troubles=troubles), world), date(2026, 11, 9), zone, world):
    digest.update(repr(arrival).encode())
burst = checked(Plan(kind="burst", troubles=troubles), world)
digest.update(repr(burst_submissions(burst, datetime(2026, 11, 9, 12, tzinfo=UTC), zone, world, "run")).encode())
print(digest.hexdigest())
"""


def plan_of(*troubles: Trouble, days: int = 2, per_day: int = 600, **more: object) -> Plan:
    return checked(Plan(days=days, per_day=per_day, troubles=troubles, **more), WORLD)  # type: ignore[arg-type]


def all_of(plan: Plan) -> list[Arrival]:
    return list(submissions(plan, MONDAY, ZONE, WORLD))


def caused(arrivals: list[Arrival]) -> list[Arrival]:
    return [one for one in arrivals if one.fault_id]


def test_the_sequence_is_the_same_byte_for_byte_in_another_process() -> None:
    """It is a function of scenario, seed and start, not of how a process hashes its strings."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(digests) == 1


def test_another_seed_or_start_gives_another_sequence() -> None:
    """And so another run."""
    plan = plan_of()
    other = replace(plan, seed=43)
    assert [one.at for one in all_of(plan)] != [one.at for one in all_of(other)]
    assert run_id_of(plan, MONDAY, ZONE, WORLD) != run_id_of(other, MONDAY, ZONE, WORLD)
    assert run_id_of(plan, MONDAY, ZONE, WORLD) != run_id_of(plan, MONDAY + timedelta(days=1), ZONE, WORLD)


def test_a_changed_world_is_another_run() -> None:
    """What a source requires shapes what is sent, so a run is never taken up in another world."""
    plan = plan_of()
    fewer = World({"PARTNER_API": WORLD.sources["PARTNER_API"]}, WORLD.pages)
    assert run_id_of(plan, MONDAY, ZONE, WORLD) != run_id_of(plan, MONDAY, ZONE, fewer)


def test_arrivals_are_in_order_of_time_and_within_their_business_days() -> None:
    """The gate takes its clock from them."""
    arrivals = all_of(plan_of(Trouble("retry_storm", at_hour=23.5, hours=2)))
    assert all(one.at <= after.at for one, after in pairwise(arrivals) if one.at and after.at)
    assert {business_day(one.at, ZONE) for one in arrivals if one.at} == {MONDAY, MONDAY + timedelta(days=1)}


def test_a_day_can_be_made_again_without_those_before_it() -> None:
    """So a resumed run does not have to begin at the beginning."""
    plan = plan_of()
    second = MONDAY + timedelta(days=1)
    run_id = run_id_of(plan, MONDAY, ZONE, WORLD)
    alone = list(submissions_of_day(plan, MONDAY, second, ZONE, WORLD, run_id, faults_of(plan, MONDAY, ZONE)))
    assert alone == [one for one in all_of(plan) if one.at and business_day(one.at, ZONE) == second]


@pytest.mark.parametrize("per_day", [40, 1_200])
def test_there_are_about_as_many_as_were_asked_for(per_day: int) -> None:
    """Over four weeks the luck of days evens out."""
    plan = plan_of(days=28, per_day=per_day)
    assert len(all_of(plan)) == pytest.approx(28 * per_day, rel=0.12)
    assert sum(expected for _, expected in expected_curve(plan, MONDAY, WORLD)) == pytest.approx(28 * per_day)


def test_weekends_and_nights_are_quiet() -> None:
    """Daily and weekly seasons."""
    times = [one.at.astimezone(ZONE) for one in all_of(plan_of(days=14)) if one.at]
    weekday = Counter(at.weekday() for at in times)
    hours = Counter(at.hour for at in times)
    assert weekday[5] + weekday[6] < (weekday[1] + weekday[2]) * 0.8
    assert hours[3] * 2 < hours[10]


def test_only_the_sources_asked_for_send() -> None:
    """Apart from the few that name a source nobody declared."""
    arrivals = all_of(plan_of(sources=("CHAT_WIDGET", "PARTNER_API")))
    assert {one.submission.source for one in arrivals if one.submission} <= {"CHAT_WIDGET", "PARTNER_API", "OLD_FORM"}


def test_a_healthy_world_has_honest_mistakes_but_no_fault() -> None:
    """Withdrawn keys, repeated keys, robots, unread bodies: all there, none marked."""
    arrivals = all_of(plan_of(days=7))
    assert not caused(arrivals)
    assert any(one.credential == STALE_KEY for one in arrivals)
    assert any(one.submission and one.submission.idempotency_key for one in arrivals)
    assert any(one.submission and one.submission.website for one in arrivals)
    assert any(one.submission is None and one.refused for one in arrivals)
    assert all(one.run_id for one in arrivals)


def test_latencies_are_believable() -> None:
    """Around 30 to 40 ms in the middle, with a long tail."""
    latencies = sorted(one.latency_ms for one in all_of(plan_of(days=4)) if one.latency_ms is not None)
    assert 27 < latencies[len(latencies) // 2] < 40
    assert 55 < latencies[len(latencies) * 95 // 100] < 130


@pytest.mark.parametrize("name", ["flash_crowd", "bot_flood", "retry_storm"])
def test_a_trouble_that_adds_attempts_adds_them_at_its_place_and_time(name: str) -> None:
    """About strength times the usual rate, and not one outside."""
    plan = plan_of(Trouble(name, days_ago=1, at_hour=10, hours=6, source="WEBSITE_FORM", strength=4))
    (fault,) = faults_of(plan, MONDAY, ZONE)
    hit = caused(all_of(plan))
    assert len(hit) == pytest.approx(600 * 6 / 24 * 4, rel=0.35)
    assert all(one.at and fault.start <= one.at < fault.end for one in hit)
    assert {one.submission.source for one in hit if one.submission} == {"WEBSITE_FORM"}
    assert {one.fault_id for one in hit} == {fault.fault_id}


@pytest.mark.parametrize(
    ("field", "sent"), [("phone", {"undefined"}), ("email", {"[object Object]"}), ("name", {""})]
)
def test_a_broken_field_arrives_mangled_from_one_source_on_one_page(field: str, sent: set[str]) -> None:
    """Nobody else's form is touched."""
    trouble = Trouble("broken_field", days_ago=2, at_hour=0, hours=48, source="WEBSITE_FORM", page="/demo", field=field)
    hit = [one.submission for one in caused(all_of(plan_of(trouble))) if one.submission]
    assert len(hit) > 30
    assert {(one.source, one.page) for one in hit} == {("WEBSITE_FORM", "/demo")}
    assert {getattr(one, field) for one in hit} == sent


def test_an_outage_strikes_in_the_store_and_not_in_what_is_sent() -> None:
    """The submissions are sound; the collaborator refuses them."""
    hit = caused(all_of(plan_of(Trouble("outage"))))
    assert len(hit) > 50
    refusals = [store(one, one.at) for one in hit if one.at]
    assert {one and (one.category, one.stage) for one in refusals} == {("UPSTREAM_ERROR", "store")}
    assert all(one.refused is None for one in hit)


def test_a_silent_source_sends_nothing_and_the_others_go_on() -> None:
    """Silence leaves no attempt that could carry a mark."""
    plan = plan_of(Trouble("silent_source", days_ago=1, at_hour=0, hours=24, source="WEBSITE_FORM"))
    second = [
        one.submission.source
        for one in all_of(plan)
        if one.submission and one.at and business_day(one.at, ZONE) > MONDAY
    ]
    assert "WEBSITE_FORM" not in second
    assert "LANDING_PAGE" in second


def test_troubles_outside_the_plan_are_cut_to_it() -> None:
    """A fault begins with the first day at the earliest and ends with the last."""
    plan = plan_of(Trouble("outage", days_ago=1, at_hour=20, hours=40))
    (fault,) = faults_of(plan, MONDAY, ZONE)
    assert fault.end.astimezone(ZONE).isoformat() == "2026-11-11T00:00:00+01:00"


@pytest.mark.parametrize("seconds", [1, 60, 900])
@pytest.mark.parametrize("trouble", [None, "bot_flood", "retry_storm", "flash_crowd", "silent_source", "outage"])
def test_a_burst_has_exactly_as_many_as_asked_within_its_seconds(seconds: int, trouble: str | None) -> None:
    """In order of time, whatever the trouble."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    troubles = (Trouble(trouble),) if trouble else ()
    plan = checked(Plan(kind="burst", attempts=257, seconds=seconds, troubles=troubles), WORLD)
    arrivals = burst_submissions(plan, start, ZONE, WORLD, "run")
    times = [one.at for one in arrivals if one.at]
    assert len(times) == 257
    assert times == sorted(times)
    assert start <= times[0]
    assert times[-1] < start + timedelta(seconds=seconds)
    if trouble in {"bot_flood", "retry_storm", "flash_crowd"}:
        assert len(caused(arrivals)) > 257 * 0.6
