import os
from pathlib import Path

import pytest
from sqlalchemy import update

from lab.attempt import Arrival, Channel, Submission
from lab.command_line import main
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


def test_a_lost_or_foreign_key_is_refused_before_anybody_becomes_a_stranger(settings, clock) -> None:
    """With a new key every person and every imported line would be new; only who asks for it gets that."""
    with open_lab(settings, clock, housekeeping=False) as lab:
        lab.gate.admit([SENT])
    key = settings.data_dir / "hash.key"
    old = key.read_bytes()
    key.unlink()
    with pytest.raises(DataFolderError, match=r"is missing; put the old hash\.key back.*lab rekey"):
        open_lab(settings, clock)
    assert not key.exists()
    key.write_bytes(b"k" * 32)
    with pytest.raises(DataFolderError, match="is not the key this log was written with"):
        open_lab(settings, clock)
    key.write_bytes(old)
    open_lab(settings, clock, housekeeping=False).close()
    key.unlink()
    assert main(["rekey"]) == 0
    open_lab(settings, clock, housekeeping=False).close()
    assert key.read_bytes() != old


@pytest.mark.parametrize("how", ["lost", "empty"])
def test_a_log_without_its_database_is_not_an_empty_lab(settings, clock, how) -> None:
    """The files are there; the sentence says what is missing."""
    with open_lab(settings, clock, housekeeping=False) as lab:
        lab.gate.admit([SENT])
        lab.log.flush("submissions")
    for file in settings.data_dir.glob("lab.db*"):
        file.unlink()
    if how == "empty":
        (settings.data_dir / "lab.db").write_bytes(b"")
    with pytest.raises(DataFolderError, match=r"its database is empty or lost; restore lab\.db"):
        open_lab(settings, clock)
