"""Tables on the Bring page: columns shown, corrected, previewed and imported."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from lab.command_line import parser
from lab.database import leads
from lab.errors import BadRequest
from lab.opening import Lab
from lab.ui import import_columns, import_form, runtime

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_shell.py"
LEADS = b"""Created at;E-mail;Full name;Landing page;website;Budget
2026-11-19 10:00:00;ann@example.org;Ann;/pricing;ann.example;10k
2026-11-19 10:01:00;bob@example.org;Bob;/spring;;
2026-11-18 09:00:00;no address;Cid;/spring;;
"""
RECORDED = b"""time,source,page,outcome,failure_category
2026-11-19T10:00:00Z,PARTNER_API,/demo,SUCCESS,
2026-11-19T10:00:01Z,PARTNER_API,/demo,FAILED,DUPLICATE_LEAD
"""


@pytest.fixture
def bring(lab: Lab) -> Iterator[AppTest]:
    """The Bring page of an empty lab."""
    st.cache_data.clear()
    runtime.hold(lab)
    at = AppTest.from_file(str(SHELL), default_timeout=60).run()
    at.switch_page("bring.py").run()
    assert not at.exception
    yield at
    runtime.hold(None)
    st.cache_data.clear()


def upload(at: AppTest, name: str, content: bytes) -> AppTest:
    at.file_uploader[0].upload(name, content).run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    next(one for one in at.button if one.label == label).click().run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    parts = [one.value for kind in (at.subheader, at.markdown, at.caption, at.info, at.error) for one in kind]
    return re.sub(r"\\(.)", r"\1", "\n".join(str(part) for part in parts)).replace("\u2060", "")


def editor(at: AppTest, column: str) -> Any:
    return next(one for one in at.get("data_editor") if column in one.value.columns)


def correct(at: AppTest, key: str, edits: dict[int, dict[str, str]]) -> AppTest:
    at.session_state[key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    at.run()
    assert not at.exception
    return at


def settle(lab: Lab) -> None:
    tick = threading.Event()
    for _ in range(3_000):
        if not lab.jobs.active():
            return
        tick.wait(0.01)
    raise AssertionError("the import went on for half a minute")


def test_a_judged_table_is_shown_previewed_and_imported(lab: Lab, bring: AppTest) -> None:
    """Columns with their guessed meaning, a source for each page, rows to be judged by day; then leads."""
    at = upload(bring, "leads.csv", LEADS)
    said = text(at)
    assert "What do its columns mean?" in said
    assert "Judged" in said
    meaning = dict(editor(at, "meaning").value[["column", "meaning"]].values.tolist())
    assert meaning == {
        "Created at": "received_at", "E-mail": "email", "Full name": "name", "Landing page": "page",
        "website": import_columns.NOT_OURS, "Budget": import_columns.NOT_OURS,
    }  # fmt: skip
    assert dict(editor(at, "rows").value[["page", "rows"]].values.tolist()) == {"/pricing": 1, "/spring": 2}
    before = lab.log.version()
    press(at, "Preview")
    assert lab.log.version() == before
    counts = next(one.value for one in at.dataframe if "To be judged" in one.value.columns)
    assert counts[["Day", "To be judged", "Already there"]].values.tolist() == [["2026-11-18", 1, 0], ["2026-11-19", 2, 0]]
    assert "Accepted" not in counts.columns
    press(at, "Import 3 rows")
    settle(lab)
    totals = lab.metrics.totals()
    assert totals.attempts == 3
    with lab.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(leads)) == 2


def test_a_recorded_table_is_previewed_by_outcome(lab: Lab, bring: AppTest) -> None:
    """No source is asked for where a column names it."""
    at = press(upload(bring, "attempts.csv", RECORDED), "Preview")
    assert "Recorded" in text(at)
    counts = next(one.value for one in at.dataframe if "Accepted" in one.value.columns)
    assert counts[["Attempts", "Accepted", "Refused"]].values.tolist() == [[2, 1, 1]]
    press(at, "Import 2 attempts")
    settle(lab)
    assert lab.metrics.totals().leads == 0


def test_a_column_taken_away_means_nothing_although_it_has_our_name(lab: Lab, bring: AppTest) -> None:
    """The outcome column taken away, the rows would be judged, and for that an e-mail is missing."""
    at = upload(bring, "attempts.csv", RECORDED)
    key = str(at.data_editor[0].key)
    correct(at, key, {3: {"meaning": import_columns.NOT_OURS}})
    assert "Choose the column that means outcome" in text(at)
    correct(at, key, {3: {"meaning": "email"}, 4: {"meaning": "email"}})
    assert "keep one of the two" in text(at)
    assert not [one for one in at.button if one.label == "Preview"]


def test_what_the_columns_say_is_what_the_command_line_understands() -> None:
    """The command to copy has the same mapping, names taken away included."""
    rows = [
        {"column": "Time", "meaning": "received_at"}, {"column": "E mail's", "meaning": "email"},
        {"column": "website", "meaning": import_columns.NOT_OURS}, {"column": "x", "meaning": import_columns.NOT_OURS},
    ]  # fmt: skip
    columns = import_columns.columns_said(rows)
    assert columns == (("received_at", "Time"), ("email", "E mail's"), ("website", ""))
    asked = import_form.Asked((("/a", "WEBSITE_FORM"),), (), columns)
    options = parser().parse_args(shlex.split(import_form.command(asked))[3:])
    assert options.map == ["received_at=Time", "email=E mail's", "website="]
    with pytest.raises(BadRequest, match="keep one of the two"):
        import_columns.columns_said([{"column": "a", "meaning": "email"}, {"column": "b", "meaning": "email"}])
