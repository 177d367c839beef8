"""The seam: one SQL over one day's rows."""

import pickle
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from lab.attempt import SCHEMA
from lab.errors import FileGone, LabError
from lab.eventlog import SUBMISSIONS, table_of
from lab.metrics.run import NO_ROWS, READABLE, run_day, run_days
from tests.metrics.rows import day_files, row

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = AT.date()
COUNT = "select day, count(*) as stored from attempts group by day"
ROOM = Path(__file__).parents[2] / "lab" / "metrics"


def test_files_and_journal_are_read_as_one_table(tmp_path: Path) -> None:
    """A row counts once wherever it is kept."""
    day = day_files(DAY, tmp_path, [[row(AT), row(AT)], [row(AT)]], [row(AT)])
    assert run_days([day], COUNT).rows() == [(DAY, 4)]


def test_results_of_days_keep_the_order_of_the_days(tmp_path: Path) -> None:
    """Concatenation is in the order asked, not in the order of finishing."""
    later, earlier = datetime(2026, 11, 19, 9, tzinfo=UTC), datetime(2026, 11, 18, 9, tzinfo=UTC)
    days = [day_files(at.date(), tmp_path, [[row(at)]]) for at in (AT, earlier, later)]
    assert run_days(days, COUNT)["day"].to_list() == [AT.date(), earlier.date(), later.date()]


def test_no_days_and_no_rows_are_normal() -> None:
    """An empty list of files and an absent journal give an empty frame with the SQL's columns."""
    for days in ([], [NO_ROWS]):
        assert run_days(days, COUNT).schema == {"day": pl.Date, "stored": pl.Int64}


def test_parameters_are_bound_and_never_spliced(tmp_path: Path) -> None:
    """A quote in a value is a character of the value."""
    day = day_files(DAY, tmp_path, [[row(AT, user_id="o'hara"), row(AT)]])
    found = run_days([day], "select seq from attempts where user_id = $user", params={"user": "o'hara"})
    assert found.height == 1


def test_a_file_written_before_a_column_existed_reads_as_null(tmp_path: Path) -> None:
    """Columns are only ever added; files are united by name, whatever their order."""
    table = table_of(SUBMISSIONS, [row(AT)])
    names = [name for name in reversed(SCHEMA.names) if name != "trace_id"]
    pq.write_table(table.select(names), tmp_path / "old.parquet")
    day = day_files(DAY, tmp_path)._replace(files=(tmp_path / "old.parquet",))
    found = run_days([day], "select source, trace_id from attempts")
    assert found.rows() == [("WEBSITE_FORM", None)]


def test_a_folder_whose_name_looks_like_a_pattern_is_read_as_it_is_called(tmp_path: Path) -> None:
    """DuckDB takes `[1]` and `*` in a path for a glob unless they are bracketed."""
    day = day_files(DAY, tmp_path / "copy [1] of *", [[row(AT)]])
    assert run_days([day], COUNT)["stored"].to_list() == [1]


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    """The reader learns which file, and what to do."""
    day = day_files(DAY, tmp_path, [[row(AT)]])
    day.files[0].unlink()
    with pytest.raises(FileGone, match=rf"{day.files[0].name} is missing; restore it from a backup"):
        run_days([day], COUNT)


def test_a_damaged_file_is_a_sentence_not_a_stack_trace(tmp_path: Path) -> None:
    """The day is named, and the remedy."""
    day = day_files(DAY, tmp_path, [[row(AT)]])
    day.files[0].write_bytes(b"PAR1 torn")
    with pytest.raises(LabError, match=r"rows of 2026-11-20 cannot be read .* restore the file"):
        run_days([day], COUNT)


class Elsewhere(Executor):
    """Runs what it is given only after a journey through pickle, as a cluster would."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        done: Future = Future()
        there, given = pickle.loads(pickle.dumps((fn, args)))  # noqa: S301 - our own bytes
        done.set_result(pickle.loads(pickle.dumps(there(*given, **kwargs))))  # noqa: S301 - our own bytes
        return done


def test_a_task_and_its_result_survive_pickling(tmp_path: Path) -> None:
    """One task a day can run elsewhere, unchanged, journal included."""
    day = day_files(DAY, tmp_path, [[row(AT)]], [row(AT)])
    assert run_days([day], COUNT, executor=Elsewhere()).rows() == [(DAY, 2)]


def test_a_task_runs_in_another_process(tmp_path: Path) -> None:
    """The same call with a process pool gives the same frame."""
    day = day_files(DAY, tmp_path, [[row(AT)]], [row(AT)])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert run_days([day], COUNT, executor=executor).equals(run_day(day, COUNT, {}))


def test_what_only_the_simulator_knows_is_read_nowhere(tmp_path: Path) -> None:
    """run_id and fault_id are in the schema, not in what figures see, and named in no file of the room."""
    withheld = set(SCHEMA.names) - set(READABLE)
    assert withheld == {"run_id", "fault_id"}
    for file in [*ROOM.rglob("*.py"), *ROOM.rglob("*.sql")]:
        text = file.read_text(encoding="utf-8")
        assert not [name for name in withheld if name in text], file.name
    assert not withheld & set(run_days([NO_ROWS], "select * from attempts").columns)


def test_reading_leaves_nothing_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB's own default would be a .tmp folder wherever the program was started."""
    monkeypatch.chdir(tmp_path)
    run_days([day_files(date(2026, 11, 20), tmp_path / "data", [[row(AT)]])], COUNT)
    assert [one.name for one in tmp_path.iterdir()] == ["data"]
