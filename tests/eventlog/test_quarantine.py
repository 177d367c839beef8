"""A damaged or missing file is found before it is read, set aside with its reason, and comes back by itself."""

from __future__ import annotations

import os
import random
from datetime import date

import pytest

from lab.attempt import Arrival, Channel, Submission
from lab.errors import FileDamaged, FileGone
from lab.eventlog.housekeeping import keep_house
from lab.eventlog.intact import is_intact, require_intact
from lab.opening import Lab, open_lab
from lab.sealing import seal_now

HURT, WHOLE = date(2026, 11, 18), date(2026, 11, 19)


@pytest.fixture
def two_days(lab: Lab, clock) -> Lab:
    """Ten attempts on each of two past days, each in a file."""
    for back, day in ((2, HURT), (1, WHOLE)):
        at = clock().replace(day=day.day)
        lab.run_gate(f"r{back}").admit(
            [
                Arrival(Submission("WEBSITE_FORM", "/demo", f"p{n}@example.org", "Ann"), Channel.API, at=at)
                for n in range(10)
            ]
        )
    return lab


def file_of(lab: Lab, day: date):
    return next(one for one in lab.log.view().days if one.day == day).files[0]


@pytest.mark.parametrize("hurt", ["missing", "cut", "flipped", "empty"])
def test_a_hurt_file_is_left_out_with_its_reason_and_the_rest_loads(two_days, clock, hurt) -> None:
    """The other day's figures are whole; the view names the file and why."""
    file = file_of(two_days, HURT)
    data = file.read_bytes()
    if hurt == "missing":
        file.unlink()
    else:
        file.write_bytes({"cut": data[:-9], "flipped": bytes([data[0] ^ 1, *data[1:]]), "empty": b""}[hurt])
    with open_lab(two_days.settings, clock, housekeeping=False) as fresh:
        assert [row["attempts"] for row in fresh.metrics.daily().to_dicts()] == [10]
        (damaged,) = fresh.log.view().damaged
        assert damaged.day == HURT
        assert damaged.damage in {"it is missing", "it is not what was written"}
        file.write_bytes(data)
        keep_house(fresh.log, clock, "me")
        assert fresh.log.view().damaged == ()
        assert fresh.metrics.totals().attempts == 20


def test_a_sealed_day_whose_file_is_hurt_keeps_its_figures(two_days, clock) -> None:
    """They were kept with the seal; only its rows cannot be listed until the file is back."""
    seal_now(two_days, HURT)
    file = file_of(two_days, HURT)
    two_days.log.set_aside(file, "for the test")
    with open_lab(two_days.settings, clock, housekeeping=False) as fresh:
        assert [row["attempts"] for row in fresh.metrics.daily().to_dicts()] == [10, 10]


def test_every_truncation_of_a_segment_is_found(two_days, tmp_path) -> None:
    """At every byte of a small file."""
    file = file_of(two_days, HURT)
    (segment,) = [one for one in two_days.log.view().segments if one.day == HURT]
    data = file.read_bytes()
    copy = tmp_path / "cut.parquet"
    for length in range(len(data)):
        copy.write_bytes(data[:length])
        os.utime(copy, ns=(length, length))
        assert not is_intact(copy, segment.sha256)
    copy.write_bytes(data)
    require_intact(copy, segment.sha256)


def test_a_thousand_random_bit_flips_are_found(two_days, tmp_path) -> None:
    """Each single one; the seed is printed on failure."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    file = file_of(two_days, HURT)
    (segment,) = [one for one in two_days.log.view().segments if one.day == HURT]
    data = file.read_bytes()
    copy = tmp_path / "flipped.parquet"
    for number in range(1_000):
        flipped = bytearray(data)
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        copy.write_bytes(flipped)
        os.utime(copy, ns=(number, number))
        with pytest.raises(FileDamaged):
            require_intact(copy, segment.sha256)
            print(f"seed {seed}, flip {number}")


def test_a_missing_file_is_told_apart_from_a_damaged_one(tmp_path) -> None:
    """The one may have been replaced meanwhile, the other never is."""
    with pytest.raises(FileGone, match="is missing; restore it"):
        require_intact(tmp_path / "none", "")
