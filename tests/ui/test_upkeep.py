"""Backup and erasure on the System page, asked twice where it cannot be undone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from lab.attempt import Arrival, Channel, Submission
from lab.database import jobs, leads
from lab.opening import Lab
from lab.ui import runtime

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_shell.py"
ADA = "ada@example.org"


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    """System, in a lab that knows Ada."""
    lab.gate.admit([Arrival(Submission("WEBSITE_FORM", "/demo", ADA, "Ada"), Channel.API)])
    lab.log.flush("submissions")
    runtime.hold(lab)
    at = AppTest.from_file(str(SHELL), default_timeout=60).run()
    yield at.switch_page("system.py").run()
    runtime.hold(None)
    st.cache_data.clear()


def press(at: AppTest, label: str) -> AppTest:
    return next(one for one in at.button if one.label == label).click().run()


def words_of(at: AppTest) -> str:
    parts = (at.subheader, at.markdown, at.caption, at.warning, at.error, at.success)
    return "\n".join(str(one.value).replace("\\", "") for part in parts for one in part)


def known(lab: Lab) -> int:
    with lab.database.read() as connection:
        return int(connection.scalar(select(func.count()).where(leads.c.email_hash != "")) or 0)


def finish(lab: Lab, at: AppTest) -> AppTest:
    """The page once every job has ended."""
    until = time.monotonic() + 30
    while lab.jobs.active():
        assert time.monotonic() < until
    return at.run()


def test_disk_use_and_growth_are_shown(page: AppTest) -> None:
    """Parts in bytes, a mean day, and the outlook as the card's title."""
    assert "Over the last 1 day with data: 1 row and" in words_of(page)
    table = next(one.value for one in page.dataframe if "Part" in one.value.columns)
    assert list(table["Part"])[:2] == ["Log (Parquet files)", "Database"]
    assert "a day with data, database included" in words_of(page)


def test_an_erasure_is_asked_twice_and_may_be_taken_back(lab: Lab, page: AppTest) -> None:
    """Keep it: nothing happened and the address is gone from the page."""
    page.text_input(key="upkeep-email").set_value(f" {ADA.upper()} ").run()
    press(page, "Erase this person")
    assert f"Erase what {ADA} sent?" in words_of(page)
    press(page, "Keep it")
    assert (known(lab), page.text_input(key="upkeep-email").value) == (1, "")
    assert "upkeep-asked" not in page.session_state


def test_a_confirmed_erasure_says_what_it_did_and_keeps_no_address(lab: Lab, page: AppTest) -> None:
    """Not in the session, not in the job's row."""
    page.text_input(key="upkeep-email").set_value(ADA).run()
    press(page, "Erase this person")
    press(page, "Yes, erase")
    finish(lab, page)
    assert known(lab) == 0
    assert "Erased the content and hashes of 1 lead" in words_of(page)
    assert page.text_input(key="upkeep-email").value == ""
    with lab.database.read() as connection:
        assert ADA not in str(connection.execute(select(jobs)).all())


def test_what_is_no_address_is_told(page: AppTest) -> None:
    """With an example of one."""
    page.text_input(key="upkeep-email").set_value("ada").run()
    assert "such as ann@example.org" in words_of(press(page, "Erase this person"))


def test_a_backup_is_made_where_the_page_says(lab: Lab, page: AppTest, tmp_path: Path) -> None:
    """As a job, listed with its folder; without a folder the page asks for one."""
    assert "No folder is named" in words_of(press(page, "Back up"))
    page.text_input(key="upkeep-folder").set_value(str(tmp_path / "b")).run()
    press(page, "Back up")
    finish(lab, page)
    assert (tmp_path / "b" / "lab.db").is_file()
    assert "Backed up 1 row in 1 file and" in words_of(page)
    table = next(one.value for one in page.dataframe if "What" in one.value.columns)
    assert table["What"].iloc[0] == f"Backup {tmp_path / 'b'}"
