"""The rule-based analyst: reads well, differs by kind of day, and passes its own check."""

from datetime import UTC, date, datetime

import pytest

from lab.clock import ManualClock
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import SECTIONS, Draft, Facts, RuleAnalyst, build_facts, ground
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, attempt, bad_day, usual_day

pytestmark = pytest.mark.usefixtures("after_friday")


def written(lab: Lab, day: date = FRIDAY) -> tuple[Draft, Facts]:
    facts = build_facts(lab.metrics, day, Traffic.ALL, lab.clock())
    draft, _ = RuleAnalyst().write(facts)
    return draft, facts


def words(draft: Draft, key: str) -> str:
    return " ".join(one.text for one in draft.section(key).statements)


@pytest.mark.usefixtures("fridays")
def test_a_usual_day_is_told_calmly(lab: Lab, fill: Fill) -> None:
    """Volume, outcome and that no sign was found."""
    fill(usual_day(FRIDAY, 200))
    draft, _ = written(lab)
    assert draft.headline.text == "200 attempts on Friday 20 November, 180 of them accepted"
    assert words(draft, "summary").startswith(
        "The lab received 200 attempts, exactly the 200 usual on a Friday. "
        "Of these, 180 were accepted and 20 failed, 10.0% of all, against a usual 10.0%."
    )
    assert words(draft, "misconfiguration") == "None of the rules found a sign of misconfiguration."
    assert words(draft, "confidence").startswith("High.")


@pytest.mark.usefixtures("fridays")
def test_a_bad_day_leads_with_its_largest_sign(lab: Lab, fill: Fill) -> None:
    """The headline names the field and the source; each sign is one statement that claims no cause."""
    fill(bad_day(FRIDAY))
    draft, _ = written(lab)
    assert draft.headline.text == "60 failures name the field phone from MOBILE_APP on Friday 20 November"
    signs = draft.section("misconfiguration").statements
    assert len(signs) == 4
    assert all(" may " in one.text for one in signs)
    assert "MOBILE_APP sent 110 attempts, far more than its usual 50." in words(draft, "system")


@pytest.mark.usefixtures("fridays")
def test_an_open_day_says_until_when_it_counts(lab: Lab, fill: Fill, clock: ManualClock) -> None:
    """Half a day is neither whole nor a fall."""
    clock.at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    fill(usual_day(FRIDAY, 200, until_s=43_200))
    draft, _ = written(lab)
    assert "until 12:00" in draft.headline.text
    assert words(draft, "summary").startswith("By 12:00 the lab had received 100 attempts, exactly the 100 usual by now.")
    assert words(draft, "confidence").startswith("Medium. ")


def test_a_day_without_attempts_is_a_valid_report(lab: Lab) -> None:
    """Every section has something to say about nothing."""
    draft, _ = written(lab, date(2026, 11, 4))
    assert draft.headline.text == "No attempts on Wednesday 4 November"
    assert [section.key for section in draft.sections] == [key for key, _ in SECTIONS]
    assert all(section.statements for section in draft.sections)


def test_a_single_attempt_reads_as_one(lab: Lab, fill: Fill) -> None:
    """Grammar holds at the small end."""
    fill([attempt(FRIDAY, 1)])
    draft, _ = written(lab)
    assert draft.headline.text == "1 attempt on Friday 20 November, accepted"
    assert "1 attempts" not in words(draft, "summary")
    assert words(draft, "confidence").startswith("Low.")


@pytest.mark.usefixtures("fridays")
@pytest.mark.parametrize("state", ["usual", "bad", "empty", "one", "open", "repeats", "flood"])
def test_every_figure_of_its_own_passes_the_check(lab: Lab, fill: Fill, clock: ManualClock, state: str) -> None:
    """The yardstick measures true: nothing is dropped, whatever the day was."""
    day = date(2026, 11, 19) if state == "empty" else FRIDAY
    if state == "open":
        clock.at = datetime(2026, 11, 20, 14, 20, tzinfo=UTC)
    fill({
        "usual": usual_day(FRIDAY, 200), "bad": bad_day(FRIDAY), "empty": [], "one": [attempt(FRIDAY, 1)],
        "open": usual_day(FRIDAY, 900, until_s=51_600),
        "repeats": [
            attempt(FRIDAY, one, duplicate_kind=("double_click", "client_retry", "true_duplicate")[one % 3])
            for one in range(30)
        ],
        "flood": [attempt(FRIDAY, 50_000 + one // 40, user_id="u_00000000000000ff") for one in range(4_000)],
    }[state] or [attempt(date(2026, 11, 3), 1)])  # fmt: skip
    draft, facts = written(lab, day)
    checked, checks = ground(draft, facts, draft)
    assert checks.dropped == ()
    assert checks.stood_in == ()
    assert checked == draft


def test_equal_facts_give_an_equal_draft(lab: Lab, fill: Fill) -> None:
    """No clock, no chance."""
    fill(bad_day(FRIDAY))
    assert written(lab)[0] == written(lab)[0]
