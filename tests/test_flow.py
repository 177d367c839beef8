"""The whole road without a browser: traffic in, the log, daily metrics and trends, the day's report."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from lab.importer import import_files, withdraw
from lab.jobs import Progress
from lab.metrics import Filter, Traffic
from lab.report import to_markdown
from lab.simulator import DEMO, Plan, backfill, burst

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "access.log"
FORMS = {"/contact": "WEBSITE_FORM", "/demo": "LANDING_PAGE", "/newsletter": "REFERRAL_WIDGET"}


def test_the_demo_comes_through_the_gate_into_the_log_the_trend_and_a_report(lab, clock) -> None:
    """Ten weeks; every figure of the summary is the log's; the incidents of the last five days stand out and are named."""
    job = lab.jobs.run("demo", DEMO.params(), lambda progress: backfill(lab, DEMO, progress))
    assert job.state == "done", job.error
    assert job.result is not None
    totals = lab.metrics.totals()
    assert totals.attempts == job.result["attempts"] > 50_000
    assert (totals.success, totals.failed) == (job.result["by_outcome"]["SUCCESS"], job.result["by_outcome"]["FAILED"])
    assert totals.last_at <= clock()
    today = clock().date()
    trend = lab.metrics.trend(today - timedelta(days=29), today)
    worst = trend.filter(~trend["open"]).sort("failed_share", descending=True)["day"].to_list()[:2]
    assert all(today - timedelta(days=5) <= day < today for day in worst)
    report = lab.reports.write(worst[0], analyst="rules")
    text = to_markdown(report)
    assert "Partner API" in text
    assert report.telling.checks.kept == report.telling.checks.statements


def test_a_burst_shares_the_live_gate_and_shows_up_at_once(lab, clock) -> None:
    """The journal is part of the view: nothing has to be flushed to be seen."""
    plan = Plan("burst", attempts=50, seconds=1)
    job = lab.jobs.run("burst", plan.params(), lambda progress: _burst(lab, plan, progress))
    assert job.state == "done", job.error
    assert lab.metrics.totals(Traffic.SIMULATED).attempts > 0
    assert lab.log.view().days[0].journal is not None
    assert lab.metrics.last_minutes(clock())["attempts"].sum() == lab.metrics.totals().attempts


def test_an_import_is_real_traffic_counted_once_and_withdrawn_as_a_whole(lab) -> None:
    """Day by day equal to a count of the file's lines; again adds nothing; withdrawn, nothing is left."""
    by_hand = {
        day: sum(
            1 for line in SAMPLE.read_text().splitlines() if f"[{day:%d/%b/%Y}" in line and '"POST ' in line
        )
        for day in (date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18))
    }
    first = lab.jobs.run("import", {}, lambda progress: import_files(lab, [SAMPLE], FORMS, progress=progress)).result
    found = {row["day"]: row["attempts"] for row in lab.metrics.daily(traffic=Traffic.REAL).to_dicts()}
    assert found == by_hand
    assert lab.metrics.has_real()
    again = lab.jobs.run("import", {}, lambda progress: import_files(lab, [SAMPLE], FORMS, progress=progress)).result
    assert first is not None
    assert again is not None
    assert (again["added"], again["already"]) == (0, first["added"])
    rows = lab.metrics.page(Filter(outcome="FAILED"), size=500)
    assert rows.total == first["added"] - sum(row["success"] for row in lab.metrics.daily().to_dicts())
    withdraw(lab, first["run_id"])
    assert lab.metrics.totals().attempts == 0
    third = lab.jobs.run("import", {}, lambda progress: import_files(lab, [SAMPLE], FORMS, progress=progress)).result
    assert third is not None
    assert third["added"] == first["added"]


def _burst(lab, plan: Plan, progress: Progress) -> dict:  # type: ignore[no-untyped-def, type-arg]
    def pause(_seconds: float) -> None:
        lab.clock.advance(milliseconds=100)

    return burst(lab, plan, progress, pause=pause, elapsed_s=lambda: lab.clock().timestamp())
