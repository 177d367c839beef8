"""The rule-based analyst: reads well, differs by kind of day, and passes its own check."""

import re
from datetime import UTC, date, datetime

import pytest

from lab.clock import ManualClock
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import SECTIONS, Draft, Facts, RuleAnalyst, build_facts, ground
from lab.report.references import marks
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, attempt, bad_day, refused, storm_day, usual_day

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
        "Of these, 180 were accepted and 20 failed, 10.0% of all, against a usual 9.9%."
    )
    assert words(draft, "misconfiguration") == "None of the rules found a sign of misconfiguration."
    assert words(draft, "confidence").startswith("High.")


@pytest.mark.usefixtures("fridays")
def test_a_bad_day_leads_with_its_largest_sign(lab: Lab, fill: Fill) -> None:
    """The headline names the field and the source; each sign is one statement that claims no cause."""
    fill(bad_day(FRIDAY))
    draft, _ = written(lab)
    assert draft.headline.text == "60 failures name the field phone from Mobile app on Friday 20 November"
    signs = draft.section("misconfiguration").statements
    assert len(signs) == 4
    assert all(" may " in one.text for one in signs)
    assert "Mobile app sent 110 attempts, far more than its usual 50." in words(draft, "system")


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


@pytest.mark.parametrize(("asked", "channel", "other"), [("Real", "simulator", "Simulated"), ("Simulated", "api", "Real")])
def test_a_day_whose_attempts_are_all_of_other_traffic_says_so(
    lab: Lab, fill: Fill, asked: str, channel: str, other: str
) -> None:
    """With how many there are and the option that tells of them."""
    fill([attempt(FRIDAY, one, channel=channel, run_id="r") for one in range(7)])
    facts = build_facts(lab.metrics, FRIDAY, Traffic(asked), lab.clock())
    draft, _ = RuleAnalyst().write(facts)
    told = f"The day holds 7 {other.lower()} attempts, left out here; the traffic {other} (--traffic {other}) tells of them."
    assert told in words(draft, "summary")
    assert ground(draft, facts, draft)[1].dropped == ()


def test_a_single_attempt_reads_as_one(lab: Lab, fill: Fill) -> None:
    """Grammar holds at the small end."""
    fill([attempt(FRIDAY, 1)])
    draft, _ = written(lab)
    assert draft.headline.text == "1 attempt on Friday 20 November, accepted"
    assert "1 attempts" not in words(draft, "summary")
    assert words(draft, "confidence").startswith("Low.")


@pytest.mark.usefixtures("fridays")
def test_a_retry_storm_leads_its_day(lab: Lab, fill: Fill) -> None:
    """Refusals by the limit on one user are the same senders again, whatever else was found; no shared address."""
    fill(storm_day(FRIDAY))
    draft, facts = written(lab)
    assert draft.headline.text == "Partner API sent again and again: a limit refused 80 attempts on Friday 20 November"
    assert draft.section("misconfiguration").statements[0].text == (
        "The limit on one user refused 80 attempts of Partner API, sent by 8 users, and leads accepted before came "
        "again, up to 12 in one minute; something may be sending the same leads in a loop."
    )
    assert facts.get("signal:limit:PARTNER_API") is None
    assert "client" not in words(draft, "misconfiguration")


STATES = ("usual", "bad", "storm", "empty", "one", "two", "open", "empty open", "repeats", "flood", "all failed")


@pytest.fixture(params=STATES)
def any_day(lab: Lab, fill: Fill, fridays: None, clock: ManualClock, request: pytest.FixtureRequest) -> tuple[Draft, Facts]:
    """The draft and the facts of a day of every kind."""
    state = request.param
    day = date(2026, 11, 19) if state == "empty" else FRIDAY
    if "open" in state:
        clock.at = datetime(2026, 11, 20, 14, 20, tzinfo=UTC)
    fill({
        "usual": usual_day(FRIDAY, 200), "bad": bad_day(FRIDAY), "storm": storm_day(FRIDAY), "empty": [],
        "one": [attempt(FRIDAY, 1)], "two": [attempt(FRIDAY, 1), attempt(FRIDAY, 2)], "empty open": [],
        "open": usual_day(FRIDAY, 900, until_s=51_600),
        "repeats": [
            attempt(FRIDAY, one, duplicate_kind=("double_click", "client_retry", "true_duplicate")[one % 3])
            for one in range(30)
        ],
        "flood": [attempt(FRIDAY, 50_000 + one // 40, user_id="u_00000000000000ff") for one in range(4_000)],
        "all failed": [refused(FRIDAY, one, "UNSPECIFIED", "validation", "") for one in range(30)],
    }[state] or [attempt(date(2026, 11, 3), 1)])  # fmt: skip
    return written(lab, day)


def test_every_figure_of_its_own_passes_the_check(any_day: tuple[Draft, Facts]) -> None:
    """The yardstick measures true: nothing is dropped, whatever the day was."""
    draft, facts = any_day
    checked, checks = ground(draft, facts, draft)
    assert checks.dropped == ()
    assert checks.stood_in == ()
    assert checked == draft


TOKEN = re.compile(r"\d{1,2}:\d{2}|\d+(?:,\d{3})*(?:\.\d+)?(?:%| ms)?")


def test_every_figure_stands_in_a_fact_that_is_cited_in_order(any_day: tuple[Draft, Facts]) -> None:
    """Each number is the value, share or comparison of a cited fact, letter by letter; no fact is cited for nothing."""
    draft, facts = any_day
    said = [draft.headline, *(one for section in draft.sections for one in section.statements)]
    for statement in said:
        held = [
            (one, " ; ".join(part for part in (fact.text, fact.share, fact.compare) if part))
            for one in statement.facts
            if (fact := facts.by_id[one])
        ]
        tokens = TOKEN.findall(re.sub(r"\bU\d+\b", "U", statement.text))
        for token in tokens:
            exact = re.compile(rf"(?<![\d.,:]){re.escape(token)}(?![\d%]|[.,:]\d)")
            assert any(exact.search(text) for _, text in held), (token, statement)
        firsts = [mark.fact for mark in marks(statement.text, [facts.by_id[one] for one in statement.facts])]
        assert [one for one in statement.facts if one in firsts] == list(dict.fromkeys(firsts)), statement
        if tokens:
            idle = [facts.by_id[one].key for one in statement.facts if one not in firsts]
            assert all(facts.by_key[key].topic == "signals" or not facts.by_key[key].number for key in idle), statement


def test_names_are_written_as_the_pages_write_them(any_day: tuple[Draft, Facts]) -> None:
    """No code such as PARTNER_API or RATE_LIMIT_EXCEEDED reaches a reader; filters keep them."""
    draft, facts = any_day
    told = [draft.headline.text, *(one.text for section in draft.sections for one in section.statements)]
    told += [fact.line for fact in facts.items]
    assert not [text for text in told if re.search(r"\b[A-Z]+_[A-Z_]+\b|\bUNSPECIFIED\b", text)]


def test_equal_facts_give_an_equal_draft(lab: Lab, fill: Fill) -> None:
    """No clock, no chance."""
    fill(bad_day(FRIDAY))
    assert written(lab)[0] == written(lab)[0]
