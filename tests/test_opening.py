import os
from pathlib import Path

import pytest
from sqlalchemy import update

from lab.attempt import Arrival, Channel, Submission
from lab.database import meta
from lab.errors import DataFolderError
from lab.opening import open_lab
from lab.settings import read_settings

SENT = Arrival(Submission("WEBSITE_FORM", "/demo", "a@example.org", "Ann"), Channel.API)


def test_a_closed_lab_opens_again_with_every_acknowledged_attempt(settings, clock) -> None:
    """The journal is enough: nothing has to be flushed to survive."""
    with open_lab(settings, clock, housekeeping=False) as lab:
        lab.gate.admit([SENT])
    with open_lab(settings, clock, housekeeping=False) as lab:
        assert lab.log.view().rows == 1
        assert lab.metrics.totals().attempts == 1


def test_another_zone_is_refused_once_there_are_rows_and_accepted_before(settings, clock) -> None:
    """Days already cut cannot be cut anew; the sentence names the zone to use."""
    other = read_settings(dict(os.environ) | {"LAB_TIME_ZONE": "Asia/Kolkata"})
    open_lab(settings, clock, housekeeping=False).close()
    with open_lab(other, clock, housekeeping=False) as lab:
        lab.gate.admit([SENT])
    with pytest.raises(DataFolderError, match="set LAB_TIME_ZONE=Asia/Kolkata"):
        open_lab(settings, clock)


def test_a_newer_labs_folder_is_refused_and_left_as_it_is(settings, clock) -> None:
    """One sentence, nothing written."""
    with open_lab(settings, clock, housekeeping=False) as lab, lab.database.write() as connection:
        connection.execute(update(meta).where(meta.c.name == "format").values(value="2"))
    with pytest.raises(DataFolderError, match="newer lab.*update the lab"):
        open_lab(settings, clock)


def test_a_folder_that_cannot_be_made_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="point LAB_DATA_DIR"):
        open_lab(read_settings({"LAB_DATA_DIR": str(tmp_path / "file" / "data")}))


def test_closing_twice_is_closing_once(settings, clock) -> None:
    """The server and a test may both do it."""
    lab = open_lab(settings, clock)
    lab.close()
    lab.close()
