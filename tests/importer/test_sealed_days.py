"""Imports that meet a sealed day leave its rows out, name it, and go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from lab.database import closed_days
from lab.errors import BadRequest
from lab.eventlog import SUBMISSIONS
from lab.importer import import_files, preview, run, withdraw
from lab.sealing import seal_now
from tests.importer.test_tables import judged_row, ndjson

if TYPE_CHECKING:
    from lab.opening import Lab

Line = Callable[..., str]
FORMS = {"/join_form": "WEBSITE_FORM", "/login_form": "LANDING_PAGE"}


def close(lab: Lab, day: date) -> None:
    with lab.database.write() as connection:
        connection.execute(insert(closed_days).values(stream=SUBMISSIONS.name, day=day, state="sealed"))


def test_rows_of_a_sealed_day_are_left_out_and_the_day_is_named(lab: Lab, sample: Path) -> None:
    """The other days are stored; preview says the same before; what is there already counts as such."""
    close(lab, date(2015, 10, 26))
    before = preview(lab, [sample], FORMS)
    done = import_files(lab, [sample], FORMS)
    assert before["fresh"] == done["added"]
    assert before["sealed_days"] == done["sealed_days"] == ["2015-10-26"]
    assert [row["day"] for row in done["by_day"]] == ["2015-10-25", "2015-10-27"]
    assert done["added"] + done["left_out"] == 10
    assert "of 2015-10-26 left out: sealed days take no more rows." in done["sentence"]
    again = import_files(lab, [sample], FORMS)
    assert (again["added"], again["already"], again["left_out"]) == (0, done["added"], done["left_out"])


def test_judged_rows_of_a_sealed_day_are_left_out_too(lab: Lab, tmp_path: Path) -> None:
    """No row, no lead, and the rest is judged."""
    close(lab, date(2026, 11, 19))
    done = import_files(lab, [ndjson(tmp_path, [judged_row(0), judged_row(86_400)])], {})
    assert (done["added"], done["left_out"], done["sealed_days"]) == (1, 1, ["2026-11-19"])


def test_a_day_that_is_sealed_meanwhile_is_met_in_the_transaction(
    lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write; the batch is undone and tried without that day."""
    looked = run.sealed_among

    def slow_look(connection: object, entries: object) -> set[int]:
        monkeypatch.setattr(run, "sealed_among", looked)
        close(lab, date(2015, 10, 26))
        return set()

    monkeypatch.setattr(run, "sealed_among", slow_look)
    done = import_files(lab, [sample], FORMS)
    assert done["sealed_days"] == ["2015-10-26"]
    assert lab.log.view().rows == done["added"] < 10


def test_an_import_with_rows_on_a_sealed_day_cannot_be_withdrawn(lab: Lab, sample: Path) -> None:
    """A sealed day stays as it is, and the sentence names it."""
    done = import_files(lab, [sample], FORMS)
    seal_now(lab, date(2015, 10, 25))
    with pytest.raises(BadRequest, match="2015-10-25 is sealed, and a sealed day never changes"):
        withdraw(lab, done["run_id"])
    assert lab.log.view().rows == 10
