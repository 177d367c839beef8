"""What can be asked of the simulator, and what it says to the rest."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lab.errors import BadRequest
from lab.simulator import DEMO, SCENARIOS, TROUBLES, Plan, Trouble, checked, scenario
from lab.world import Source, World

WORLD = World.default()


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(days=0), "Days must be a whole number from 1"),
        (Plan(days=5_000), "from 1 to 1,100"),
        (Plan(per_day=0), "Attempts a day must be a whole number"),
        (Plan(days=1_000, per_day=100_000), "ask for fewer days"),
        (Plan(seed=-1), "The seed"),
        (Plan(sources=("NOWHERE",)), "'NOWHERE' is no declared source; use WEBSITE_FORM"),
        (Plan(kind="burst", attempts=0), "Attempts must be"),
        (Plan(kind="burst", attempts=10_000_000), "from 1 to 100,000"),
        (Plan(kind="burst", seconds=0), "Seconds must be"),
        (Plan(troubles=(Trouble("flood"),)), "There is no trouble 'flood'; use flash_crowd"),
        (Plan(troubles=(Trouble("outage", strength=2),)), "at most 1; mend it."),
        (Plan(troubles=(Trouble("outage", field="email"),)), "breaks no field"),
        (Plan(troubles=(Trouble("outage", days_ago=71),)), "1 to 70 days ago, not 71"),
        (Plan(troubles=(Trouble("outage", at_hour=24),)), "an hour from 0"),
        (Plan(troubles=(Trouble("outage", source="X"),)), "'X' is no declared source"),
        (Plan(sources=("WEBSITE_FORM",), troubles=(Trouble("outage", source="PARTNER_API"),)), "add PARTNER_API"),
        (Plan(troubles=(Trouble("bot_flood", page="/nowhere"),)), "no declared page; use /contact"),
        (Plan(troubles=(Trouble("broken_field", field="company"),)), "break email, phone, name instead"),
        (
            Plan(kind="burst", sources=("CHAT_WIDGET",), troubles=(Trouble("silent_source"),)),
            "nothing is left to send; add another source",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence_with_the_remedy(plan: Plan, says: str) -> None:
    """A plan is checked as a whole before anything is stored."""
    with pytest.raises(BadRequest) as refused:
        checked(plan, WORLD)
    assert says in str(refused.value)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_done_in_the_default_world(name: str) -> None:
    """What is offered works."""
    assert checked(scenario(name), WORLD).scenario == name


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_can_be_done_in_a_world_of_one_source_without_pages(name: str) -> None:
    """A scenario's places are moved to where the declared world has them."""
    world = World({"FORM": Source("FORM")}, frozenset())
    plan = checked(scenario(name), world)
    assert all(one.source in (None, "FORM") and one.page is None for one in plan.troubles)


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    """The message lists the names."""
    with pytest.raises(BadRequest, match="use healthy, demo, flash_crowd"):
        scenario("quiet")


def test_a_scenario_takes_other_days_and_keeps_its_own_where_none_are_given() -> None:
    """The command line passes None for what was not asked."""
    plan = scenario("demo", days=3, per_day=None, seed=7)
    assert (plan.days, plan.per_day, plan.seed, plan.today) == (3, 1_200, 7, True)
    checked(plan, WORLD)


def test_a_plan_comes_back_from_its_parameters() -> None:
    """A run's row is enough to go on with it."""
    for plan in (*SCENARIOS.values(), Plan(kind="burst", troubles=(Trouble("outage"),))):
        assert Plan.from_params(json.loads(json.dumps(plan.params()))) == plan


def test_the_demo_has_two_incidents_in_its_last_five_days() -> None:
    """Ten weeks, then today."""
    assert (DEMO.days, DEMO.today) == (70, True)
    assert [one.name for one in DEMO.troubles] == ["broken_field", "retry_storm"]
    assert all(one.days_ago <= 5 for one in DEMO.troubles)


def test_choices_left_open_are_made_for_the_world() -> None:
    """A trouble that needs a place is given one, and its usual strength."""
    plan = checked(Plan(troubles=tuple(Trouble(name) for name in TROUBLES)), WORLD)
    made = {one.name: one for one in plan.troubles}
    assert (made["broken_field"].source, made["broken_field"].page) == ("MOBILE_APP", "/demo")
    assert made["broken_field"].field == "phone"
    assert made["retry_storm"].source == "PARTNER_API"
    assert made["outage"].source is None
    assert all(one.strength == TROUBLES[one.name].strength for one in plan.troubles)


def test_checking_leaves_the_plan_asked_for_untouched() -> None:
    """A plan is a value."""
    asked = replace(DEMO)
    checked(asked, WORLD)
    assert asked == DEMO
