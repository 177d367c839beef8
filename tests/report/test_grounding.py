"""Grounding: a statement stands only on the facts it cites."""

from dataclasses import replace
from datetime import date

import pytest

from lab.report import SECTIONS, Draft, Fact, Facts, Section, Statement, ground
from lab.report.fact import Kind


def fact(number: int, key: str, label: str, text: str, **more: str) -> Fact:
    return Fact(f"F{number}", key, Kind.COUNT, "volume", label, 0, "attempts", text, **more)


@pytest.fixture
def facts() -> Facts:
    return Facts(
        date(2026, 11, 20), "All", "UTC", "2026-11-21T06:00:00+00:00", None,
        (
            fact(1, "day", "business day", "Friday 20 November 2026"),
            fact(2, "attempts", "attempts", "1,204", compare="usual Friday 690"),
            fact(3, "failed", "failed attempts of source MOBILE_APP", "241", share="20.0% of attempts"),
            fact(4, "busiest", "busiest minute", "13:53"),
            fact(5, "peak", "attempts in the busiest minute", "12"),
            fact(6, "users", "attempts by U1", "12"),
        ),
    )  # fmt: skip


OWN = Draft(
    Statement("The rules' headline", ("F1",)),
    tuple(Section(key, (Statement(f"The rules' words for {key}.", ("F1",)),)) for key, _ in SECTIONS),
)


def judged(facts: Facts, text: str, *cited: str) -> str:
    """ "" when the statement stands, else why not."""
    _, checks = ground(Draft(OWN.headline, (Section("summary", (Statement(text, cited),)),)), facts, OWN)
    return checks.dropped[0].reason if checks.dropped else ""


@pytest.mark.parametrize(
    "text",
    [
        "There were 1,204 attempts against a usual 690.", "There were 1204 attempts.", "On Friday 20 November it was 1,204.",
        "Of 1,204 attempts 20% failed.", "20.0 % failed at 13:53.", "MOBILE_APP had 241 failures.",
        "Some failures may be due to a change elsewhere; 241 were seen.",
    ],
)  # fmt: skip
def test_a_statement_stands_when_its_figures_are_in_the_facts_it_cites(facts: Facts, text: str) -> None:
    """In any of the usual ways to write them."""
    assert judged(facts, text, "F2", "F3", "F4") == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("There were 1,205 attempts.", "'1,205' is in no fact"),
        ("About 1,200 attempts came.", "'1,200' is in no fact"),
        ("21% failed.", "'21%' is in no fact"),
        ("It peaked at 13:54.", "'13:54' is in no fact"),
        ("On Monday there were 1,204 attempts.", "'Monday' is in no fact"),
        ("DESKTOP_APP had 241 failures.", "'DESKTOP_APP' is in no fact"),
        ("The page /login had 241 failures.", "'/login' is in no fact"),
        ("Half of 1,204 attempts failed.", "'Half' is in no fact"),
        ("Three users were seen.", "'Three' is in no fact"),
        ("U7 made 12 attempts.", "'U7' is in no fact"),
        ("u_0123456789abcdef made 12 attempts.", "it names a person other than as U1 to Un"),
        ("You should block the 241.", "it gives advice ('should')"),
        ("241 failed because of a release.", "it tells a cause as certain ('because')"),
        ("241 ![](http://evil.test/x)", "it carries markup or an address"),
    ],
)
def test_a_statement_with_something_the_facts_lack_is_dropped(facts: Facts, text: str, why: str) -> None:
    """Figures, times, days, labels, persons, advice, causes and markup each cost the statement its place."""
    assert judged(facts, text, "F2", "F3") == why


def test_a_figure_of_one_other_fact_brings_that_fact_into_the_citation(facts: Facts) -> None:
    """The reference is mended, so that the reader finds the figure."""
    draft = Draft(OWN.headline, (Section("summary", (Statement("1,204 came, 241 failed.", ("F2",)),)),))
    checked, checks = ground(draft, facts, OWN)
    assert checked.section("summary").statements[0].facts == ("F2", "F3")
    assert checks.mended == 1


def test_a_figure_that_several_uncited_facts_hold_is_not_guessed(facts: Facts) -> None:
    """12 may be the peak or the user's; without a citation nobody knows."""
    assert judged(facts, "There were 12 of them.", "F2") == "'12' is in none of the facts it cites"
    assert judged(facts, "There were 12 of them.", "F5") == ""


def test_a_source_or_category_named_in_words_is_looked_up_like_its_code(facts: Facts) -> None:
    """Mobile app is MOBILE_APP, in a fact and in a statement; a category that no fact names is found out."""
    named = replace(facts.items[2], label="failed attempts of source Mobile app", where={"source": "MOBILE_APP"})
    worded = replace(facts, items=(*facts.items[:2], named, *facts.items[3:]))
    assert judged(worded, "Mobile app had 241 failures.", "F3") == ""
    assert judged(worded, "MOBILE_APP had 241 failures.", "F3") == ""
    assert judged(worded, "Mobile app sent 12 a minute.", "F5") == ""  # the one fact that names it is cited too
    assert judged(worded, "Spam suspected: 241 failures.", "F3") == "'Spam suspected' is in no fact"


def test_references_written_into_the_text_are_taken_out_and_count(facts: Facts) -> None:
    """Models like to write them there."""
    draft = Draft(OWN.headline, (Section("summary", (Statement("1,204 came [F2], 241 failed (F3, F4).", ()),)),))
    checked, _ = ground(draft, facts, OWN)
    assert checked.section("summary").statements == (Statement("1,204 came, 241 failed.", ("F2", "F3", "F4")),)


def test_a_reference_to_no_fact_drops_the_statement(facts: Facts) -> None:
    """A made-up reference is a made-up ground."""
    assert judged(facts, "There were 1,204.", "F2", "F99") == "it cites F99, which is no fact of this day"


def test_a_claim_without_a_fact_stands_only_where_the_report_speaks_of_itself(facts: Facts) -> None:
    """Confidence and scope notes may rest on nothing."""
    assert judged(facts, "It was a calm day.") == "it rests on no fact"
    draft = Draft(OWN.headline, (Section("scope", (Statement("Causes are not in the log."),)),))
    assert ground(draft, facts, OWN)[1].dropped == ()


def test_the_rules_stand_in_where_nothing_of_a_section_is_left(facts: Facts) -> None:
    """No section is ever empty, and the report says which ones were replaced."""
    draft = Draft(Statement("98,765 leads lost", ("F2",)), (Section("users", (Statement("U9 did it.", ("F2",)),)),))
    checked, checks = ground(draft, facts, OWN)
    assert checked.headline == OWN.headline
    assert checked.section("users") == OWN.section("users")
    assert checks.stood_in == ("headline", *(key for key, _ in SECTIONS))
    assert (checks.statements, checks.kept, len(checks.dropped)) == (2, 0, 2)
