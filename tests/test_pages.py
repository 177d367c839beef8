"""Overview, Day and Attempts as a reader meets them, in the states: empty, healthy, failing, a hundred days.

Each page is run by Streamlit's own test harness over a real log: real Parquet, real SQLite, real DuckDB.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import streamlit as st
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from lab.attempt import SCHEMA
from lab.clock import ManualClock
from lab.database import segments
from lab.opening import Lab, open_lab
from lab.ui import runtime

SHELL = str(Path(__file__).resolve().parents[1] / "pages" / "_shell.py")
PAGES = pytest.mark.parametrize("page", ["overview", "day", "attempts"])
TODAY = date(2026, 11, 20)
SOURCES = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "PARTNER_API")
PATHS = ("/pricing", "/demo", "/contact")

Open = Callable[..., AppTest]


def rows_of(day: date, count: int, share: float, random: Random, **more: Any) -> Iterator[dict[str, Any]]:
    """`count` attempts spread over the day (today: over its morning), `share` of them failed."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    hours = 12 if day == TODAY else 24
    for at in range(count):
        failed = at < count * share
        instant = start + timedelta(hours=hours) * ((at + random.random()) / count)
        number = random.getrandbits(60)
        yield {
            **dict.fromkeys(SCHEMA.names),
            "attempt_id": f"00000000-0000-7000-8000-{number:012x}"[:36],
            "seq": 0,
            "received_at": instant,
            "day": day,
            "channel": "simulator",
            "kind": "attempt",
            "source": random.choice(SOURCES),
            "page": random.choice(PATHS),
            "user_id": f"u_{random.randrange(200):04x}",
            "outcome": "FAILED" if failed else "SUCCESS",
            "failure_category": "VALIDATION_FAILED" if failed else None,
            "failure_stage": "validation" if failed else None,
            "failure_reason": "The field email is not an e-mail address." if failed else None,
            "failure_context": json.dumps({"field": "email"}) if failed else None,
            "lead_id": None if failed else f"lead-{number:x}",
            "latency_ms": 20.0 + random.random(),
            "client": "c_0001",
            "repeat_count": 1,
            **more,
        }


def store(lab: Lab, rows: list[dict[str, Any]]) -> None:
    lab.log.append_table("submissions", pa.Table.from_pylist(rows, SCHEMA))


def days_back(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in range(count - 1, -1, -1)]


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Loaders are kept by the log's version, and every test's log counts from the same one."""
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture
def empty(lab: Lab) -> Iterator[Lab]:
    """Nothing was ever stored."""
    runtime.hold(lab)
    yield lab
    runtime.hold(None)


@pytest.fixture
def healthy(empty: Lab) -> Lab:
    """Ten even weeks; today has half of its usual by noon."""
    random = Random(1)
    days = days_back(70)
    store(empty, [row for day in days for row in rows_of(day, 20 if day == TODAY else 40, 0.1, random)])
    return empty


@pytest.fixture
def failing(empty: Lab) -> Lab:
    """Ten weeks of which the last whole day failed by six in ten, with a burst; today is in range."""
    random = Random(2)
    rows = [row for day in days_back(70)[:-2] for row in rows_of(day, 40, 0.1, random)]
    bad = TODAY - timedelta(days=1)
    rows += rows_of(bad, 40, 0.6, random)
    start = datetime(bad.year, bad.month, bad.day, 13, 53, tzinfo=UTC)
    burst = list(rows_of(bad, 60, 1.0, random, source="PARTNER_API", failure_category="RATE_LIMIT_EXCEEDED"))
    rows += [{**row, "received_at": start + timedelta(seconds=2 * at)} for at, row in enumerate(burst)]
    store(empty, rows + list(rows_of(TODAY, 20, 0.1, random)))
    return empty


@pytest.fixture
def hundred_days(empty: Lab) -> Lab:
    """A hundred days of both traffics."""
    random = Random(3)
    rows = [row for day in days_back(100) for row in rows_of(day, 30, 0.1, random)]
    rows += [row for day in days_back(100)[-5:] for row in rows_of(day, 10, 0.5, random, channel="import")]
    store(empty, rows)
    return empty


@pytest.fixture
def open_page() -> Open:
    """Runs a page within the shell, the URL's parameters given."""

    def run(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(SHELL, default_timeout=30)
        if page != "overview":
            app.switch_page(f"{page}.py")
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception, app.exception[0].value
        return app

    return run


def words_of(app: AppTest) -> str:
    """Everything a reader can read, escapes taken out."""
    parts = [one.value for kind in ("title", "subheader", "markdown", "caption", "text") for one in app.get(kind)]
    return "\n".join(parts).replace("\\", "")


def title_of(app: AppTest) -> str:
    return app.title[0].value.replace("\\", "")


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(one.proto.spec) for one in app.get("plotly_chart")]


@PAGES
def test_a_page_of_an_empty_lab_says_so(empty: Lab, open_page: Open, page: str) -> None:
    """No blank page, no zero that looks like a figure, no traceback."""
    app = open_page(page)
    assert "No attempts" in title_of(app)
    assert not app.get("plotly_chart")


def test_an_empty_lab_offers_two_ways_to_start(empty: Lab, open_page: Open) -> None:
    """A demo to fill it, or a log of one's own."""
    app = open_page("overview")
    assert [one.label for one in app.button] == ["Fill the lab"]
    assert "Bring a log of your own" in words_of(app)


def test_filling_the_lab_starts_one_job(empty: Lab, open_page: Open) -> None:
    """A second press, or a second browser, finds the same job."""
    app = open_page("overview")
    app.button[0].click().run()
    job = empty.jobs.recent("demo")
    assert len(job) == 1
    other = open_page("overview")
    assert not [one for one in other.button if one.label == "Fill the lab"] or not job[0].active
    empty.jobs.cancel(job[0].id)


@PAGES
def test_a_healthy_lab_is_shown_without_alarm(healthy: Lab, open_page: Open, page: str) -> None:
    """Half of the usual by noon is no fall: the open day is compared with the same time of day."""
    app = open_page(page)
    assert "Needs a look" not in words_of(app)
    assert "Fewer" not in title_of(app)


def test_an_open_day_is_compared_with_the_same_time_of_day(healthy: Lab, open_page: Open) -> None:
    """The usual of today's attempts is what the weekday held by noon, and the tile says so."""
    app = open_page("overview")
    attempts = app.metric[0]
    assert attempts.value == "20"
    assert attempts.delta == "usual 20 by now"
    assert title_of(app) == "Today is inside its usual range"


def test_the_overview_tells_all_time(healthy: Lab, open_page: Open) -> None:
    """Attempts, leads and success rate since the first day."""
    app = open_page("overview")
    told = {one.label: one.value for one in app.metric[6:]}
    assert told == {"Attempts": "2,780", "Leads": "2,502", "Success": "90.0%"}


def test_a_failing_day_titles_its_page(failing: Lab, open_page: Open) -> None:
    """The verdict is the title, the badge agrees, and the burst is named to the minute."""
    app = open_page("day", day="2026-11-19")
    said = words_of(app)
    assert "Needs a look" in said
    assert title_of(app) == "Failures are high yesterday: 84.0%, usually 10.0%"
    assert "One burst: " in said
    assert "13:53 to 13:55" in said


def test_the_overview_says_what_stood_out(failing: Lab, open_page: Open) -> None:
    """A day in range after one that was not names that one, and the trend's title does too."""
    said = words_of(open_page("overview"))
    assert "But 19 November stood out" in said
    assert "Failures peaked on 19 November" in said
    assert "One day to look at" in said


@PAGES
def test_a_hundred_days_are_shown(hundred_days: Lab, open_page: Open, page: str) -> None:
    """No chart holds more than 2,000 points, however long the history."""
    app = open_page(page)
    for figure in figures(app):
        points = sum(len(trace["y"]) for trace in figure["data"] if isinstance(trace.get("y"), list))
        assert points <= 2000


def test_real_traffic_is_shown_once_there_is_some(hundred_days: Lab, open_page: Open) -> None:
    """Five imported days hide a hundred simulated ones until All or Simulated is asked for."""
    app = open_page("overview")
    assert app.selectbox(key="traffic").value == "Real"
    assert app.metric[0].value == "10"
    app.selectbox(key="traffic").select("All").run()
    assert app.metric[0].value == "40"


def test_the_window_ends_with_the_last_day_that_holds_data(hundred_days: Lab, clock: ManualClock, open_page: Open) -> None:
    """A lab that was left alone for a month shows its last weeks, not an empty month."""
    clock.advance(days=31)
    app = open_page("overview")
    trend = next(figure for figure in figures(app) if "yaxis2" in figure["layout"])
    days = next(trace["x"] for trace in trend["data"] if trace.get("name") == "failed" and trace["x"] != [None])
    assert (len(days), days[-1][:10]) == (30, "2026-11-20")


def test_a_day_without_attempts_names_the_nearest(healthy: Lab, open_page: Open) -> None:
    """Both neighbours are one press away."""
    app = open_page("day", day="2026-01-04")
    assert title_of(app) == "No attempts on 4 January"
    [near] = [one for one in app.button if one.key and one.key.startswith("near-")]
    near.click().run()
    assert "12 September" in words_of(app)
    assert app.date_input(key="day").value == date(2026, 9, 12)


def test_earlier_and_later_step_over_days_with_data(healthy: Lab, open_page: Open) -> None:
    """There is nothing later than today."""
    app = open_page("day")
    earlier, later = (next(one for one in app.button if one.label == label) for label in ("Earlier", "Later"))
    assert later.disabled
    earlier.click().run()
    assert app.date_input(key="day").value == date(2026, 11, 19)


def test_attempts_are_filtered_by_the_url(failing: Lab, open_page: Open) -> None:
    """A link from a chart opens the list it promised, and the title counts it."""
    app = open_page("attempts", **{"from": "2026-11-19", "to": "2026-11-19", "category": "Rate limit exceeded"})
    assert title_of(app).startswith("60 attempts yesterday from all sources")
    shown = app.dataframe[0].value
    assert len(shown) == 30
    assert set(shown["Source"]) == {"Partner API"}


@pytest.mark.parametrize(
    "instant",
    [
        "9999-12-31T23:59:59-23:59", "0001-01-01T12:00:00+00:00", "0001-01-01T00:00:00+14:00", "2970-01-01T00:00:00Z",
        "9999-12-31", "2026-11-19T00:00:00", "yesterday",
    ],
)  # fmt: skip
def test_an_instant_that_no_zone_holds_is_as_if_it_were_not_asked_for(
    failing: Lab, open_page: Open, instant: str
) -> None:
    """Anybody can write a URL; the page shows its window then."""
    for key in ("since", "before"):
        assert "attempts from" in title_of(open_page("attempts", **{key: instant}))


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "9999-12-31", "2026-02-31", "tomorrow"])
def test_a_day_that_no_page_takes_is_as_if_it_were_not_asked_for(failing: Lab, open_page: Open, day: str) -> None:
    """In any of the URL's dates."""
    for page, key in (("overview", "until"), ("day", "day"), ("attempts", "from"), ("attempts", "to"), ("report", "day")):
        assert title_of(open_page(page, **{key: day})) == title_of(open_page(page))


def test_pages_follow_one_another_without_a_gap(failing: Lab, open_page: Open) -> None:
    """Older shows the next thirty and Newer comes back; a new filter begins at the front."""
    app = open_page("attempts", **{"from": "2026-11-19", "to": "2026-11-19"})
    first = list(app.dataframe[0].value["Time"])
    press(app, "Older")
    second = list(app.dataframe[0].value["Time"])
    assert second[0] <= first[-1]
    assert "31 to 60 of 100 rows" in words_of(app)
    press(app, "Newer")
    assert list(app.dataframe[0].value["Time"]) == first
    press(app, "Older")
    app.radio(key="outcome").set_value("Failed").run()
    assert "1 to 30 of 84 rows" in words_of(app)


def press(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception


def test_a_filter_that_leaves_nothing_is_named(failing: Lab, open_page: Open) -> None:
    """The control that removed the most is offered to be cleared."""
    app = open_page("attempts", **{"from": "2026-11-19", "to": "2026-11-19", "user": "u_nobody"})
    assert "Without User there would be 100 rows" in words_of(app)
    press(app, "Clear User")
    assert title_of(app).startswith("100 attempts")


def test_an_attempt_opens_with_its_whole_context(failing: Lab, open_page: Open) -> None:
    """What was kept, which stage refused it, and the same user's other attempts."""
    view = failing.log.view()
    row = pl.concat([pl.read_parquet(file) for day in view.days for file in day.files]).filter(outcome="FAILED").row(0, named=True)
    app = open_page("attempts", attempt=row["attempt_id"])
    said = words_of(app)
    assert "refused] **Validation**" in said
    assert "The same user before and after" in said
    assert [one.value for one in app.code] == [row["attempt_id"]]


def test_an_unknown_attempt_is_told_plainly(healthy: Lab, open_page: Open) -> None:
    """A withdrawn import leaves links behind; they end in a sentence."""
    app = open_page("attempts", attempt="no-such-attempt")
    assert "There is no attempt no-such-attempt." in words_of(app)


def test_stored_text_is_never_markdown(empty: Lab, open_page: Open) -> None:
    """A page's path that looks like an image stays a path wherever a sentence names it."""
    evil = "/![](http://evil.example/x.png)"
    store(empty, list(rows_of(TODAY, 40, 0.0, Random(4), page=evil, source="WEBSITE_FORM")))
    for name in ("overview", "day", "attempts"):
        app = open_page(name)
        spoken = [one.value for kind in ("title", "subheader", "markdown", "caption") for one in app.get(kind)]
        assert not [one for one in spoken if "![](" in one]
    assert evil in list(open_page("attempts").dataframe[0].value["Page"])


def test_missing_files_are_left_out_and_told_where_they_hurt(healthy: Lab, open_page: Open) -> None:
    """The rest loads; the day says what is missing and how it comes back."""
    hurt = healthy.log.view().days[:3]
    for day in hurt:
        for file in day.files:
            file.unlink()
    assert len(open_page("overview").error) == 0
    assert {one.day for one in healthy.log.view().damaged} == {one.day for one in hurt}


@pytest.mark.parametrize(
    ("page", "hurt"), [("overview", "missing"), ("day", "cut"), ("attempts", "garbage"), ("system", "empty")]
)
def test_a_hurt_file_never_costs_a_page(healthy: Lab, open_page: Open, page: str, hurt: str) -> None:
    """Whichever page meets it first shows the rest, the sidebar too; the day says what is missing of it."""
    whole = healthy.metrics.totals().attempts
    view = healthy.log.view()
    yesterday = next(one for one in view.days if one.day == TODAY - timedelta(days=1))
    attempts = sum(one.rows for one in view.segments if one.day == yesterday.day)
    (file,) = yesterday.files
    size = file.stat().st_size
    if hurt == "missing":
        file.unlink()
    else:
        file.write_bytes({"garbage": Random(5).randbytes(size), "cut": file.read_bytes()[:-99], "empty": b""}[hurt])
    with open_lab(healthy.settings, healthy.clock, housekeeping=False) as lab:
        runtime.hold(lab)
        app = open_page(page)
        assert len(app.title) == 1
        assert "attempt" in " ".join(one.value for one in app.sidebar.markdown)
        assert lab.metrics.totals().attempts == whole - attempts
        day = open_page("day", day=yesterday.day.isoformat())
        assert title_of(day) == "No attempts yesterday can be read"
        (said,) = [one.value.replace("\\", "") for one in day.error]
        assert said.startswith(f"{attempts} rows of this day are left out")
        assert file.name in said
        assert len(open_page(page).title) == 1
    runtime.hold(healthy)


@pytest.mark.parametrize("page", ["overview", "day", "attempts", "system", "simulate", "bring", "report"])
def test_what_cannot_be_read_at_all_is_one_sentence_and_no_traceback(
    healthy: Lab, open_page: Open, page: str
) -> None:
    """Pages that need no figures load all the same: what is wrong can be seen, and put right, from there."""
    (file,) = healthy.log.view().days[-1].files
    file.write_bytes(b"PAR1 no such file PAR1")
    with healthy.database.write() as connection:
        mine = segments.c.file == file.relative_to(healthy.log.folder).as_posix()
        connection.execute(update(segments).where(mine).values(sha256=sha256(file.read_bytes()).hexdigest()))
    with open_lab(healthy.settings, healthy.clock, housekeeping=False) as lab:
        runtime.hold(lab)
        app = open_page(page)
        assert [one.value.startswith("The rows of 2026") for one in app.error] == [True]
        assert len(app.title) == (page in {"system", "simulate", "bring"})
    runtime.hold(healthy)
