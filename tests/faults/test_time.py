"""Days that are not 24 hours, zones that are not whole hours, clocks that step back: seq rises, totals equal the log."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.attempt import Arrival, Channel, Submission
from lab.clock import ManualClock, day_bounds
from lab.eventlog.housekeeping import Rhythm, keep_house
from lab.opening import Lab, open_lab
from lab.sealing import seal_now
from lab.settings import read_settings

CASES = [
    ("Europe/Amsterdam", datetime(2026, 3, 28, 20, tzinfo=UTC)),
    ("Europe/Amsterdam", datetime(2026, 10, 24, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 22, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2026, 12, 31, 16, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 8, tzinfo=UTC)),
    ("UTC", datetime(2026, 12, 31, 20, tzinfo=UTC)),
]


def rows(lab: Lab) -> list[tuple[int, datetime, object]]:
    """seq, instant and business day of everything stored."""
    found = []
    for day in lab.log.view().days:
        tables = [pq.read_table(file, partitioning=None) for file in day.files]
        for table in (*tables, *([day.journal] if day.journal is not None else [])):
            names = ("seq", "received_at", "day")
            found += list(zip(*(table[name].to_pylist() for name in names), strict=True))
    return sorted(found)


@pytest.mark.parametrize(("zone", "start"), CASES)
def test_over_two_midnights_totals_equal_the_log_and_seq_rises(tmp_path: Path, zone: str, start: datetime) -> None:
    """An attempt every seven minutes for 58 hours, flushed now and then, the clock stepping back an hour in between."""
    clock = ManualClock(start)
    settings = read_settings({"LAB_DATA_DIR": str(tmp_path), "LAB_TIME_ZONE": zone})
    with open_lab(settings, clock, housekeeping=False) as lab:
        for number in range(500):
            if number == 250:
                clock.advance(hours=-1)
            submission = Submission("PARTNER_API", "/demo", f"p{number}@example.org", "Ann", company="A")
            lab.gate.admit([Arrival(submission, Channel.API, client=f"c{number}")])
            if number % 90 == 0:
                keep_house(lab.log, clock, "me", Rhythm(flush_rows=1))
            clock.advance(minutes=7)
        stored = rows(lab)
        instants = [at for _, at, _ in stored]
        assert len(stored) == 500
        assert instants == sorted(instants), "the order of seq is the order of receipt"
        by_day = Counter(day for _, _, day in stored)
        assert all(day_bounds(day, lab.zone)[0] <= at < day_bounds(day, lab.zone)[1] for _, at, day in stored)
        daily = {row["day"]: row["attempts"] for row in lab.metrics.daily().to_dicts()}
        assert daily == dict(by_day)
        for day in daily:
            start_at, end_at = day_bounds(day, lab.zone)
            minutes = lab.metrics.minutes(day)
            assert minutes["attempts"].sum() == daily[day]
            if end_at <= clock():
                assert minutes.height == (end_at - start_at) / timedelta(minutes=1)
                seal_now(lab, day)
        assert {row["day"]: row["attempts"] for row in lab.metrics.daily().to_dicts()} == dict(by_day)
