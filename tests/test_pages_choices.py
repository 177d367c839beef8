"""What was chosen stays chosen: traffic in the URL, a form that was left; and nothing of other traffic is mixed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lab.clock import ManualClock
from lab.eventlog import SUBMISSIONS, table_of
from lab.jobs import Progress
from lab.opening import Lab
from lab.ui import runtime
from tests.metrics.rows import row

SHELL = str(Path(__file__).resolve().parents[1] / "pages" / "_shell.py")


@pytest.fixture
def mixed(lab: Lab, clock: ManualClock) -> Iterator[Lab]:
    """Ten weeks of one real attempt a day, a real day eleven years ago, and two simulated attempts yesterday."""
    now = clock()
    rows = [row(now - timedelta(days=back), back, channel="import") for back in range(1, 71)]
    rows.append(row(now - timedelta(days=4018), 90, channel="import"))
    rows += [row(now - timedelta(days=1), 100 + at, channel="simulator") for at in range(2)]
    lab.log.append_table("submissions", table_of(SUBMISSIONS, [one._replace(seq=0) for one in rows]))
    st.cache_data.clear()
    runtime.hold(lab)
    yield lab
    runtime.hold(None)
    st.cache_data.clear()


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    if page != "overview":
        app.switch_page(f"{page}.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def told(app: AppTest) -> str:
    parts = [one.value for kind in ("title", "subheader", "markdown", "caption") for one in app.get(kind)]
    return "\n".join(parts).replace("\\", "")


def test_traffic_is_read_from_the_url(mixed: Lab) -> None:
    """A reload and a shared link show the same; the sidebar's last attempt is one of that traffic."""
    shown = opened("overview", traffic="Simulated")
    assert shown.selectbox(key="traffic").value == "Simulated"
    assert shown.metric[0].value == "2"
    assert "simulated attempt" in told(shown)
    assert opened("overview").selectbox(key="traffic").value == "Real"
    assert opened("overview", traffic="Nobody").selectbox(key="traffic").value == "Real"


def test_the_window_does_not_change_what_is_usual(mixed: Lab) -> None:
    """Seven days or ninety: the same tiles."""
    tiles = [
        [(one.label, one.value, one.delta) for one in opened("day", traffic="Real", window=f"Last {days} days").metric]
        for days in (7, 30, 90)
    ]
    assert tiles[0] == tiles[1] == tiles[2]
    assert ("Attempts", "1", "usual 1") in tiles[0]


def test_days_of_another_decade_make_nothing_usual(mixed: Lab, clock: ManualClock) -> None:
    """The day of eleven years ago reads well by itself."""
    old = (clock() - timedelta(days=4018)).date()
    app = opened("day", traffic="Real", day=old.isoformat())
    assert {one.delta for one in app.metric} == {"no usual yet"}
    assert app.title[0].value.startswith("1 attempt on ")


def write(lab: Lab, traffic: str, day: date) -> None:
    from lab.metrics import Traffic

    lab.reports.request(day, "rules", None, Traffic(traffic))
    tick = threading.Event()
    while lab.jobs.active():
        tick.wait(0.01)


def test_a_report_of_other_traffic_is_not_shown_as_this_one(mixed: Lab, clock: ManualClock) -> None:
    """Not on the Overview's card, not as a version of the day; the page says that it is there."""
    day = clock().date() - timedelta(days=1)
    write(mixed, "Simulated", day)
    assert "No report of real traffic yet" in told(opened("overview"))
    assert "Report for" in told(opened("overview", traffic="Simulated"))
    page = told(opened("report", day=day.isoformat()))
    assert "No report for this day yet" in page
    assert "This day also has 1 version of Simulated traffic" in page


def test_the_simulation_form_is_found_as_it_was_left(mixed: Lab) -> None:
    """Seconds and troubles too, after another page was looked at."""
    app = opened("simulate")
    app.radio(key="sim_way").set_value("A burst now").run()
    app.number_input(key="sim_seconds").set_value(7).run()
    app.multiselect(key="sim_troubles").set_value(["broken_field"]).run()
    app.switch_page("system.py").run()
    app.switch_page("simulate.py").run()
    assert app.radio(key="sim_way").value == "A burst now"
    assert app.number_input(key="sim_seconds").value == 7
    assert app.multiselect(key="sim_troubles").value == ["broken_field"]


def test_a_button_that_cannot_be_pressed_says_why_beside_it(mixed: Lab) -> None:
    """Not only to who hovers over it."""
    begun, end = threading.Event(), threading.Event()

    def work(progress: Progress) -> dict[str, Any]:
        begun.set()
        end.wait(10)
        return {}

    mixed.jobs.start("simulate", {"days": 3, "per_day": 40}, work, key="simulate")
    assert begun.wait(10)
    app = opened("simulate")
    end.set()
    assert next(one for one in app.button if one.label == "Fill the days").disabled
    assert "One is under way; stop it, or wait for its end." in told(app)
