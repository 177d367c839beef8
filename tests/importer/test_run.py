"""Import runs: what is stored, once; what was there; what is left over."""

from __future__ import annotations

import gzip
import os
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, insert, select

from lab.clock import ManualClock
from lab.database import imported_lines, runs
from lab.errors import BadRequest, Cancelled, StorageFailed, UnreadableLog
from lab.importer import files, import_files, preview, run

if TYPE_CHECKING:
    from lab.opening import Lab

Line = Callable[..., str]
FORMS = {"/join_form": "WEBSITE_FORM", "/login_form": "LANDING_PAGE"}
REFUSED = ["/login_form=200"]
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def amsterdam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are cut where the sample's server stood."""
    monkeypatch.setenv("LAB_TIME_ZONE", "Europe/Amsterdam")


@pytest.fixture
def settings(amsterdam: None) -> Any:
    """Read after the zone is set."""
    from lab.settings import read_settings

    return read_settings()


def stored(lab: Lab) -> list[dict[str, Any]]:
    """Every stored row, in order of seq."""
    days = lab.log.view().days
    tables = [pq.read_table(file) for day in days for file in day.files]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist() if tables else []
    return sorted(rows, key=lambda row: row["seq"])


def count(lab: Lab, table: Any) -> int:
    with lab.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_the_days_equal_a_count_by_hand(lab: Lab, sample: Path) -> None:
    """Business days of the zone, outcomes by the rules, other traffic left out."""
    summary = import_files(lab, [sample], FORMS, REFUSED)
    assert summary["by_day"] == [
        {"day": "2015-10-25", "attempts": 4, "success": 3, "failed": 1},
        {"day": "2015-10-26", "attempts": 5, "success": 3, "failed": 2},
        {"day": "2015-10-27", "attempts": 1, "success": 0, "failed": 1},
    ]
    assert (summary["added"], summary["already"], summary["broken"], summary["not_for_a_form"]) == (10, 0, 1, 3)
    days = Counter((row["day"], row["outcome"]) for row in stored(lab))
    assert days[date(2015, 10, 25), "SUCCESS"] == 3
    assert sum(days.values()) == 10
    daily = lab.metrics.daily(date(2015, 10, 25), date(2015, 10, 27))
    assert daily.select("attempts", "success", "failed").rows() == [(4, 3, 1), (5, 3, 2), (1, 0, 1)]


def test_a_recorded_row_says_what_the_line_said_and_nothing_more(lab: Lab, tmp_path: Path, line: Line) -> None:
    """Own time, pseudonyms, families; no verdict of ours, no lead, no text of a stranger."""
    path = tmp_path / "a.log"
    request = "POST /join_form?name=Ann&utm_source=mail&utm_medium=a%20b&utm_campaign=x HTTP/1.1"
    path.write_text(line(request, 422, "25/Oct/2015:04:11:27 +0100", "::ffff:203.0.113.7", "ann"))
    import_files(lab, [path], FORMS)
    (row,) = stored(lab)
    assert row["received_at"].isoformat() == "2015-10-25T03:11:27+00:00"
    assert row["attempt_id"][14] == "7"
    expected = {
        "day": date(2015, 10, 25), "channel": "import", "kind": "attempt", "source": "WEBSITE_FORM",
        "page": "/join_form", "outcome": "FAILED", "failure_category": "VALIDATION_FAILED", "failure_stage": None,
        "failure_reason": "The access log records status 422.", "failure_context": '{"status": 422}',
        "client": lab.pseudonyms.client("203.0.113.7"), "user_id": lab.pseudonyms.user("ann"),
        "user_agent": "Firefox", "utm_source": "mail", "utm_medium": None, "utm_campaign": "x",
        "lead_id": None, "latency_ms": None, "repeat_count": 1, "run_id": None, "occurred_at": None,
        "duplicate_kind": None, "idempotency_key": None, "trace_id": None, "fault_id": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_importing_again_adds_nothing_and_says_so(lab: Lab, sample: Path) -> None:
    """Each line once, however often the file comes."""
    import_files(lab, [sample], FORMS, REFUSED)
    again = import_files(lab, [sample, sample], FORMS, REFUSED)
    assert (again["added"], again["already"], again["by_day"]) == (0, 20, [])
    assert again["sentence"].startswith("Nothing was added: 20 attempts of these files were already there.")
    assert len(stored(lab)) == 10


def test_overlapping_files_add_only_what_is_missing(lab: Lab, sample: Path, tmp_path: Path, line: Line) -> None:
    """A rotated log that repeats the end of the one before adds its own lines alone; so does a file named twice."""
    lines = sample.read_text().splitlines(keepends=True)
    first, second = tmp_path / "first.log", tmp_path / "second.log.gz"
    first.write_text("".join(lines[:9]))
    second.write_bytes(gzip.compress("".join(lines[4:]).replace("\n", "\r\n").encode()))
    summary = import_files(lab, [first, second, second], FORMS, REFUSED)
    assert (summary["added"], summary["already"]) == (10, 4 + 7)
    assert len(stored(lab)) == 10


def test_equal_lines_of_one_file_are_each_an_attempt(lab: Lab, tmp_path: Path, line: Line) -> None:
    """The sample's double post at noon is two attempts, also when the file grew by a third."""
    path = tmp_path / "a.log"
    path.write_text(line() * 2)
    assert import_files(lab, [path], FORMS)["added"] == 2
    path.write_text(line() * 3)
    assert import_files(lab, [path], FORMS)["added"] == 1


def test_a_form_named_later_adds_its_lines(lab: Lab, sample: Path) -> None:
    """What was not asked for the first time is not taken for known."""
    assert import_files(lab, [sample], {"/join_form": "WEBSITE_FORM"})["added"] == 6
    assert import_files(lab, [sample], FORMS, REFUSED)["added"] == 4


def test_broken_lines_are_kept_aside_for_their_owner_only(lab: Lab, sample: Path) -> None:
    """The file is named in the summary, holds the lines as they were, and can be mended and imported."""
    summary = import_files(lab, [sample], FORMS, REFUSED)
    kept = Path(summary["leftovers"])
    assert kept == lab.settings.data_dir / "leftovers" / f"{summary['run_id']}.txt"
    assert kept.read_text() == "this line is broken\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert str(kept) in summary["sentence"]


def test_a_post_on_a_day_that_does_not_exist_is_a_broken_line(lab: Lab, tmp_path: Path, line: Line) -> None:
    """It has the right shape and no time."""
    path = tmp_path / "a.log"
    path.write_text(line() + line(time="31/Feb/2015:00:00:00 +0000"))
    summary = import_files(lab, [path], FORMS)
    assert (summary["added"], summary["broken"]) == (1, 1)


def test_leftovers_are_bounded_and_the_rest_is_counted(
    lab: Lab, tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of nothing but noise cannot fill the disk."""
    from lab.importer import leftovers

    monkeypatch.setattr(leftovers, "KEPT_BYTES", 100)
    monkeypatch.setattr(files, "CHUNK_BYTES", 200)
    path = tmp_path / "a.log"
    path.write_text(line() + "noise\n" * 1000)
    summary = import_files(lab, [path], FORMS)
    assert summary["broken"] == 1000
    kept = Path(summary["leftovers"])
    assert kept.stat().st_size < 1000
    lines = len(kept.read_text().splitlines())
    assert f"1,000 broken lines, the first {lines} kept in {kept}" in summary["sentence"]


@pytest.mark.parametrize(
    "time",
    [
        "21/Nov/2026:12:00:01 +0000",
        "01/Jan/2969:00:00:00 +0000",
        "31/Dec/1989:23:59:59 +0000",
        "01/Jan/1970:00:00:00 +0000",
    ],
)
def test_a_line_of_a_broken_clock_is_kept_aside(lab: Lab, tmp_path: Path, line: Line, time: str) -> None:
    """One line from another millennium would be the newest day of every page; a day ahead is let pass."""
    path = tmp_path / "a.log"
    path.write_text(line(time=time) + line(time="21/Nov/2026:12:00:00 +0000") + line(time="01/Jan/1990:00:00:00 +0000"))
    assert preview(lab, [path], FORMS)["broken"] == 1
    summary = import_files(lab, [path], FORMS)
    assert (summary["added"], summary["broken"]) == (2, 1)
    assert time in Path(summary["leftovers"]).read_text()
    assert {row["received_at"].year for row in stored(lab)} == {1990, 2026}


def test_preview_counts_what_would_come_and_writes_nothing(lab: Lab, sample: Path) -> None:
    """Days, outcomes, and how many are there already; two files that overlap count once."""
    before = preview(lab, [sample, sample], FORMS, REFUSED)
    assert (before["attempts"], before["success"], before["failed"], before["already"]) == (20, 12, 8, 10)
    assert (stored(lab), count(lab, runs), count(lab, imported_lines)) == ([], 0, 0)
    assert not (lab.settings.data_dir / "leftovers").exists()
    import_files(lab, [sample], {"/join_form": "WEBSITE_FORM"})
    after = preview(lab, [sample], FORMS, REFUSED)
    assert [(row["day"], row["attempts"], row["already"]) for row in after["by_day"]] == [
        ("2015-10-25", 4, 3), ("2015-10-26", 5, 3), ("2015-10-27", 1, 0),
    ]  # fmt: skip
    assert "Nothing was written." in after["sentence"]


def test_a_wrong_file_among_good_ones_leaves_nothing_half_written(lab: Lab, sample: Path, tmp_path: Path) -> None:
    """All files are checked, a packed one to its end, before the first row."""
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(sample.read_bytes() * 50)[:-20])
    with pytest.raises(UnreadableLog, match="cut short"):
        import_files(lab, [sample, cut], FORMS)
    with pytest.raises(BadRequest, match="No file"):
        import_files(lab, [], FORMS)
    with pytest.raises(BadRequest, match="No form is named"):
        import_files(lab, [sample], {})
    with pytest.raises(BadRequest, match="an access log has none"):
        import_files(lab, [sample], FORMS, columns=["email=Mail"])
    assert (stored(lab), count(lab, runs), count(lab, imported_lines)) == ([], 0, 0)


class Stopping:
    """Progress that raises Cancelled at its nth report of importing."""

    job_id = None

    def __init__(self, at: int) -> None:
        self.left = at

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        self.left -= stage == "importing"
        if not self.left:
            raise Cancelled("Stopped as asked; what was stored so far stays.")


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 300)
    monkeypatch.setattr(run, "BATCH_ROWS", 2)


def test_a_stopped_import_keeps_what_it_stored_and_the_next_adds_the_rest(
    lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is marked as cancelled, and the two runs together are the whole file."""
    small_steps(monkeypatch)
    with pytest.raises(Cancelled):
        import_files(lab, [sample], FORMS, REFUSED, progress=Stopping(6))
    there = len(stored(lab))
    assert 0 < there < 10
    rest = import_files(lab, [sample], FORMS, REFUSED)
    assert (rest["added"], rest["already"], len(stored(lab))) == (10 - there, there, 10)
    with lab.database.read() as connection:
        assert connection.execute(select(runs.c.state, runs.c.done).order_by(runs.c.created_us, runs.c.done)).all() in (
            [("cancelled", there), ("done", 10 - there)],
            [("done", 10 - there), ("cancelled", there)],
        )


KILLED = """
import os, signal, sys
from lab.importer import files, import_files, run
from lab.opening import open_lab
from lab.settings import read_settings

files.CHUNK_BYTES, run.BATCH_ROWS = 300, 2

class Killing:
    job_id = None
    left = int(sys.argv[2])
    def report(self, stage, done=0, total=0, **detail):
        self.left -= stage == "importing"
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

lab = open_lab(read_settings(), housekeeping=False)
import_files(lab, [sys.argv[1]], {"/join_form": "WEBSITE_FORM", "/login_form": "LANDING_PAGE"}, progress=Killing())
"""


def test_a_killed_import_adds_the_rest_when_run_again(lab: Lab, sample: Path) -> None:
    """A real process, killed between two batches: nothing is doubled, nothing is missing."""
    command = [sys.executable, "-c", KILLED, str(sample), "6"]
    child = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=False)
    assert child.returncode == -signal.SIGKILL
    there = len(stored(lab))
    assert 0 < there < 10
    rest = import_files(lab, [sample], FORMS)
    assert (rest["added"], rest["already"], len(stored(lab))) == (10 - there, there, 10)


def test_an_import_whose_process_died_shows_as_interrupted(lab: Lab, sample: Path, clock: ManualClock) -> None:
    """Once its job's lease has run out; one that is at work stays running."""
    from lab.importer import ledger

    def dies(progress: Any) -> dict[str, Any]:
        ledger.begin(lab, {}, progress.job_id)
        assert ledger.mark_interrupted(lab) == []
        raise SystemExit

    with pytest.raises(SystemExit):
        lab.jobs.run("import", {}, dies)
    assert ledger.mark_interrupted(lab) == []
    clock.advance(minutes=5)
    import_files(lab, [sample], FORMS)
    with lab.database.read() as connection:
        states = connection.scalars(select(runs.c.state).order_by(runs.c.created_us)).all()
    assert states == ["interrupted", "done"]


def test_keys_and_rows_become_real_together_or_not_at_all(
    lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that refuses leaves no row, no key, no file, and a run marked as failed."""

    def refuse(*_: object) -> None:
        raise StorageFailed("The disk is full; make room.")

    with monkeypatch.context() as broken:
        broken.setattr(run._Run, "_claim", refuse)
        with pytest.raises(StorageFailed):
            import_files(lab, [sample], FORMS)
    assert (stored(lab), count(lab, imported_lines)) == ([], 0)
    assert not list(lab.settings.data_dir.rglob("*.parquet"))
    with lab.database.read() as connection:
        assert connection.scalars(select(runs.c.state)).all() == ["failed"]
    assert import_files(lab, [sample], FORMS)["added"] == 10


def test_two_imports_of_one_file_at_once_store_each_line_once(
    lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second to a line sees it as already there."""
    small_steps(monkeypatch)
    summaries: list[dict[str, Any]] = []
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        summaries.append(import_files(lab, [sample], FORMS))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(summary["added"] for summary in summaries) == 10
    assert [summary["added"] + summary["already"] for summary in summaries] == [10, 10, 10]
    assert len(stored(lab)) == 10


def test_a_line_stored_meanwhile_is_found_in_the_transaction(
    lab: Lab, tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write another import may come; the batch is undone and tried without that line."""
    path = tmp_path / "a.log"
    path.write_text(line() + line(status=200))
    looked = run.known_keys

    def slow_look(connection: Any, hits: Any) -> Any:
        known = looked(connection, hits)
        monkeypatch.setattr(run, "known_keys", looked)
        row = {"line_hash": hits[0].line_hash, "occurrence": 1, "run_id": "another"}
        _insert(lab, row)
        return known

    def _insert(lab: Lab, row: dict[str, Any]) -> None:
        with lab.database.write() as other:
            other.execute(insert(imported_lines), row)

    monkeypatch.setattr(run, "known_keys", slow_look)
    summary = import_files(lab, [path], FORMS)
    assert (summary["added"], summary["already"], len(stored(lab))) == (1, 1, 1)


def test_progress_counts_the_bytes_of_all_files(lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It rises to the total, and tells counts on the way."""
    small_steps(monkeypatch)
    told: list[tuple[str, int, int, dict[str, Any]]] = []

    class Listening:
        job_id = None

        def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
            told.append((stage, done, total, detail))

    import_files(lab, [sample, sample], FORMS, progress=Listening())
    importing = [(done, total) for stage, done, total, _ in told if stage == "importing"]
    assert importing == sorted(importing)
    assert importing[-1] == (2 * sample.stat().st_size, 2 * sample.stat().st_size)
    assert told[-1][3]["added"] + told[-1][3]["already"] > 10
