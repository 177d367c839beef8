"""The Markdown file: complete, and inert."""

from datetime import timedelta

import pytest

from lab.opening import Lab
from lab.report import to_markdown
from lab.report.markdown import escape
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, bad_day


@pytest.mark.usefixtures("after_friday")
def test_the_file_holds_sections_facts_and_how_it_was_written(lab: Lab, fill: Fill) -> None:
    """It stands alone, away from the lab; the facts are a table of one heading and a row each."""
    fill(bad_day(FRIDAY))
    report = lab.reports.write(FRIDAY, analyst="rules")
    text = to_markdown(report)
    for part in ("# 60 failures name", "## Executive summary", "## Scope notes", "| F2 | attempts | 280 |", "as asked."):
        assert part in text
    assert text.count("\n| F") - 1 == len(report.facts.items)


@pytest.mark.usefixtures("after_friday")
def test_a_state_is_told_with_what_it_means(lab: Lab, fill: Fill) -> None:
    """Provisional alone says nothing to a newcomer; nor does draft."""
    fill(bad_day(FRIDAY))
    whole = to_markdown(lab.reports.write(FRIDAY, analyst="rules"))
    assert "Version 1, provisional: the day is not sealed, so its rows can still change." in whole
    today = to_markdown(lab.reports.write(FRIDAY + timedelta(days=1), analyst="rules"))
    assert "Version 1, draft: the day is open, so its figures will still grow." in today


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("![](http://evil/)", r"\!\[\](http\://evil/)"), ("a | b", r"a \| b"), ("<b>", r"\<b\>"),
        ("_x_ *y*", r"\_x\_ \*y\*"), ("MOBILE_APP 20.0%", "MOBILE_APP 20.0%"), ("two\nlines", "two lines"),
        ("www.evil.test", r"www\.evil.test"), ("+40.0%", r"\+40.0%"),
    ],
)  # fmt: skip
def test_text_is_shown_as_it_is(text: str, written: str) -> None:
    """No link, image, tag, emphasis or table cell comes out of a text."""
    assert escape(text) == written
