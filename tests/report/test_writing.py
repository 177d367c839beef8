"""Writing reports end to end: a real log, real jobs, a real server, whatever that server does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Event

import pytest

from lab.clock import ManualClock
from lab.errors import BadRequest, Cancelled
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import SECTIONS, Analyst, OllamaAnalyst, Report, Reports
from lab.report.ollama_analyst import Patience
from tests.fake_ollama import BEHAVIOURS, FakeOllama
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, attempt, bad_day

pytestmark = pytest.mark.usefixtures("after_friday")

MakeReports = Callable[..., Reports]


@pytest.fixture
def reports_with(lab: Lab) -> MakeReports:
    """The lab's reports, with the model's server at an address and little patience."""

    def make(url: str, **patience: float) -> Reports:
        known = replace(lab.settings, ollama_host=url)
        limits = Patience(**{"status_s": 5.0, "poll_s": 0.02, **patience})

        def analyst(model: str | None) -> Analyst:
            return OllamaAnalyst(url, model, known.ollama_model, limits)

        return Reports(lab.database, lab.metrics, lab.jobs, known, lab.clock, make_analyst=analyst)

    return make


def is_whole(report: Report) -> bool:
    """A headline, all sections in order, each with something to say."""
    keys = tuple(section.key for section in report.draft.sections)
    said = all(section.statements for section in report.draft.sections)
    return bool(report.draft.headline.text) and said and keys == tuple(key for key, _ in SECTIONS)


def ended(lab: Lab, job_id: str) -> str:
    """The job's state once its hands are done."""
    waiting = Event()
    for _ in range(500):
        job = lab.jobs.get(job_id)
        if not job.active:
            return job.state
        waiting.wait(0.02)
    raise AssertionError("the job did not end")


def test_a_model_that_answers_writes_the_report(ollama: FakeOllama, reports_with: MakeReports, fill: Fill) -> None:
    """Analyst, model, digest, tokens, durations and checks are all kept."""
    fill(bad_day(FRIDAY))
    report = reports_with(ollama.url).write(FRIDAY)
    assert is_whole(report)
    assert (report.analyst, report.model, report.state, report.version) == ("ollama", "llama3.1:8b", "provisional", 1)
    assert report.telling.sentence == "Written by llama3.1:8b through Ollama (the preferred model)."
    assert report.telling.checks.dropped == ()
    assert report.telling.checks.figures > 10
    assert report.telling.effort.tokens_out == 100
    assert report.telling.total_ms >= report.telling.facts_ms > 0


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        ("status_500", "server_error"), ("status_500_list", "server_error"), ("status_503", "server_error"),
        ("html", "server_error"), ("error_in_stream", "server_error"), ("missing", "model_missing"), ("reset", "cut"),
        ("cut", "cut"), ("no_done", "cut"), ("length", "cut"), ("truncated", "truncated_prompt"), ("huge", "invalid"),
        ("invalid_json", "invalid"), ("wrong_schema", "invalid"), ("empty", "invalid"), ("hang", "timeout"),
        ("hang_within", "timeout"), ("drip", "timeout"), ("all_made_up", "ungrounded"),
    ],
)  # fmt: skip
def test_whatever_a_model_does_a_valid_report_by_rules_comes_out_and_says_why(
    ollama: FakeOllama, reports_with: MakeReports, fill: Fill, behaviour: str, failure: str
) -> None:
    """The failure is told in the report; the report is whole."""
    fill(bad_day(FRIDAY))
    ollama.behave(behaviour, behaviour)
    patience = {"first_token_s": 0.3, "between_tokens_s": 0.3, "total_s": 0.8} if failure == "timeout" else {}
    report = reports_with(ollama.url, **patience).write(FRIDAY)
    assert is_whole(report)
    assert (report.analyst, report.model) == ("rules", None)
    assert report.telling.failure == failure
    assert report.telling.sentence.startswith("Written by rules")


def test_each_scripted_failure_is_tried() -> None:
    """A new way to fail in the fake must find its place above."""
    marks = test_whatever_a_model_does_a_valid_report_by_rules_comes_out_and_says_why.pytestmark  # type: ignore[attr-defined]
    tried = {values[0] for mark in marks if mark.name == "parametrize" for values in mark.args[1]}
    assert set(BEHAVIOURS) - tried == {"good", "slow_load", "made_up", "injected"}


def test_without_ollama_the_rules_write_and_say_so(lab: Lab, fill: Fill) -> None:
    """The sentence ends in the remedy."""
    fill(bad_day(FRIDAY))
    report = lab.reports.write(FRIDAY)
    assert is_whole(report)
    assert report.telling.failure == "unreachable"
    assert report.telling.sentence.endswith("start it with: ollama serve")


def test_a_made_up_figure_is_taken_out_and_told(ollama: FakeOllama, reports_with: MakeReports, fill: Fill) -> None:
    """The rest of the model's words stay."""
    fill(bad_day(FRIDAY))
    ollama.behave("made_up")
    report = reports_with(ollama.url).write(FRIDAY)
    [dropped] = report.telling.checks.dropped
    assert (report.analyst, dropped.section, dropped.reason) == ("ollama", "summary", "'98,765' is in no fact")
    assert all("98,765" not in one.text for section in report.draft.sections for one in section.statements)


def test_advice_causes_markup_and_persons_never_reach_the_reader(
    ollama: FakeOllama, reports_with: MakeReports, fill: Fill
) -> None:
    """Where nothing of a section is left, the rules' words stand in."""
    fill(bad_day(FRIDAY))
    ollama.behave("injected")
    report = reports_with(ollama.url).write(FRIDAY)
    assert report.telling.checks.stood_in == ("users",)
    assert [one.section for one in report.telling.checks.dropped] == ["users"] * 5


def test_versions_are_never_overwritten_and_read_back_equal(lab: Lab, fill: Fill) -> None:
    """A later day of the log changes later versions only."""
    fill([attempt(FRIDAY, 1)])
    first = lab.reports.write(FRIDAY, analyst="rules")
    fill([attempt(FRIDAY, 2)])
    second = lab.reports.write(FRIDAY, analyst="rules")
    assert (first.version, second.version) == (1, 2)
    assert lab.reports.version(FRIDAY, 1) == first
    assert lab.reports.latest(FRIDAY) == second
    assert first.facts.by_key["attempts"].text == "1"
    assert first.log_version != second.log_version
    assert [line.version for line in lab.reports.versions(FRIDAY)] == [2, 1]
    assert [line.headline for line in lab.reports.recent(1)] == [second.draft.headline.text]
    assert lab.reports.latest(date(2026, 11, 1)) is None


def test_two_writers_at_once_take_two_numbers(lab: Lab, fill: Fill) -> None:
    """The number is given inside the transaction."""
    fill([attempt(FRIDAY, 1)])
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: lab.reports.write(FRIDAY, analyst="rules").version, range(8)))
    assert sorted(made) == list(range(1, 9))


def test_a_requested_report_is_a_job_whose_result_leads_to_it(
    lab: Lab, ollama: FakeOllama, reports_with: MakeReports, fill: Fill
) -> None:
    """The page needs the job's id only."""
    fill(bad_day(FRIDAY))
    reports = reports_with(ollama.url)
    job_id = reports.request(FRIDAY)
    assert ended(lab, job_id) == "done"
    result = lab.jobs.get(job_id).result
    written = reports.latest(FRIDAY)
    assert result
    assert written
    assert (result["report_id"], result["version"], result["analyst"]) == (written.id, 1, "ollama")


def test_asking_twice_while_it_is_written_gives_the_same_job_and_stopping_it_frees_the_model(
    lab: Lab, ollama: FakeOllama, reports_with: MakeReports, fill: Fill
) -> None:
    """One report at a time; a stopped one leaves no version behind."""
    fill(bad_day(FRIDAY))
    ollama.behave("hang")
    reports = reports_with(ollama.url)
    job_id = reports.request(FRIDAY)
    assert ollama.asked.wait(10)
    assert reports.request(FRIDAY) == job_id
    assert lab.jobs.get(job_id).stage == "loading"
    lab.jobs.cancel(job_id)
    assert ended(lab, job_id) == "cancelled"
    assert ollama.hung_up.wait(2)
    assert reports.versions(FRIDAY) == []


def test_rules_do_not_wait_behind_a_model(
    lab: Lab, ollama: FakeOllama, reports_with: MakeReports, fill: Fill
) -> None:
    """A report by rules takes the other lane."""
    fill(bad_day(FRIDAY))
    ollama.behave("hang")
    reports = reports_with(ollama.url)
    slow = reports.request(FRIDAY)
    assert ollama.asked.wait(10)
    assert ended(lab, reports.request(FRIDAY, analyst="rules")) == "done"
    lab.jobs.cancel(slow)
    assert ended(lab, slow) == "cancelled"


def test_a_day_without_attempts_asks_no_model(ollama: FakeOllama, reports_with: MakeReports) -> None:
    """There is nothing to describe, and a report all the same."""
    report = reports_with(ollama.url).write(date(2026, 11, 4))
    assert is_whole(report)
    assert ollama.history == []
    assert report.telling.failure is None


def test_an_open_day_gives_a_draft(lab: Lab, fill: Fill, clock: ManualClock) -> None:
    """Its figures still grow."""
    clock.at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    fill([attempt(FRIDAY, 1)])
    assert lab.reports.write(FRIDAY, analyst="rules").state == "draft"


def test_real_traffic_is_the_default_once_there_is_some(lab: Lab, fill: Fill) -> None:
    """Simulated rows are left out unless asked for."""
    fill([attempt(FRIDAY, 1, channel="simulator"), attempt(FRIDAY, 2)])
    assert lab.reports.write(FRIDAY, analyst="rules").traffic == "Real"
    assert lab.reports.write(FRIDAY, analyst="rules", traffic=Traffic.ALL).facts.by_key["attempts"].text == "2"


@pytest.mark.parametrize(
    ("day", "analyst", "remedy"),
    [
        (date(2026, 11, 22), "auto", "2026-11-21 or a day before"), (FRIDAY, "oracle", "use one of auto, ollama, rules"),
        (date(1969, 12, 31), "rules", "1970-01-01 or a day after"), (date(1, 1, 1), "rules", "1970-01-01 or a day after"),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused_with_the_remedy(
    lab: Lab, day: date, analyst: str, remedy: str
) -> None:
    """Before any job begins."""
    with pytest.raises(BadRequest, match=remedy):
        lab.reports.request(day, analyst=analyst)
    with pytest.raises(BadRequest, match=remedy):
        lab.reports.write(day, analyst=analyst)
    assert lab.jobs.recent() == []


def test_the_first_day_that_is_taken_has_a_report(lab: Lab) -> None:
    """The weeks before it, in which its usual is looked for, are dates too."""
    assert lab.reports.write(date(1970, 1, 1), analyst="rules").analyst == "rules"


def test_a_wish_to_stop_is_no_failure_of_the_model(lab: Lab, fill: Fill) -> None:
    """Cancelled goes through; no version is stored."""
    fill([attempt(FRIDAY, 1)])

    class Stopped:
        name = "ollama"

        def write(self, *_: object) -> None:
            raise Cancelled("Stopped as asked.")

    reports = Reports(
        lab.database, lab.metrics, lab.jobs, lab.settings, lab.clock, make_analyst=lambda _: Stopped()  # type: ignore[arg-type,return-value]
    )
    with pytest.raises(Cancelled):
        reports.write(FRIDAY)
    assert reports.versions(FRIDAY) == []


def test_an_error_of_our_own_in_the_analyst_still_gives_a_report(lab: Lab, fill: Fill) -> None:
    """A defect is logged and told, and the rules write."""
    fill([attempt(FRIDAY, 1)])

    class Defective:
        name = "ollama"

        def write(self, *_: object) -> None:
            raise ZeroDivisionError

    reports = Reports(
        lab.database, lab.metrics, lab.jobs, lab.settings, lab.clock, make_analyst=lambda _: Defective()  # type: ignore[arg-type,return-value]
    )
    report = reports.write(FRIDAY)
    assert is_whole(report)
    assert report.telling.failure == "internal"
