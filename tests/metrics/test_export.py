"""Export of what is filtered."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from lab.errors import BadRequest, Cancelled, StorageFailed
from lab.metrics import Filter
from lab.metrics.export import export
from tests.metrics.rows import StillLog, day_files, row

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def log_of(*rows) -> StillLog:  # type: ignore[no-untyped-def]
    log = StillLog()
    log.replace(*(day_files(day, Path("unused"), (), [one for one in rows if one.day == day]) for day in {r.day for r in rows}))
    return log


class Watching:
    """Remembers what it was told; raises Cancelled from the given step on."""

    def __init__(self, stop_at: int = 99) -> None:
        self.told: list[tuple[str, int, int]] = []
        self.stop_at = stop_at

    def report(self, stage: str, done: int = 0, total: int = 0) -> None:
        self.told.append((stage, done, total))
        if done >= self.stop_at:
            raise Cancelled("Stopped.")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_begins_like_a_formula(start: str, tmp_path: Path) -> None:
    """An apostrophe before it makes a spreadsheet show it as text."""
    text = f'{start}cmd|"/c calc"!A1,\n'
    file = tmp_path / "out.csv"
    export(log_of(row(NOON, user_agent=text, utm_source="a=b")), Filter(), file)
    with file.open(newline="", encoding="utf-8") as opened:
        [got] = csv.DictReader(opened)
    assert got["user_agent"] == "'" + text
    assert (got["utm_source"], got["latency_ms"], got["occurred_at"]) == ("a=b", "12.5", "")
    assert got["received_at"] == "2026-11-20T12:00:00.000000Z"


def test_a_csv_has_one_header_and_every_day_newest_first(tmp_path: Path) -> None:
    """Rows of three days, in the order of the list."""
    rows = [row(NOON - timedelta(days=back), back) for back in (1, 2, 0)]
    file, watching = tmp_path / "deep" / "out.csv", Watching()
    assert export(log_of(*rows), Filter(), file, "csv", watching) == 3
    assert pl.read_csv(file)["seq"].to_list() == [0, 1, 2]
    assert watching.told[-1] == ("Exporting", 3, 3)


def test_a_parquet_holds_the_rows_as_they_are(tmp_path: Path) -> None:
    """Types survive, and nothing is neutralised in a format that runs nothing."""
    rows = [row(NOON, 1, user_agent="=1+1"), row(NOON - timedelta(days=1), 2, failure_category="SPAM_SUSPECTED")]
    file = tmp_path / "out.parquet"
    assert export(log_of(*rows), Filter(), file, "parquet") == 2
    got = pl.read_parquet(file)
    assert got["user_agent"].to_list() == ["=1+1", "Firefox"]
    assert got.schema["received_at"] == pl.Datetime("us", "UTC")
    assert got["received_at"].to_list() == [NOON, NOON - timedelta(days=1)]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_nothing_matching_is_a_file_with_columns_and_no_rows(format: str, tmp_path: Path) -> None:
    """An empty result is a result."""
    file = tmp_path / f"out.{format}"
    assert export(log_of(row(NOON)), Filter(source="none"), file, format) == 0  # type: ignore[arg-type]
    got = pl.read_csv(file) if format == "csv" else pl.read_parquet(file)
    assert got.height == 0
    assert "failure_reason" in got.columns


def test_only_what_is_filtered_is_written(tmp_path: Path) -> None:
    """The same filter as the page's."""
    rows = [row(NOON, 1), row(NOON, 2, failure_category="SPAM_SUSPECTED")]
    export(log_of(*rows), Filter(outcome="FAILED"), tmp_path / "out.csv")
    assert pl.read_csv(tmp_path / "out.csv")["seq"].to_list() == [2]


def test_a_stopped_export_leaves_no_file(tmp_path: Path) -> None:
    """Neither under the final name nor under a temporary one; an older file stays."""
    file = tmp_path / "out.csv"
    file.write_text("older")
    with pytest.raises(Cancelled):
        export(log_of(row(NOON)), Filter(), file, "csv", Watching(stop_at=0))
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
    assert file.read_text() == "older"


def test_what_cannot_be_written_is_a_sentence_with_the_remedy(tmp_path: Path) -> None:
    """A folder that is a file, and a format that is none."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match=r"out.csv could not be written .* choose another folder"):
        export(log_of(row(NOON)), Filter(), tmp_path / "file" / "out.csv")
    with pytest.raises(BadRequest, match="use csv or parquet"):
        export(log_of(row(NOON)), Filter(), tmp_path / "out.xlsx", "xlsx")  # type: ignore[arg-type]
