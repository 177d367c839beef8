"""A backfill, through a real gate into a real log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from lab.attempt import Arrival, Channel, Submission
from lab.clock import ManualClock
from lab.database import ground_truth, runs
from lab.errors import BadRequest, Cancelled, FileGone
from lab.eventlog import SUBMISSIONS
from lab.gate import Gate
from lab.opening import open_lab
from lab.sealing import seal_now
from lab.settings import PROJECT, Settings, read_settings
from lab.simulator import DEMO, Plan, Trouble, backfill, scenario

if TYPE_CHECKING:
    from lab.opening import Lab

SMALL = Plan(days=4, per_day=150, troubles=(Trouble("broken_field", days_ago=2, at_hour=0, hours=24),))
WHAT = ("received_at", "outcome", "failure_category", "source", "page", "kind", "duplicate_kind", "repeat_count", "fault_id")
DAY_OF_NOON = date(2026, 11, 20)


def rows_of(lab: Lab, columns: tuple[str, ...] = WHAT) -> list[tuple[Any, ...]]:
    found = []
    for day in lab.log.view().days:
        for file in day.files:
            table = pq.read_table(file, columns=list(columns), partitioning=None)
            found += list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    return sorted(found, key=lambda row: [str(value) for value in row])


def undisturbed(tmp_path: Path, clock: ManualClock, plan: Plan) -> list[tuple[Any, ...]]:
    with open_lab(read_settings({"LAB_DATA_DIR": str(tmp_path / "other")}), clock, housekeeping=False) as other:
        backfill(other, plan, _Silent())
        return rows_of(other)


def a_lead(lab: Lab, at: Any = None) -> None:
    form = Submission("WEBSITE_FORM", "/demo", "somebody@example.com", "Somebody", elapsed_ms=9_000)
    lab.gate.admit([Arrival(form, Channel.API, at=at)])


class _Silent:
    job_id = "job"

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        pass


def test_a_backfill_fills_whole_days_that_end_yesterday(lab: Lab, told: Any) -> None:
    """Four business days, each with a file of the run's own, and a sentence that says so."""
    summary = backfill(lab, SMALL, told)
    days = [day.day for day in lab.log.view().days]
    assert days == [DAY_OF_NOON - timedelta(days=ago) for ago in (4, 3, 2, 1)]
    assert (summary["days"], summary["already"], summary["skipped_days"]) == (4, 0, [])
    assert summary["attempts"] == sum(summary["by_outcome"].values())
    assert summary["added"] == summary["attempts"] + summary["replays"]
    assert summary["sentence"].startswith(f"Added {summary['added']:,} submissions on 4 days; ")
    assert {one.run_id for one in lab.log.view().segments} == {summary["run_id"]}


def test_the_log_holds_what_the_summary_says(lab: Lab, told: Any) -> None:
    """Counted row by row, repeats included."""
    summary = backfill(lab, SMALL, told)
    rows = rows_of(lab, ("kind", "outcome", "repeat_count"))
    for outcome in ("SUCCESS", "FAILED"):
        assert sum(n for kind, one, n in rows if (kind, one) == ("attempt", outcome)) == summary["by_outcome"][outcome]


def test_a_healthy_week_fails_a_little_in_many_ways(lab: Lab, told: Any) -> None:
    """A failed share around 7 to 10 %, spread over the categories."""
    summary = backfill(lab, Plan(days=7, per_day=800), told)
    assert 0.06 < summary["by_outcome"]["FAILED"] / summary["attempts"] < 0.11
    categories = {category for (category,) in rows_of(lab, ("failure_category",))} - {None}
    assert categories >= {
        "VALIDATION_FAILED",
        "DUPLICATE_LEAD",
        "SPAM_SUSPECTED",
        "RATE_LIMIT_EXCEEDED",
        "AUTHENTICATION_FAILED",
        "UNKNOWN_SOURCE",
        "MALFORMED_REQUEST",
    }


def test_running_it_again_adds_nothing_and_says_so(lab: Lab, told: Any) -> None:
    """The run's id is a hash of what shapes it."""
    first = backfill(lab, SMALL, told)
    again = backfill(lab, SMALL, told)
    assert (again["added"], again["already"], again["run_id"]) == (0, first["added"], first["run_id"])
    assert again["by_outcome"] == first["by_outcome"]
    assert again["sentence"].startswith("Added nothing: all")


@pytest.mark.parametrize("report", [1, 2, 4, 9])
def test_a_stopped_run_keeps_what_it_stored_and_goes_on_from_there(
    lab: Lab, told: Any, stopping: Callable[[int], Any], report: int, tmp_path: Path, clock: ManualClock
) -> None:
    """In the end every row is as if it had never been stopped."""
    with pytest.raises(Cancelled):
        backfill(lab, SMALL, stopping(report), chunk=50)
    with lab.database.read() as connection:
        row = connection.execute(select(runs)).one()
    assert row.state == "cancelled"
    assert row.done == len(rows_of(lab))
    summary = backfill(lab, SMALL, told, chunk=50)
    assert summary["already"] == row.done
    assert rows_of(lab) == undisturbed(tmp_path, clock, SMALL)
    with lab.database.read() as connection:
        assert connection.scalar(select(runs.c.state)) == "done"


def test_a_killed_run_goes_on_from_what_is_on_disk(settings: Settings, tmp_path: Path, clock: ManualClock) -> None:
    """SIGKILL in the middle of a day; no row is lost, none is doubled."""
    child = f"""
import os, signal
from datetime import UTC, datetime
from lab.clock import ManualClock
from lab.opening import open_lab
from lab.settings import read_settings
from lab.simulator import Plan, Trouble, backfill
from dataclasses import replace
class Killing:
    job_id, reports = "job", 0
    def report(self, *told, **detail):
        self.reports += 1
        if self.reports == 7:
            os.kill(os.getpid(), signal.SIGKILL)
lab = open_lab(read_settings(), ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC)), housekeeping=False)
backfill(lab, {SMALL!r}, Killing(), chunk=50)
"""
    killed = subprocess.run([sys.executable, "-c", child], cwd=PROJECT, env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_lab(settings, clock, housekeeping=False) as lab:
        stored = len(rows_of(lab))
        assert stored > 0
        summary = backfill(lab, SMALL, _Silent(), chunk=50)
        assert summary["already"] == stored
        assert summary["sentence"].endswith(f"{stored:,} were there already.")
        assert rows_of(lab) == undisturbed(tmp_path, clock, SMALL)


def test_the_demo_is_alive_to_this_minute_and_never_later_than_now(lab: Lab, told: Any, clock: ManualClock) -> None:
    """Today's beginning stays what it was; later on the day only what is missing is added."""
    plan = replace(DEMO, days=5, per_day=400)
    first = backfill(lab, plan, told)
    times = [at for (at,) in rows_of(lab, ("received_at",))]
    assert clock() - timedelta(hours=1) < max(times) <= clock()
    assert first["last_day"] == DAY_OF_NOON.isoformat()
    clock.advance(hours=5)
    later = backfill(lab, plan, told)
    assert later["already"] == first["added"]
    assert later["added"] > 0
    after = [at for (at,) in rows_of(lab, ("received_at",))]
    assert [at for at in after if at <= max(times)] == times
    assert clock() - timedelta(hours=1) < max(after) <= clock()


def test_what_it_did_on_purpose_is_written_down(lab: Lab, told: Any) -> None:
    """Ground truth: where, when, how strong, and exactly how many attempts carry the mark."""
    backfill(lab, replace(DEMO, days=5, per_day=400), told)
    marked = [fault for (fault,) in rows_of(lab, ("fault_id",))]
    with lab.database.read() as connection:
        truth = connection.execute(select(ground_truth)).all()
    assert {(one.kind, one.component) for one in truth} == {
        ("broken_field", "MOBILE_APP /demo phone"),
        ("retry_storm", "PARTNER_API"),
    }
    for one in truth:
        assert one.start_us < one.end_us
        assert one.attempts == marked.count(one.fault_id) > 0


def test_a_broken_field_is_refused_by_name(lab: Lab, told: Any) -> None:
    """The gate finds it by itself: nothing but the form is broken."""
    backfill(lab, SMALL, told)
    hit = [row for row in rows_of(lab, ("fault_id", "failure_category", "failure_context")) if row[0]]
    assert hit
    assert {category for _, category, _ in hit} <= {"VALIDATION_FAILED", "RATE_LIMIT_EXCEEDED"}
    assert {json.loads(context)["field"] for _, one, context in hit if one == "VALIDATION_FAILED"} == {"phone"}


def test_an_outage_fails_in_the_store(lab: Lab, told: Any) -> None:
    """The cause is told as it would be of a real one."""
    backfill(lab, scenario("outage", days=2, per_day=300), told)
    hit = [row[1:] for row in rows_of(lab, ("fault_id", "failure_category", "failure_stage")) if row[0]]
    assert len(hit) > 30
    assert set(hit) <= {("UPSTREAM_ERROR", "store"), ("RATE_LIMIT_EXCEEDED", "limits")}


def test_a_day_that_holds_other_rows_is_left_out_and_named(lab: Lab, told: Any) -> None:
    """Rows of another run are never mixed with this one's."""
    backfill(lab, replace(SMALL, days=1, troubles=()), told)
    before = len(rows_of(lab))
    summary = backfill(lab, SMALL, told)
    yesterday = (DAY_OF_NOON - timedelta(days=1)).isoformat()
    assert summary["skipped_days"] == [yesterday]
    assert f"Left out because they hold other rows: {yesterday}" in summary["sentence"]
    assert len(rows_of(lab)) == before + summary["added"]
    assert summary["days"] == 3


def test_a_day_with_live_rows_still_in_the_journal_is_left_out_too(lab: Lab, told: Any) -> None:
    """A real lead of today keeps the demo out of today."""
    a_lead(lab)
    summary = backfill(lab, replace(DEMO, days=5, per_day=50), told)
    assert summary["skipped_days"] == [DAY_OF_NOON.isoformat()]


def test_live_rows_that_come_while_a_day_is_simulated_keep_it_out(
    lab: Lab, telling: Callable[[dict[int, Callable[[], None]]], Any]
) -> None:
    """Looked at again inside the transaction that would store the day."""
    last = DAY_OF_NOON - timedelta(days=1)
    told = telling({1: lambda: a_lead(lab, lab.clock() - timedelta(days=1))})
    summary = backfill(lab, replace(SMALL, days=1, troubles=()), told)
    assert (summary["added"], summary["skipped_days"]) == (0, [last.isoformat()])


def test_a_second_run_of_the_same_plan_at_the_same_time_is_refused(
    lab: Lab, telling: Callable[[dict[int, Callable[[], None]]], Any]
) -> None:
    """Whoever finds the run moved on by somebody else stops before storing anything twice."""
    rows: dict[str, Any] = {}
    told = telling({1: lambda: rows.update(backfill(lab, SMALL, _Silent()))})
    with pytest.raises(BadRequest, match="already running"):
        backfill(lab, SMALL, told)
    assert len(rows_of(lab)) == rows["added"]


def row_of(lab: Lab) -> tuple[str, int, int]:
    """The only run's state, its count, and the sum of its days."""
    with lab.database.read() as connection:
        row = connection.execute(select(runs)).one()
    return row.state, row.done, sum(count for count, _ in json.loads(row.summary)["by_day"].values())


def test_of_two_equal_runs_at_once_one_wins_and_a_third_adds_nothing(settings: Settings, clock: ManualClock) -> None:
    """Two labs over one folder, both begun before either stored a row: the loser leaves the winner's row alone."""
    together, ends = Barrier(2), list[Any]()

    class Both(_Silent):
        def __init__(self, job_id: str) -> None:
            self.job_id, self._met = job_id, False

        def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
            if not self._met:
                self._met = True
                together.wait(60)

    def run(job_id: str) -> None:
        with open_lab(settings, clock, housekeeping=False) as one:
            try:
                ends.append(backfill(one, SMALL, Both(job_id), chunk=50)["added"])
            except BadRequest as error:
                ends.append(str(error))

    with open_lab(settings, clock, housekeeping=False) as lab:
        threads = [Thread(target=run, args=(job_id,)) for job_id in ("one", "other")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        added, refusal = sorted(ends, key=lambda end: isinstance(end, str))
        assert "already running" in refusal
        assert row_of(lab) == ("done", added, added)
        assert backfill(lab, SMALL, _Silent())["added"] == 0
        assert len(rows_of(lab)) == added


def test_a_run_that_lost_says_nothing_of_how_the_other_ended(
    lab: Lab, telling: Callable[[dict[int, Callable[[], None]]], Any]
) -> None:
    """The row belongs to the job that moved it last."""

    class Other(_Silent):
        job_id = "other"

    with pytest.raises(BadRequest, match="already running"):
        backfill(lab, SMALL, telling({1: lambda: backfill(lab, SMALL, Other()) and None}))
    state, done, by_day = row_of(lab)
    assert (state, done) == ("done", by_day)


def test_an_interrupt_right_after_a_commit_doubles_nothing(
    lab: Lab, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second Ctrl-C may come when the rows are durable and the run does not know it yet."""
    admit = Gate.admit

    def interrupted(gate: Gate, *given: Any, **named: Any) -> Any:
        admit(gate, *given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(Gate, "admit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backfill(lab, SMALL, told, chunk=50)
    monkeypatch.undo()
    assert row_of(lab) == ("failed", 50, 50)
    summary = backfill(lab, SMALL, told)
    assert (summary["already"], summary["added"] + 50) == (50, len(rows_of(lab)))


@pytest.mark.parametrize("sealed", [False, True])
def test_a_row_that_does_not_add_up_is_counted_again_from_the_files(lab: Lab, told: Any, sealed: bool) -> None:
    """What an older lab wrote wrong costs a count, never a second copy of a day; a sealed day counts too."""
    first = backfill(lab, SMALL, told)
    if sealed:
        seal_now(lab, DAY_OF_NOON - timedelta(days=1))
    with lab.database.write() as connection:
        connection.execute(update(runs).values(summary=json.dumps({"by_day": {}})))
    again = backfill(lab, SMALL, told)
    assert (again["added"], again["already"], again["skipped_days"]) == (0, first["added"], [])
    assert again["attempts"] == first["attempts"]
    assert len(rows_of(lab)) == first["added"]
    assert row_of(lab) == ("done", first["added"], first["added"])


def test_a_lost_file_of_a_row_that_does_not_add_up_stops_the_run(lab: Lab, told: Any) -> None:
    """Nobody can tell what is missing then, so nothing is added."""
    backfill(lab, SMALL, told)
    with lab.database.write() as connection:
        connection.execute(update(runs).values(summary=None))
    file = lab.log.view().days[0].files[0]
    file.unlink()
    with pytest.raises(FileGone, match="restore it from a backup"):
        backfill(lab, SMALL, told)
    lab.log.set_aside(file, "is missing")
    with pytest.raises(FileGone, match="restore it from a backup"):
        backfill(lab, SMALL, told)


def test_progress_counts_up_to_the_whole(lab: Lab, told: Any) -> None:
    """For a live bar: never backwards, never above the total, full at the end, with the day and the outcomes."""
    summary = backfill(lab, SMALL, told, chunk=60)
    done = [one for _, one, _, _ in told.reports]
    assert done == sorted(done)
    assert all(one <= total for _, one, total, _ in told.reports)
    assert told.reports[-1][1:3] == (summary["added"], summary["added"])
    assert {detail["day"] for *_, detail in told.reports if "day" in detail} == {
        (DAY_OF_NOON - timedelta(days=ago)).isoformat() for ago in (1, 2, 3, 4)
    }
    assert told.reports[-1][3] == {
        "success": summary["by_outcome"]["SUCCESS"],
        "failed": summary["by_outcome"]["FAILED"],
    }


def test_it_runs_as_a_job(lab: Lab) -> None:
    """With the real progress of the real jobs."""
    job = lab.jobs.run("simulate", SMALL.params(), lambda progress: backfill(lab, SMALL, progress))
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    assert job.result["days"] == 4


def test_a_start_that_reaches_into_today_is_refused(lab: Lab, told: Any) -> None:
    """Never a time later than now."""
    with pytest.raises(BadRequest, match="ends yesterday"):
        backfill(lab, replace(SMALL, start=DAY_OF_NOON - timedelta(days=2)), told)
    with pytest.raises(BadRequest, match="use a backfill plan"):
        backfill(lab, Plan(kind="burst"), told)


def test_only_the_simulator_and_the_table_itself_know_of_ground_truth() -> None:
    """Nothing that counts, detects or reports may read what was done on purpose."""
    for room in ("metrics", "detect", "report", "gate", "eventlog"):
        for file in (PROJECT / "lab" / room).rglob("*"):
            if file.suffix in {".py", ".sql"}:
                assert "ground_truth" not in file.read_text(), file


def test_the_stream_of_a_backfill_is_the_submissions_stream(lab: Lab, told: Any) -> None:
    """No room of its own: simulated rows lie among all others, told apart by channel and run."""
    backfill(lab, replace(SMALL, days=1, troubles=()), told)
    assert {one.stream for one in lab.log.view().segments} == {SUBMISSIONS.name}
    assert {channel for (channel,) in rows_of(lab, ("channel",))} == {"simulator"}
