"""Signs of misconfiguration: each rule speaks with its evidence, and keeps silent over small numbers."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lab.attempt import Attempt
from lab.clock import ManualClock
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import Fact, build_facts
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, attempt, bad_day, refused, usual_day

pytestmark = pytest.mark.usefixtures("after_friday")


@pytest.fixture
def signals(lab: Lab, fill: Fill) -> Callable[[list[Attempt]], dict[str, Fact]]:
    """The signals of a Friday with these rows, by key."""

    def found(rows: list[Attempt]) -> dict[str, Fact]:
        fill(rows)
        return {fact.key: fact for fact in build_facts(lab.metrics, FRIDAY, Traffic.ALL, lab.clock()).of("signals")}

    return found


@pytest.mark.usefixtures("fridays")
def test_a_bad_day_shows_each_sign_once_with_its_evidence(signals: Callable[[list[Attempt]], dict[str, Fact]]) -> None:
    """A broken field, a silent source, a limit over many users, and duplicates at machine speed."""
    found = signals(bad_day(FRIDAY))
    assert {key: (fact.text, fact.share) for key, fact in found.items()} == {
        "signal:field:phone:MOBILE_APP": ("60", "100.0% of the failures naming it"),
        "signal:silent:LANDING_PAGE": ("0", None),
        "signal:limit:WEBSITE_FORM": ("40", "40 attempts refused"),
        "signal:duplicates:PARTNER_API": ("30", "30 in the day"),
    }
    assert found["signal:silent:LANDING_PAGE"].base == 50.0


@pytest.mark.usefixtures("fridays")
def test_a_usual_day_shows_none(signals: Callable[[list[Attempt]], dict[str, Fact]]) -> None:
    """One failure in ten, spread over sources, is no sign."""
    assert signals(usual_day(FRIDAY, 200)) == {}


def test_small_numbers_are_no_sign(signals: Callable[[list[Attempt]], dict[str, Fact]]) -> None:
    """Nineteen failures of one field are fewer than a rule asks for."""
    phone = {"failure_context": '{"field":"phone"}'}
    assert signals([refused(FRIDAY, one, "VALIDATION_FAILED", "validation", "No.", **phone) for one in range(19)]) == {}


def test_a_field_that_fails_everywhere_is_no_sign_of_one_source(
    signals: Callable[[list[Attempt]], dict[str, Fact]],
) -> None:
    """The rule asks that four in five of a field's failures belong to one source."""
    sources = ("WEBSITE_FORM", "MOBILE_APP")
    rows = [
        refused(FRIDAY, one, "VALIDATION_FAILED", "validation", "No.", source=sources[one % 2],
                failure_context='{"field":"phone"}')
        for one in range(100)
    ]  # fmt: skip
    rows += [attempt(FRIDAY, 1_000 + one, source=sources[one % 2]) for one in range(100)]
    assert signals(rows) == {}


def test_a_source_of_which_nearly_everything_fails_is_a_sign(
    signals: Callable[[list[Attempt]], dict[str, Fact]],
) -> None:
    """Whatever the reasons, even without any."""
    rows = [refused(FRIDAY, one, "UNSPECIFIED", "validation", "", source="LANDING_PAGE") for one in range(30)]
    assert signals(rows)["signal:failing:LANDING_PAGE"].share == "100.0% of its attempts"


def test_a_source_whose_credentials_mostly_fail_is_a_sign(
    signals: Callable[[list[Attempt]], dict[str, Fact]],
) -> None:
    """Thirty of forty attempts refused for credentials."""
    rows = [attempt(FRIDAY, one, source="PARTNER_API") for one in range(10)]
    rows += [
        refused(FRIDAY, 100 + one, "AUTHENTICATION_FAILED", "credentials", "Expired.", source="PARTNER_API")
        for one in range(30)
    ]
    assert signals(rows)["signal:credentials:PARTNER_API"].share == "75.0% of its attempts"


@pytest.mark.usefixtures("fridays")
def test_no_source_is_called_silent_before_its_day_is_over(
    signals: Callable[[list[Attempt]], dict[str, Fact]], clock: ManualClock
) -> None:
    """At six in the morning most of a day is still to come."""
    clock.at = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    assert signals([attempt(FRIDAY, 60)]) == {}


def limited(scope: str | None, users: int, each: int) -> list[Attempt]:
    """So many users refused by a limit of that scope, so many times each."""
    context = None if scope is None else f'{{"limit":10,"scope":"{scope}"}}'
    return [
        refused(FRIDAY, 100 * user + one, "RATE_LIMIT_EXCEEDED", "limits", "Too many.", failure_context=context,
                user_id=f"u_{user:016x}")
        for user in range(users)
        for one in range(each)
    ] + [attempt(FRIDAY, 10_000 + one) for one in range(400)]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "users", "each", "found_key"),
    [
        ("client", 30, 2, "signal:limit:WEBSITE_FORM"), ("user", 5, 10, "signal:repeats:WEBSITE_FORM"),
        ("user", 30, 2, None), ("client", 5, 10, None), (None, 30, 2, None),
    ],
)  # fmt: skip
def test_what_a_limit_counts_tells_what_its_refusals_may_mean(
    signals: Callable[[list[Attempt]], dict[str, Fact]], scope: str | None, users: int, each: int, found_key: str | None
) -> None:
    """A shared address only where one client was limited, a loop only where one user was, over and over."""
    assert list(signals(limited(scope, users, each))) == ([found_key] if found_key else [])
