"""Simulate, Bring, Report and System as a browser would run them: empty, healthy, failing, a hundred days."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lab.clock import ManualClock
from lab.command_line import parser
from lab.errors import BadRequest
from lab.jobs import Jobs, Progress
from lab.opening import Lab, open_lab
from lab.report import Fact, Statement
from lab.report.fact import Kind
from lab.settings import read_settings
from lab.simulator import backfill, scenario
from lab.ui import import_form, jobs_panel, report_body, runtime, system_parts, uploads
from tests.fake_ollama import FakeOllama

SHELL = Path(__file__).resolve().parent.parent / "pages" / "_shell.py"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FRIDAY, THURSDAY = date(2026, 11, 20), date(2026, 11, 19)
NOWHERE = "http://127.0.0.1:9"
LINE = '1.2.3.{n} - - [19/Nov/2026:10:00:{n:02d} +0000] "POST {path} HTTP/1.1" {status} 12 "-" "Mozilla/5.0"\n'
LOG = "".join(
    [*(LINE.format(n=n, path="/contact", status=302) for n in range(7)),
     *(LINE.format(n=n, path="/contact", status=422) for n in range(7, 10)),
     *(LINE.format(n=n, path="/login", status=200) for n in range(10, 14)), "not a line of a log\n"]
).encode()  # fmt: skip

Open = Callable[[Lab, str], AppTest]


def make(folder: Path, host: str = NOWHERE) -> Lab:
    settings = read_settings({"LAB_DATA_DIR": str(folder), "LAB_OLLAMA_HOST": host})
    return open_lab(settings, ManualClock(NOON), housekeeping=False)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A hundred days and the open one, with two planted incidents."""
    with make(tmp_path_factory.mktemp("full")) as lab:
        plan = scenario("demo", days=100, per_day=12)
        lab.jobs.run("simulate", plan.params(), lambda progress: backfill(lab, plan, progress))
        yield lab


@pytest.fixture(scope="module")
def never_used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An empty lab that no test writes to."""
    with make(tmp_path_factory.mktemp("empty")) as lab:
        yield lab


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Lab]:
    """An empty lab of the test's own."""
    with make(tmp_path / "fresh") as lab:
        yield lab


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens a page of a lab as a new browser session."""

    def visit(lab: Lab, page: str) -> AppTest:
        runtime.hold(lab)
        at = AppTest.from_file(str(SHELL), default_timeout=60).run()
        at.switch_page(f"{page}.py").run()
        assert not at.exception
        return at

    st.cache_data.clear()
    yield visit
    runtime.hold(None)
    st.cache_data.clear()


def settle(jobs: Jobs) -> None:
    """Wait until nothing is under way."""
    tick = threading.Event()
    for _ in range(6_000):
        if not jobs.active():
            return
        tick.wait(0.01)
    raise AssertionError("jobs went on for a minute")


def again(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    """Press the button of that label."""
    next(one for one in at.button if one.label == label).click().run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    """Everything on the page that is Markdown or a message, with the escapes taken out."""
    parts = [one.value for kind in (at.title, at.subheader, at.markdown, at.caption) for one in kind]
    parts += [f"{one.proto.title}\n{one.value}" for kind in (at.success, at.error, at.info, at.warning) for one in kind]
    return re.sub(r"\\(.)", r"\1", "\n".join(parts)).replace("\u2060", "")


def table(at: AppTest, column: str) -> Any:
    """The table that has this column."""
    return next(one.value for one in at.dataframe if column in one.value.columns)


def bar(at: AppTest) -> str:
    """What stands over the first progress bar."""
    return re.sub(r"\\(.)", r"\1", str(at.progress[0].text))


# Simulate


def test_simulate_says_what_a_demo_holds_while_nothing_has_run(never_used: Lab, opened: Open) -> None:
    """An empty page explains itself and has no blank part."""
    at = opened(never_used, "simulate")
    assert "Nothing has been simulated yet" in text(at)
    assert "None yet." in text(at)
    assert at.number_input(key="sim_days").value == 70


def test_simulate_lists_what_was_planted_as_simulated(full: Lab, opened: Open) -> None:
    """Ground truth carries the word, its place and its time, and is found again in a new session."""
    at = opened(full, "simulate")
    assert "added" in at.title[0].value
    said = text(at)
    assert "2 troubles were planted" in said
    assert "Simulated" in said
    assert "Broken field: Mobile app, /demo, phone" in said.replace("**", "")
    assert "16 Nov 09:00 to 18 Nov 09:00" in said
    assert list(table(at, "What")["State"]) == ["Done"]


def test_a_backfill_runs_in_the_background_and_totals_follow(fresh: Lab, opened: Open) -> None:
    """The form starts a job; once it has ended the page tells its result."""
    at = opened(fresh, "simulate")
    at.number_input(key="sim_days").set_value(2)
    at.number_input(key="sim_per_day").set_value(8)
    press(at, "Fill the days")
    assert fresh.jobs.recent("simulate")
    settle(fresh.jobs)
    assert "2 days" in text(again(at))
    assert len(fresh.metrics.days_with_data()) == 2


def test_a_burst_reaches_the_log_now(fresh: Lab, opened: Open) -> None:
    """A burst goes through the lab's own gate, today."""
    at = opened(fresh, "simulate")
    at.radio(key="sim_way").set_value("A burst now").run()
    at.number_input(key="sim_attempts").set_value(6)
    at.number_input(key="sim_seconds").set_value(1)
    at.multiselect(key="sim_troubles").set_value(["broken_field"])
    press(at, "Send the burst")
    settle(fresh.jobs)
    said = text(again(at))
    assert "Sent 6 of 6 submissions" in said
    assert "One trouble was planted" in said
    assert fresh.metrics.days_with_data() == [FRIDAY]


def test_an_impossible_burst_is_answered_with_the_remedy_and_starts_nothing(fresh: Lab, opened: Open) -> None:
    """Checked before anything is stored."""
    at = opened(fresh, "simulate")
    at.radio(key="sim_way").set_value("A burst now").run()
    at.multiselect(key="sim_troubles").set_value(["silent_source"])
    at.multiselect(key="sim_sources").set_value(["MOBILE_APP"])
    press(at, "Send the burst")
    assert "add another source" in text(at)
    assert fresh.jobs.recent() == []


def test_two_browsers_see_the_same_run_and_either_may_stop_it(fresh: Lab, opened: Open) -> None:
    """The run is found by its row, not by a session; a second one of its kind cannot be started meanwhile."""
    begun = threading.Event()

    def work(progress: Progress) -> dict[str, Any]:
        while True:
            progress.report("simulating", 30, 120, success=20, failed=10, day="2026-10-01")
            begun.set()
            threading.Event().wait(0.01)

    fresh.jobs.start("simulate", {"days": 3, "per_day": 40}, work, key="simulate")
    assert begun.wait(10)
    first, second = opened(fresh, "simulate"), opened(fresh, "simulate")
    for at in (first, second):
        assert "A simulation is under way" in text(at)
        assert [one.value for one in at.metric[:3]] == ["20", "10", "33.3%"]
        assert next(one for one in at.button if one.label == "Fill the days").disabled
    press(second, "Stop")
    settle(fresh.jobs)
    assert "The last simulation was stopped" in text(again(first))


def test_a_failed_run_shows_its_sentence_letter_by_letter(fresh: Lab, opened: Open) -> None:
    """An error is one sentence, and nothing in it is read as Markdown."""

    def work(_progress: Progress) -> dict[str, Any]:
        raise BadRequest("The name ![x](http://evil.test/a) is no source; mend it.")

    fresh.jobs.run("burst", {"attempts": 3, "seconds": 1}, work)
    at = opened(fresh, "simulate")
    assert "mend it." in text(at)
    assert "![x](" not in at.error[0].value


# Bring


def upload(at: AppTest, name: str, content: bytes) -> AppTest:
    at.file_uploader[0].upload(name, content).run()
    assert not at.exception
    return at


def kept(lab: Lab) -> list[Path]:
    return [one for one in (lab.settings.data_dir / uploads.FOLDER).rglob("*") if one.is_file()]


def test_bring_says_what_will_happen_while_no_file_is_chosen(never_used: Lab, opened: Open) -> None:
    """Three steps, the command for larger files, and no past imports yet."""
    at = opened(never_used, "bring")
    assert "Choose a log" in text(at)
    assert "None yet." in text(at)
    assert at.code[0].value.startswith("python -m lab import")


def test_the_command_to_copy_is_one_that_the_command_line_understands() -> None:
    """Also with a path that a shell would take apart."""
    asked = import_form.Asked((("/a form's", "WEBSITE_FORM"), ("/b", "LANDING_PAGE")), ("/b=200",))
    options = parser().parse_args(shlex.split(import_form.command(asked))[3:])
    assert options.form == ["/a form's=WEBSITE_FORM", "/b=LANDING_PAGE"]
    assert options.refused == ["/b=200"]


def test_a_wrong_file_is_one_sentence_and_leaves_nothing(fresh: Lab, opened: Open) -> None:
    """The sentence names the file as the user does, not where it was kept for a moment."""
    at = upload(opened(fresh, "bring"), "photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\0 not a log")
    said = text(at)
    assert "photo.png is a binary file" in said
    assert str(fresh.settings.data_dir) not in said
    assert kept(fresh) == []


def test_a_log_is_previewed_imported_once_and_withdrawn_after_one_question(fresh: Lab, opened: Open) -> None:
    """Nothing is written before the import; a second import adds nothing; Withdraw takes all of it back."""
    at = upload(opened(fresh, "bring"), "my access.log", LOG)
    assert len(kept(fresh)) == 1
    before = fresh.log.version()
    press(at, "Preview")
    assert fresh.log.version() == before
    counts = table(at, "Already there")
    assert counts[["Day", "Attempts", "Accepted", "Refused", "Already there"]].values.tolist() == [
        ["2026-11-19", 14, 11, 3, 0]
    ]
    press(at, "Import 14 attempts")
    settle(fresh.jobs)
    said = text(again(at))
    assert "Import of my access.log: done" in said
    assert fresh.metrics.days_with_data() == [THURSDAY]
    assert kept(fresh) == []

    press(upload(at, "my access.log", LOG), "Preview")
    assert "Nothing new is in this file" in text(at)
    assert next(one for one in at.button if one.label.startswith("Import")).disabled

    press(at, "Withdraw")
    assert fresh.metrics.days_with_data() == [THURSDAY]
    press(at, "Yes, withdraw")
    assert "Withdrew 14 attempts" in text(at)
    assert fresh.metrics.days_with_data() == []
    assert "Withdraw" not in [one.label for one in at.button]


def test_a_change_of_the_table_asks_for_a_new_preview(fresh: Lab, opened: Open) -> None:
    """What is imported is what was previewed: refused statuses and sources left out count."""
    at = press(upload(opened(fresh, "bring"), "access.log", LOG), "Preview")
    key = str(at.data_editor[0].key)
    edits = {0: {"refused": "302"}, 1: {"source": import_form.LEAVE_OUT}}
    at.session_state[key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    again(at)
    assert not [one for one in at.button if one.label.startswith("Import")]
    press(at, "Preview again")
    assert table(at, "Already there")[["Attempts", "Refused"]].values.tolist() == [[10, 10]]


def test_a_refused_status_that_is_none_is_told_with_the_remedy(fresh: Lab, opened: Open) -> None:
    """The importer's own sentence."""
    at = upload(opened(fresh, "bring"), "access.log", LOG)
    key = str(at.data_editor[0].key)
    at.session_state[key] = {"edited_rows": {0: {"refused": "often"}}, "added_rows": [], "deleted_rows": []}
    press(again(at), "Preview")
    assert "write it as 200 or 4xx" in text(at)
    assert "--refused" not in text(at)


def test_a_replaced_upload_is_removed(fresh: Lab, opened: Open) -> None:
    """One file at a time lies under the data folder."""
    at = upload(opened(fresh, "bring"), "one.log", LOG)
    at.file_uploader[0].set_value(("two.log", LOG[:400], "text/plain")).run()
    assert [one.name for one in kept(fresh)] == ["two.log"]


def test_forgotten_uploads_go_with_the_next_one(tmp_path: Path) -> None:
    """Those of a page that was closed, or of a lab that was killed."""

    class Named:
        name = "../../.hidden/ä log"

        def getbuffer(self) -> memoryview:
            return memoryview(b"x")

    old = uploads.save(tmp_path, Named())
    assert old.is_relative_to(tmp_path / uploads.FOLDER)
    assert old.stat().st_mode & 0o077 == 0
    os.utime(old.parent, (0, 0))
    new = uploads.save(tmp_path, Named())
    assert not old.exists()
    assert new.exists()


# Report


def test_report_says_what_is_missing_in_an_empty_lab(never_used: Lab, opened: Open) -> None:
    """No report yet, no Ollama, and the remedy for both."""
    at = opened(never_used, "report")
    said = text(at)
    assert "No report for this day yet" in said
    assert "start it with: ollama serve" in said
    assert "ollama pull llama3.1:8b" in said
    assert at.button[2].label == "Write it now"


def write(at: AppTest, lab: Lab, who: str) -> AppTest:
    at.selectbox(key="report_analyst").set_value(who)
    press(at, next(one.label for one in at.button if one.label.startswith("Write")))
    settle(lab.jobs)
    return again(at)


def test_a_report_by_rules_has_its_sections_and_every_figure_traced(full: Lab, opened: Open) -> None:
    """The default day is the last with data; facts stand behind their figures and in the table."""
    at = write(opened(full, "report"), full, "Rules")
    assert at.date_input(key="day").value == FRIDAY
    titles = [one.value for one in at.subheader]
    assert titles[:5] == [
        "Executive summary", "User behaviour", "System behaviour", "Misconfiguration signals", "Confidence",
    ]  # fmt: skip
    assert ":gray-badge[F2]" in " ".join(one.value for one in at.markdown)
    assert table(at, "Fact")["Fact"].iloc[0] == "F1"
    assert "Draft, the day is open" in text(at)
    assert "Written by rules, as asked." in text(at)


def test_without_ollama_the_report_says_that_rules_wrote_it_and_why(full: Lab, opened: Open) -> None:
    """A valid report comes out, with the reason in plain words; each writing is a version."""
    at = opened(full, "report")
    at.date_input(key="day").set_value(THURSDAY).run()
    write(write(at, full, "Automatic"), full, "Rules")
    assert [one.version for one in full.reports.versions(THURSDAY)] == [2, 1]
    at.selectbox(key=f"version-{THURSDAY}-2").set_value(1).run()
    assert "Written by rules, as no model could: No Ollama answers" in text(at)


def test_the_day_stands_in_the_url(full: Lab, opened: Open) -> None:
    """A link to a day's report shows that day."""
    runtime.hold(full)
    at = AppTest.from_file(str(SHELL), default_timeout=60).run()
    at.query_params["day"] = "2026-11-12"
    at.switch_page("report.py").run()
    assert at.date_input(key="day").value == date(2026, 11, 12)


def test_a_models_words_are_shown_letter_by_letter(tmp_path: Path, opened: Open) -> None:
    """What failed the check is left out and listed; no markup of the model's survives."""
    with FakeOllama() as server, make(tmp_path / "modelled", server.url) as lab:
        plan = scenario("healthy", days=2, per_day=30)
        lab.jobs.run("simulate", plan.params(), lambda progress: backfill(lab, plan, progress))
        server.behave("injected")
        at = opened(lab, "report")
        assert "llama3.1:8b" in at.selectbox(key="report_analyst").options
        write(at, lab, "llama3.1:8b")
        said = text(at)
        assert "failed the check against the facts" in said
        assert "statements kept" in said
        assert "evil.test" not in said
        assert table(at, "Why").shape[0] >= 4


def test_text_between_our_badges_is_never_read_as_markdown() -> None:
    """A stranger's brackets, badges and images stay letters; two facts of one value mark two places."""
    facts = {
        name: Fact(name, name, Kind.COUNT, "volume", "attempts", 9.0, "attempts", "9") for name in ("F1", "F2", "F3")
    }
    said = Statement("9 attempts and 9 more, :red-badge[x] ![y](http://evil.test) \ue0000\ue001.", ("F1", "F2", "F3"))
    shown = report_body.cited(said, facts)
    assert shown.startswith("9 attempts :gray-badge[F1] and 9 :gray-badge[F2] more")
    assert shown.count("-badge[") == 3
    assert "![" not in shown
    assert shown.endswith(r":gray-badge[F3]\.")


def test_a_fact_leads_to_the_attempts_it_counts(full: Lab, opened: Open) -> None:
    """Whatever a fact's filter is, the Attempts page lists as many as the fact says."""
    day = date(2026, 11, 17)
    report = full.reports.write(day, analyst="rules")
    counted = [one for one in report.facts.items if one.where and one.unit == "attempts" and one.kind is Kind.COUNT]
    told = {"accepted", "failed"} & {one.key for one in counted}
    assert told == {"accepted", "failed"}
    for fact in [one for one in counted if one.topic in {"volume", "failures", "sources", "pages"}][:8]:
        runtime.hold(full)
        at = AppTest.from_file(str(SHELL), default_timeout=60).run()
        for name, value in report_body.behind(report, fact).items():
            at.query_params[name] = value
        at.switch_page("attempts.py").run()
        assert not at.exception
        number = "No" if not fact.number else fact.text
        assert at.title[0].value.startswith(f"{number} "), (fact, at.title[0].value)


def test_a_report_under_way_is_found_by_its_day_and_stopped(full: Lab, opened: Open) -> None:
    """Tokens while it is written, its place while it waits; a stopped one says that nothing was written."""
    begun, day = threading.Event(), "2026-11-10"

    def work(progress: Progress) -> dict[str, Any]:
        while True:
            progress.report("writing", tokens=41, tokens_per_s=8.5)
            begun.set()
            threading.Event().wait(0.01)

    first = full.jobs.start("report", {"day": "2026-11-09", "analyst": "auto"}, work, lane="model")
    second = full.jobs.start("report", {"day": day, "analyst": "auto"}, work, lane="model")
    assert begun.wait(10)
    at = opened(full, "report")
    at.date_input(key="day").set_value(date(2026, 11, 9)).run()
    assert "Writing · 41 tokens · 8.5 a second" in bar(at)
    at.date_input(key="day").set_value(date.fromisoformat(day)).run()
    assert "number 1 in the queue" in bar(at)
    press(at, "Stop")
    full.jobs.cancel(first)
    settle(full.jobs)
    assert full.jobs.get(second).state == "cancelled"
    assert "No report for this day yet" in text(again(at))
    assert "no version was written" in text(at)


def test_a_day_with_only_simulated_attempts_has_a_report_of_real_traffic_too(full: Lab, opened: Open) -> None:
    """What is left out of a report is no share of it."""
    at = opened(full, "report")
    at.selectbox(key="traffic").set_value("Real").run()
    at.date_input(key="day").set_value(date(2026, 11, 3)).run()
    assert "holds no real attempt" in text(at)
    assert "No attempts on Tuesday 3 November" in text(write(at, full, "Rules"))


# System


def test_system_is_in_order_in_an_empty_lab_and_has_no_blank_card(never_used: Lab, opened: Open) -> None:
    """Sources, limits and settings are there before any attempt is."""
    at = opened(never_used, "system")
    said = text(at)
    assert "Everything is in order" in said
    assert "None has run yet" in said
    assert "start it with: ollama serve" in said
    assert table(at, "Source")["Source"].iloc[0] == "WEBSITE_FORM"
    assert dict(zip(*table(at, "Setting")[["Setting", "Where from"]].to_dict("list").values(), strict=True)) == {
        name: "environment" if name in {"LAB_DATA_DIR", "LAB_OLLAMA_HOST"} else "default"
        for name in table(at, "Setting")["Setting"]
    }


def test_system_counts_what_a_hundred_days_hold(full: Lab, opened: Open) -> None:
    """Rows are those of files and journal together."""
    at = opened(full, "system")
    tiles = {one.label: one.value for one in at.metric}
    assert tiles["Attempts stored"] == f"{full.metrics.totals().attempts:,}"
    assert tiles["Segments"] == f"{system_parts.stored(full.database).segments:,}"
    assert tiles["Journal"] == "0 rows"
    assert table(at, "What")["What"].str.startswith("Backfill").any()


def test_system_says_the_first_thing_wrong_in_its_title(tmp_path: Path, opened: Open) -> None:
    """A file of the log that is gone is damage, and the remedy is named."""
    with make(tmp_path / "damaged") as lab:
        plan = scenario("healthy", days=1, per_day=20)
        lab.jobs.run("simulate", plan.params(), lambda progress: backfill(lab, plan, progress))
        next(lab.settings.data_dir.rglob("*.parquet")).unlink()
        runtime.hold(lab)
        badge, title, _ = system_parts.headline(system_parts.checks(str(tmp_path)))
    assert badge.word == "Broken"
    assert "restore from a backup" in title


def test_system_lists_a_failed_job_and_the_models_there_are(tmp_path: Path, opened: Open) -> None:
    """State, time and sentence of every job; name and size of every model."""

    def work(_progress: Progress) -> dict[str, Any]:
        raise BadRequest("That cannot be; mend it.")

    with FakeOllama() as server, make(tmp_path / "modelled", server.url) as lab:
        lab.jobs.run("import", {"files": ["x.log"]}, work)
        at = opened(lab, "system")
        row = table(at, "Said").iloc[0]
        assert (row["What"], row["State"], row["Said"]) == ("Import x.log", "Failed", "That cannot be; mend it.")
        assert list(table(at, "Model")["Model"]) == ["llama3.1:8b"]


def test_durations_and_sizes_carry_their_units() -> None:
    """A figure is never without one."""
    assert [jobs_panel.seconds(value) for value in (0.42, 12.4, 125)] == ["0.4 s", "12 s", "2 min 5 s"]
    assert [system_parts.size(value) for value in (340_000, 1_240_000, 2_100_000_000)] == ["340 kB", "1.2 MB", "2.1 GB"]
