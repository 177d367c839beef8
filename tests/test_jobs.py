import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from lab.clock import ManualClock
from lab.database import Database
from lab.database import jobs as table
from lab.errors import BadRequest, JobNotFound
from lab.jobs import Job, Jobs, Progress


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'lab.db'}")
    made.create_tables()
    yield made
    made.close()


@pytest.fixture
def jobs(database: Database, clock: ManualClock) -> Iterator[Jobs]:
    made = Jobs(database, clock)
    yield made
    made.close()


def wait(jobs: Jobs, job_id: str) -> Job:
    """The job once it has ended."""
    tick = threading.Event()
    for _ in range(2_000):
        job = jobs.get(job_id)
        if not job.active:
            return job
        tick.wait(0.005)
    raise AssertionError("the job did not end")


def test_a_job_tells_its_stage_its_count_and_its_result(jobs) -> None:
    """All of it is read from the row, by whoever asks."""
    told: list[tuple[str, int, int]] = []

    def work(progress: Progress) -> dict[str, int]:
        progress.report("counting", 1, 2, success=1)
        progress.report("counting", 2, 2, success=2)
        return {"rows": 2}

    job = jobs.run("count", {"upto": 2}, work, lambda seen: told.append((seen.stage, seen.done, seen.total)))
    assert told == [("counting", 1, 2), ("counting", 2, 2)]
    assert (job.state, job.result, job.detail, job.share) == ("done", {"rows": 2}, {"success": 2}, 1.0)


def test_a_job_in_the_background_is_found_by_its_id_from_anywhere(jobs, database, clock) -> None:
    """Another process, or the same page after a refresh, reads the same row."""
    begun, go = threading.Event(), threading.Event()

    def work(progress: Progress) -> dict[str, int]:
        progress.report("working", 1, 4)
        begun.set()
        go.wait(10)
        return {}

    job_id = jobs.start("slow", {}, work)
    assert begun.wait(10)
    elsewhere = Jobs(database, clock)
    assert elsewhere.get(job_id).state == "running"
    assert [one.id for one in elsewhere.active("slow")] == [job_id]
    go.set()
    assert wait(jobs, job_id).state == "done"
    assert elsewhere.active() == []
    elsewhere.close()


def test_cancelling_stops_at_the_next_report_also_from_another_process(jobs, database, clock) -> None:
    """What was done so far stays; the job says so."""
    begun, asked = threading.Event(), threading.Event()

    def work(progress: Progress) -> dict[str, int]:
        progress.report("first")
        begun.set()
        asked.wait(10)
        progress.report("second")
        raise AssertionError("went on")

    job_id = jobs.start("slow", {}, work)
    assert begun.wait(10)
    elsewhere = Jobs(database, clock)
    elsewhere.cancel(job_id)
    asked.set()
    job = wait(jobs, job_id)
    assert (job.state, job.error) == ("cancelled", "Stopped as asked; what was stored so far stays.")
    elsewhere.close()


def test_the_model_lane_has_one_worker_and_shows_the_place_in_the_queue(jobs) -> None:
    """The second waits at place 1, the third at place 2; one that waits ends at once when cancelled."""
    go, begun = threading.Event(), threading.Event()

    def work(progress: Progress) -> dict[str, int]:
        begun.set()
        go.wait(10)
        return {}

    first, second, third = (jobs.start("report", {}, work, lane="model") for _ in range(3))
    assert begun.wait(10)
    assert [jobs.get(one).place for one in (second, third)][1] >= 1
    jobs.cancel(third)
    assert jobs.get(third).state == "cancelled"
    go.set()
    assert [wait(jobs, one).state for one in (first, second)] == ["done", "done"]


def test_the_same_work_asked_for_twice_is_one_job(jobs) -> None:
    """Two browsers that press the button see the same run; once ended, it may start anew."""
    go = threading.Event()

    def work(progress: Progress) -> dict[str, bool]:
        return {"went": go.wait(10)}

    first = jobs.start("demo", {}, work, key="demo")
    assert jobs.start("demo", {}, work, key="demo") == first
    assert jobs.start("demo", {}, work, key="other") != first
    go.set()
    wait(jobs, first)
    assert jobs.start("demo", {}, work, key="demo") != first


def test_an_expected_error_is_told_as_it_is_and_any_other_as_a_plain_sentence(jobs, caplog) -> None:
    """No traceback reaches a page; the server's log has it."""

    def bad(progress: Progress) -> dict[str, int]:
        raise BadRequest("There is no such day; choose another.")

    def broken(progress: Progress) -> dict[str, int]:
        raise KeyError("secret detail")

    assert jobs.run("a", {}, bad).error == "There is no such day; choose another."
    told = jobs.run("b", {}, broken)
    assert told.state == "failed"
    assert "secret detail" not in (told.error or "")
    assert "secret detail" in caplog.text


def test_a_job_whose_process_died_shows_as_interrupted(jobs, database, clock) -> None:
    """Its lease runs out; it is not active any more and its key is free."""
    job_id = jobs.run("demo", {}, lambda progress: {}).id
    with database.write() as connection:
        connection.execute(update(table).values(state="running", key="demo"))
    assert jobs.get(job_id).state == "running"
    clock.advance(seconds=31)
    assert jobs.get(job_id).state == "interrupted"
    assert jobs.active() == []
    assert jobs.start("demo", {}, lambda progress: {}, key="demo") != job_id


def test_a_clean_stop_interrupts_what_runs_and_says_how_to_go_on(database, clock) -> None:
    """Closing waits for the hands to let go."""
    jobs = Jobs(database, clock)
    begun = threading.Event()

    def work(progress: Progress) -> dict[str, int]:
        begun.set()
        while True:
            progress.report("going on")

    job_id = jobs.start("long", {}, work)
    assert begun.wait(10)
    jobs.close()
    assert jobs.get(job_id).state == "interrupted"


def test_an_unknown_job_is_refused_with_the_place_to_look(jobs) -> None:
    """JobNotFound, in one sentence."""
    with pytest.raises(JobNotFound, match="System page"):
        jobs.get("nope")
