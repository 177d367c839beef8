"""What the disk holds, how it grows, and when it is full."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from lab.attempt import Arrival, Channel, Submission
from lab.database import segments
from lab.disk import Growth, growth, look, outlook, used

if TYPE_CHECKING:
    from lab.opening import Lab

TODAY = date(2026, 11, 20)


def file_of(day: date, rows: int, size: int, number: int = 0) -> dict[str, object]:
    return {
        "id": f"{day}-{number}", "stream": "submissions", "day": day, "file": f"{day}-{number}", "rows": rows,
        "bytes": size, "min_us": 0, "max_us": 0, "sha256": "", "created_us": 0,
    }  # fmt: skip


def test_bytes_are_told_by_what_they_are_for(lab: Lab) -> None:
    """The log, the database with its write-ahead log, leftovers, uploads, and the rest."""
    data = lab.settings.data_dir
    lab.gate.admit([Arrival(Submission("WEBSITE_FORM", "/demo", "a@example.org", "Ann"), Channel.API)])
    lab.log.flush("submissions")
    for folder, size in (("leftovers", 100), ("uploads", 200), ("of mine", 50)):
        (data / folder).mkdir()
        (data / folder / "file").write_bytes(b"x" * size)
    found = used(data, lab.settings.database_url)
    assert (found.leftovers, found.uploads, found.other) == (100, 200, 50 + 32)
    assert found.log == sum(one.bytes for one in lab.log.view().segments)
    assert found.database == sum(path.stat().st_size for path in data.glob("lab.db*"))
    assert found.total == sum(path.stat().st_size for path in data.rglob("*") if path.is_file())


def test_a_database_elsewhere_is_counted_too(lab: Lab, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """LAB_DATABASE_URL may name another file; a server's database has no bytes here."""
    (tmp_path / "own.db").write_bytes(b"x" * 1_000)
    assert used(lab.settings.data_dir, f"sqlite:///{tmp_path / 'own.db'}").database == 1_000
    assert used(lab.settings.data_dir, "postgresql://lab@db/lab").database == 0


def test_growth_is_a_mean_day_of_the_last_thirty_with_data(lab: Lab) -> None:
    """Older days do not count, days without data do not dilute, several files of a day are one day."""
    with lab.database.write() as connection:
        for number in range(30):
            day = TODAY - timedelta(days=2 * number)
            connection.execute(insert(segments), [file_of(day, 60, 3_000, 0), file_of(day, 40, 1_000, 1)])
        connection.execute(insert(segments), [file_of(date(2026, 1, 1), 10**6, 10**9)])
        found = growth(connection, 2 * (10**6 + 3_000))
    assert (found.days, found.rows, found.bytes, found.newest) == (30, 100.0, 4_000.0, TODAY)
    assert found.all_bytes == 4_000.0
    with lab.database.read() as connection:
        assert growth(connection, 100 * (10**6 + 3_000)).all_bytes == 10_000.0


@pytest.mark.parametrize(
    ("found", "free", "said"),
    [
        (Growth(30, 100.0, 4_000.0, 1e6, TODAY), 41_500_000, "At 1.0 MB a day with data, database included, the disk is full in 42 days."),
        (Growth(30, 100.0, 4_000.0, 1e6, TODAY), 1_000_000, "At 1.0 MB a day with data, database included, the disk is full in 1 day."),
        (Growth(30, 1.0, 1.0, 1e3, TODAY), 10**12, "At 1 kB a day with data, database included, the disk lasts for more than ten years."),
        (Growth(0, 0.0, 0.0, 0.0, None), 10**9, "Nothing has grown lately, so there is no day on which the disk would be full."),
        (Growth(5, 10.0, 1e9, 1e9, date(2015, 5, 20)), 10**9, "Nothing has grown lately, so there is no day on which the disk would be full."),
    ],
)
def test_the_day_on_which_the_disk_is_full_is_a_sentence(found: Growth, free: int, said: str) -> None:
    """None where nothing grows; an import of a log of 2015 is no growth of today's."""
    assert outlook(found, free, TODAY) == said


def test_an_empty_lab_grows_by_nothing(lab: Lab) -> None:
    """No division by no rows."""
    assert look(lab.database, lab.settings.data_dir, lab.settings.database_url)[1] == Growth(0, 0.0, 0.0, 0.0, None)
