"""The lab without a browser: answers, exit codes, and errors in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.command_line import main

PROJECT = Path(__file__).parents[1]


def _line(day: int, path: str, status: int, second: int = 0, method: str = "POST") -> str:
    time = f"{day}/Oct/2015:09:00:{second:02} +0000"
    return f'203.0.113.7 - - [{time}] "{method} {path} HTTP/1.1" {status} 9 "-" "curl/8.4.0"\n'


@pytest.fixture
def access_log(tmp_path: Path) -> str:
    """Two days: joins that redirect, logins that answer 200, a page view, a broken line."""
    path = tmp_path / "access.log"
    path.write_text(
        _line(25, "/join_form", 302) + _line(25, "http://example.org/join_form?x=1", 302, 1)
        + _line(25, "/login_form", 200) + _line(25, "/", 200, method="GET") + "broken\n"
        + _line(27, "/join_form", 422) + _line(27, "/login_form", 200)
    )  # fmt: skip
    return str(path)


FORMS = ["--form", "/join_form=WEBSITE_FORM", "--form", "/login_form=LANDING_PAGE", "--refused", "/login_form=200"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = main(arguments)
    told = capsys.readouterr()
    return code, told.out, told.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0, out
    return json.loads(out)


def test_import_then_metrics_equal_a_count_by_hand(capsys: pytest.CaptureFixture[str], access_log: str) -> None:
    """Day by day, outcome by outcome, source by source; a day between without attempts is zero, not absent."""
    summary = as_json(capsys, "import", access_log, *FORMS)
    assert (summary["added"], summary["broken"], summary["not_for_a_form"]) == (5, 1, 1)
    assert as_json(capsys, "metrics") == [
        {
            "day": "2015-10-25", "attempts": 3, "success": 2, "failed": 1,
            "by_source": {
                "LANDING_PAGE": {"attempts": 1, "success": 0, "failed": 1},
                "WEBSITE_FORM": {"attempts": 2, "success": 2, "failed": 0},
            },
        },
        {"day": "2015-10-26", "attempts": 0, "success": 0, "failed": 0, "by_source": {}},
        {
            "day": "2015-10-27", "attempts": 2, "success": 0, "failed": 2,
            "by_source": {
                "LANDING_PAGE": {"attempts": 1, "success": 0, "failed": 1},
                "WEBSITE_FORM": {"attempts": 1, "success": 0, "failed": 1},
            },
        },
    ]  # fmt: skip
    assert [row["day"] for row in as_json(capsys, "metrics", "--from", "2015-10-26", "--to", "2015-10-26")] == ["2015-10-26"]


def test_import_tells_its_days_and_run_and_again_adds_nothing(
    capsys: pytest.CaptureFixture[str], access_log: str
) -> None:
    """In words for people: a table, a sentence, the run's name to withdraw it by."""
    code, out, err = run(capsys, "import", access_log, *FORMS)
    assert (code, err) == (0, "")
    assert "2015-10-25           3           2           1" in out
    assert "Added 5 attempts on 2 days (2 accepted, 3 refused)" in out
    run_id = out.split("The run is ")[1].strip(".\n")
    assert "Nothing was added: 5 attempts" in run(capsys, "import", access_log, *FORMS)[1]
    code, out, _ = run(capsys, "import", "--withdraw", run_id)
    assert (code, out) == (0, "Withdrew 5 attempts on 2 days that came from access.log, and the broken lines kept aside.\n")
    assert run(capsys, "import", "--withdraw", run_id)[0] == 2
    assert as_json(capsys, "metrics") == []


def test_a_dry_run_counts_and_writes_nothing(capsys: pytest.CaptureFixture[str], access_log: str) -> None:
    """What would come, and how much of it is there."""
    told = as_json(capsys, "import", access_log, *FORMS, "--dry-run")
    assert (told["attempts"], told["success"], told["failed"], told["already"]) == (5, 2, 3, 0)
    assert "5 attempts would be added" in run(capsys, "import", access_log, *FORMS, "--dry-run")[1]
    assert as_json(capsys, "metrics") == []


def test_simulate_then_metrics_and_report(capsys: pytest.CaptureFixture[str]) -> None:
    """The same numbers from the run, the metrics and the report; again adds nothing."""
    plan = ("simulate", "--days", "2", "--per-day", "40", "--seed", "7")
    summary = as_json(capsys, *plan)
    rows = as_json(capsys, "metrics")
    assert sum(row["attempts"] for row in rows) == summary["attempts"] > 0
    assert as_json(capsys, *plan)["added"] == 0
    report = as_json(capsys, "report", "--day", rows[-1]["day"])
    assert (report["version"], report["analyst"], report["day"]) == (1, "rules", rows[-1]["day"])
    assert {section["title"] for section in report["sections"]} >= {"Executive summary", "Scope notes"}
    attempts = [fact for fact in report["facts"] if fact["label"].lower().startswith("attempts")]
    assert any(fact["text"] == str(rows[-1]["attempts"]) for fact in attempts)
    code, out, _ = run(capsys, "report", "--day", rows[-1]["day"])
    assert code == 0
    assert out.startswith("# ")
    assert "Version 2" in out


def test_real_traffic_is_shown_alone_once_there_is_some(capsys: pytest.CaptureFixture[str], access_log: str) -> None:
    """As on every page."""
    run(capsys, "simulate", "--days", "1", "--per-day", "20")
    run(capsys, "import", access_log, *FORMS)
    assert sum(row["attempts"] for row in as_json(capsys, "metrics")) == 5
    assert "Traffic: Real." in run(capsys, "metrics")[1]


def test_traffic_can_be_asked_for_and_an_empty_answer_names_the_one_that_has_attempts(
    capsys: pytest.CaptureFixture[str], access_log: str
) -> None:
    """After an import a simulated day is not lost: the sentence has the option that shows it."""
    run(capsys, "simulate", "--days", "1", "--per-day", "20")
    run(capsys, "import", access_log, *FORMS)
    [simulated] = as_json(capsys, "metrics", "--traffic", "simulated")
    day, attempts = simulated["day"], simulated["attempts"]
    assert sum(row["attempts"] for row in as_json(capsys, "metrics", "--traffic", "All")) == attempts + 5
    elsewhere = f"{attempts} simulated attempts are there: use --traffic Simulated."
    assert elsewhere in run(capsys, "metrics", "--from", day)[1]
    told = run(capsys, "report", "--day", day)[1]
    assert f"The day holds {attempts} simulated attempts, left out here; the traffic Simulated (--traffic Simulated)" in told
    asked = as_json(capsys, "report", "--day", day, "--traffic", "Simulated")
    assert (asked["traffic"], asked["headline"].startswith("No attempts")) == ("Simulated", False)


def test_json_lists_days_with_attempts_and_the_zeros_of_short_gaps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Thirty days without any are zeros; years without any are left out."""
    path = tmp_path / "access.log"
    at = ("01/Jan/2015", "01/Feb/2015", "05/Mar/2015", "05/Mar/2019")
    path.write_text("".join(f'203.0.113.7 - - [{day}:09:00:00 +0000] "POST /join HTTP/1.1" 302 9 "-" "x"\n' for day in at))
    run(capsys, "import", str(path), "--form", "/join=WEBSITE_FORM")
    rows = as_json(capsys, "metrics")
    assert len(rows) == 32 + 2  # 1 January to 1 February with 30 between, then 31 days apart, then four years
    assert [row["day"] for row in rows if row["attempts"]] == ["2015-01-01", "2015-02-01", "2015-03-05", "2019-03-05"]


def test_a_stretch_of_days_without_attempts_is_one_line(capsys: pytest.CaptureFixture[str], access_log: str) -> None:
    """A table for people does not list nothing."""
    run(capsys, "import", access_log, *FORMS)
    out = run(capsys, "metrics", "--from", "2015-10-01", "--to", "2015-10-27")[1].splitlines()
    assert out[1].split() == ["…", "24", "without", "attempts"]
    assert [line.split()[0] for line in out[2:5]] == ["2015-10-25", "…", "2015-10-27"]


def test_a_table_is_judged_or_recorded_by_its_columns(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With --map for names that are not ours; a dry run says how many rows would be judged, day by day."""
    path = tmp_path / "leads.csv"
    path.write_text("When,Mail,Name,Source\n2026-11-19T10:00:00Z,ann@example.org,Ann,WEBSITE_FORM\nnever,x,y,z\n")
    mapped = ("--map", "time=When", "--map", "email=Mail")
    code, out, _ = run(capsys, "import", str(path), *mapped, "--dry-run")
    assert code == 0
    assert out.splitlines()[0].split() == ["2026-11-19", "1", "to", "be", "judged"]
    done = as_json(capsys, "import", str(path), *mapped, "--format", "csv")
    assert (done["added"], done["judged"], done["broken"], done["left_out"]) == (1, 1, 1, 0)
    code, _, err = run(capsys, "import", str(path))
    assert code == 2
    assert "try: --map 'email=Mail'" in err
    assert as_json(capsys, "import", "--withdraw", done["run_id"])["leads"] == 1


BAD: list[tuple[list[str], str]] = [
    ([], "The following arguments are required: COMMAND"),
    (["dance"], "invalid choice: 'dance'"),
    (["metrics", "--from", "yesterday"], "write it as 2026-11-20"),
    (["metrics", "--from", "2026-02-02", "--to", "2026-02-01"], "swap --from and --to"),
    (["report"], "--day"),
    (["report", "--day", "2999-01-01"], "still to come"),
    (["simulate", "--days", "many"], "invalid int value"),
    (["simulate", "--days", "0"], "whole number from 1"),
    (["simulate", "--scenario", "moon"], "use healthy, demo"),
    (["import"], "No file is named"),
    (["import", "nowhere.log", "--form", "/a=WEBSITE_FORM"], "nowhere.log does not exist"),
    (["import", ".", "--form", "/a=WEBSITE_FORM"], "is a folder"),
    (["import", "LOG", "--form", "/a=MOON"], "use one of WEBSITE_FORM"),
    (["import", "LOG", "--form", "/a=WEBSITE_FORM", "--format", "xml"], "use auto, common, combined"),
    (["import", "LOG", "--form", "/a=WEBSITE_FORM", "--refused", "/b=200"], "names a path that no form has"),
    (["import", "LOG"], "try: --form /join_form=WEBSITE_FORM --form /login_form=LANDING_PAGE"),
    (["import", "--withdraw", "x"], "nothing was imported yet"),
    (["import", "LOG", "--withdraw", "x"], "leave the other arguments out"),
    (["import", "--map", "a=b", "--withdraw", "x"], "leave the other arguments out"),
    (["import", "LOG", "--map", "colour=Red"], "'colour' is not a column of ours; use one of received_at"),
    (["import", "LOG", "--map", "email=Mail"], "No form is named"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD)
def test_a_bad_request_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], access_log: str, arguments: list[str], said: str
) -> None:
    """On stderr for people, as JSON on stdout for machines, and nothing is stored."""
    arguments = [access_log if part == "LOG" else part for part in arguments]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 2
    assert json.loads(out) == {"error": err.strip()}
    assert as_json(capsys, "metrics") == []


def test_a_bad_setting_is_told_the_same_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a folder that cannot be written, or is of another zone."""
    monkeypatch.setenv("LAB_TIME_ZONE", "Mars/Olympus")
    code, _, err = run(capsys, "metrics")
    assert code == 2
    assert "use a name such as UTC" in err


def test_an_error_in_the_lab_itself_is_a_sentence_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for the user; the kind of error is named."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lab.opening.open_lab", fail)
    code, out, err = run(capsys, "metrics", "--json")
    assert code == 2
    assert "ZeroDivisionError" in json.loads(out)["error"]
    assert err.count("\n") == 1


def test_doctor_answers_0_when_well_and_1_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes are no fault; each finding has its line."""
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    assert "note   ollama" in out
    monkeypatch.setenv("LAB_TIME_ZONE", "Mars/Olympus")
    code, out, _ = run(capsys, "doctor", "--json")
    assert code == 1
    assert json.loads(out)["healthy"] is False


def test_help_is_quick_because_it_loads_no_room(tmp_path: Path) -> None:
    """Neither DuckDB nor Arrow, Polars, SQLAlchemy or Streamlit; all commands are named."""
    probe = (
        "import runpy, sys\n"
        "sys.argv = ['lab', '--help']\n"
        "try: runpy.run_module('lab', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'duckdb', 'pyarrow', 'polars', 'sqlalchemy', 'streamlit', 'plotly', 'ollama'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in ("simulate", "import", "metrics", "report", "doctor"))


def test_the_module_runs_from_a_shell_and_a_reader_may_go_away(access_log: str) -> None:
    """`python -m lab … | head -1` ends without a traceback."""
    command = f"{sys.executable} -m lab doctor | head -1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok")
