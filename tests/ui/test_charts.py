"""Figures hold what they promise: the open day is drawn as open, nothing is uncoloured, nothing is unsaid."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import polars as pl
import pytest

from lab.clock import day_bounds
from lab.ui import charts
from lab.ui.charts.marks import MAX_ALT, Chart, mixed, readable_on, spoken
from lab.ui.charts.minutes import binned
from lab.ui.palette import DARK, LIGHT, Palette
from lab.ui.template import TEMPLATES

PROJECT = Path(__file__).resolve().parents[2]
MODES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
UTC_ZONE = ZoneInfo("UTC")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NO_BURSTS = pl.DataFrame(
    schema={"start": pl.Datetime("us", "UTC"), "end": pl.Datetime("us", "UTC"), "attempts": pl.Int64, "failed": pl.Int64, "peak": pl.Int64}
)


def trend_frame(days: int = 30, is_open: bool = True, unknown: int = 5) -> pl.DataFrame:
    first = date(2025, 10, 23)
    return pl.DataFrame(
        [
            {
                "day": first + timedelta(days=at), "attempts": 100 + at, "success": 90 + at, "failed": 10,
                "failed_share": 10 / (100 + at), "expected_low": None if at < unknown else 90.0,
                "expected_high": None if at < unknown else 140.0,
                "usual_share": None if at < unknown else 0.09, "high_share": None if at < unknown else 0.3, "open": is_open and at == days - 1,
            }
            for at in range(days)
        ],
        schema_overrides=dict.fromkeys(("expected_low", "expected_high", "usual_share", "high_share"), pl.Float64),
    )  # fmt: skip


def minute_frame(start: datetime, count: int, attempts: int = 3, failed: int = 1) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "minute": [start + timedelta(minutes=at) for at in range(count)],
            "attempts": [attempts] * count,
            "success": [attempts - failed] * count,
            "failed": [failed] * count,
        }
    )


CELLS = pl.DataFrame(
    {
        "source": ["WEBSITE_FORM", "PARTNER_API", "MY_OWN"],
        "page": ["/pricing", "/demo", "/<b>x</b>"],
        "attempts": [100, 40, 30],
        "success": [92, 10, 30],
        "failed": [8, 30, 0],
    }
)
CATEGORIES = pl.DataFrame({"category": ["VALIDATION_FAILED", "ORIGIN_NOT_ALLOWED"], "attempts": [61, 4]})


def every_chart(colours: Palette) -> list[Chart]:
    start = datetime(2025, 11, 20, tzinfo=UTC)
    hour, day = minute_frame(start, 60), minute_frame(start, 1440)
    bursts = [(start + timedelta(minutes=3), start + timedelta(minutes=8))]
    return [
        charts.trend(trend_frame(), colours, "14:20"),
        charts.trend(trend_frame(90, is_open=False), colours),
        charts.last_minutes(hour, colours, UTC_ZONE, bursts),
        charts.day_timeline(day, NO_BURSTS, colours, UTC_ZONE, is_open=True),
        charts.failure_categories(CATEGORIES, colours, {"VALIDATION_FAILED": 22.0}),
        charts.outcomes(CELLS, "source", "source", colours),
        charts.cells(CELLS, colours),
        charts.calendar(trend_frame(60), date(2025, 11, 20), colours),
    ]


def test_figures_need_no_server() -> None:
    """Charts, their sentences and colours load without Streamlit."""
    code = "import sys, lab.ui.charts, lab.ui.sentences, lab.ui.palette; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def points(figure: go.Figure) -> int:
    return sum(len(trace.y) for trace in figure.data if trace.y is not None)


@MODES
def test_every_figure_is_dressed_said_and_small(colours: Palette) -> None:
    """Template of its mode, hovermode on the figure, a sentence, a spoken name that fits, at most 2,000 points."""
    for chart in every_chart(colours):
        assert chart.figure.layout.template == TEMPLATES[colours.mode]
        assert chart.figure.layout.hovermode in {"x unified", "closest"}
        assert chart.figure.layout.title.text is None
        assert chart.title
        assert 0 < len(chart.alt) <= MAX_ALT
        assert points(chart.figure) <= 2000


@MODES
def test_no_mark_takes_a_colour_from_plotly(colours: Palette) -> None:
    """Each trace names its colour; an unnamed one would come from a default that knows no mode."""
    for chart in every_chart(colours):
        for trace in chart.figure.data:
            if trace.type == "bar":
                assert trace.marker.color is not None
            elif trace.type == "scatter" and trace.mode != "text":
                assert trace.marker.color is not None or trace.line.color is not None or trace.marker.line.color is not None


def bars(figure: go.Figure, name: str) -> go.Bar:
    return next(trace for trace in figure.data if trace.type == "bar" and trace.name == name and trace.showlegend is False)


def test_the_open_day_is_drawn_as_open() -> None:
    """Hatched on the page's own ground, outlined; whole days are solid."""
    figure = charts.trend(trend_frame(), LIGHT, "14:20").figure
    for name in ("accepted", "failed"):
        marker = bars(figure, name).marker
        assert list(marker.pattern.shape) == [""] * 29 + ["/"]
        assert marker.pattern.bgcolor == LIGHT.page
        assert list(marker.line.width) == [0] * 29 + [1.25]


def test_the_open_days_share_hangs_on_by_dots() -> None:
    """The solid line ends with the last whole day; a dotted segment leads to a hollow mark."""
    lines = [trace for trace in charts.trend(trend_frame(), LIGHT).figure.data if trace.yaxis == "y2"]
    solid, dotted, hollow = lines[:3]
    assert (len(solid.x), len(dotted.x), len(hollow.x)) == (29, 2, 1)
    assert dotted.line.dash == "dot"
    assert hollow.marker.color == LIGHT.page


def test_a_day_between_empty_ones_has_its_share_marked() -> None:
    """A line needs two neighbours; a day by itself would not be seen."""
    for hole, mode in ((None, "lines"), (date(2025, 11, 19), "lines+markers")):
        empty = pl.col("day").is_in([hole, date(2025, 11, 17)]) if hole else pl.lit(False)
        frame = trend_frame(is_open=False).with_columns(
            attempts=pl.when(~empty).then(pl.col("attempts")).otherwise(0),
            failed_share=pl.when(~empty).then(pl.col("failed_share")),
        )
        [line] = [trace for trace in charts.trend(frame, LIGHT).figure.data if trace.yaxis == "y2"]
        assert line.mode == mode


def test_whole_days_have_no_hatch() -> None:
    """Nothing looks open that is not."""
    marker = bars(charts.trend(trend_frame(is_open=False), LIGHT).figure, "failed").marker
    assert marker.pattern.shape is None


def test_the_band_steps_at_the_bars_edges_and_leaps_no_gap() -> None:
    """A stretch of days without an expected range parts the band in two."""
    frame = trend_frame().with_columns(
        pl.when(pl.col("day") == date(2025, 11, 5)).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("expected_low", "expected_high")
    )
    limits = [trace for trace in charts.trend(frame, LIGHT).figure.data if trace.name == "expected"]
    assert [trace.fill for trace in limits] == [None, "tonexty"] * 2
    assert limits[0].x[0].isoformat() == "2025-10-27T12:00:00"
    assert limits[0].line.shape == "hv"
    assert sum(bool(trace.showlegend) for trace in limits) == 1


def test_without_a_band_the_caption_says_why() -> None:
    """A young lab is told how many days it needs."""
    chart = charts.trend(trend_frame(days=5), LIGHT)
    assert "needs six earlier days" in chart.caption


def test_failed_minutes_hang_below_zero_under_their_true_number() -> None:
    """Values are negative for the eye; hover texts and ticks never are."""
    figure = charts.last_minutes(minute_frame(datetime(2025, 11, 20, tzinfo=UTC), 60), LIGHT, UTC_ZONE).figure
    failed = bars(figure, "failed")
    assert set(failed.y) == {-1}
    assert failed.customdata[0][0] == 1
    assert not [text for text in figure.layout.yaxis.ticktext if text.startswith("-")]


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 10, 26), 25), (date(2025, 3, 30), 23), (date(2025, 11, 20), 24)])
def test_a_days_timeline_has_its_own_number_of_hours(day: date, hours: int) -> None:
    """The hour that a clock repeats stands twice under different names, the one it skips is not there."""
    start, end = day_bounds(day, AMSTERDAM)
    frame = minute_frame(start, int((end - start).total_seconds() // 60))
    figure = charts.day_timeline(frame, NO_BURSTS, LIGHT, AMSTERDAM, is_open=False).figure
    names = list(bars(figure, "accepted").x)
    assert len(names) == len(set(names)) == hours * 12
    assert ("02:30 to 02:35" in names) == (hours != 23)
    assert ("02:30 to 02:35 again" in names) == (hours == 25)


def test_a_late_burst_has_its_word_inside_the_chart() -> None:
    """At the right edge the word stands left of the span's end, elsewhere right of its start."""
    start = datetime(2025, 11, 20, tzinfo=UTC)
    for at, anchor in ((3, "left"), (56, "right")):
        pair = (start + timedelta(minutes=at), start + timedelta(minutes=at + 4))
        [word] = charts.last_minutes(minute_frame(start, 60), LIGHT, UTC_ZONE, [pair]).figure.layout.annotations
        assert (word.xanchor, word.x) == (anchor, at - 0.5 if anchor == "left" else at + 3.5)


@pytest.mark.parametrize("most", [1, 3, 4, 5, 13])
def test_small_counts_have_whole_ticks(most: int) -> None:
    """Nobody makes half an attempt."""
    frame = pl.DataFrame({"source": ["MOBILE_APP"], "attempts": [most], "success": [most], "failed": [0]})
    axis = charts.outcomes(frame, "source", "source", LIGHT).figure.layout.xaxis
    assert (axis.tick0, axis.dtick, axis.tickmode) == (0, max(1, round(most / 4)), "linear")


def test_binning_loses_nothing() -> None:
    """Five minutes hold what their minutes held."""
    frame = minute_frame(datetime(2025, 11, 20, tzinfo=UTC), 63)
    steps = binned(frame, 5)
    assert steps.height == 13
    assert steps["attempts"].sum() == frame["attempts"].sum()


def test_a_burst_covers_its_minutes() -> None:
    """The end is exclusive: three minutes from the third one on cover bars 3, 4 and 5."""
    start = datetime(2025, 11, 20, tzinfo=UTC)
    pair = (start + timedelta(minutes=3), start + timedelta(minutes=6))
    figure = charts.last_minutes(minute_frame(start, 60), LIGHT, UTC_ZONE, [pair]).figure
    [shape] = figure.layout.shapes
    assert (shape.x0, shape.x1) == (2.5, 5.5)


def test_what_has_no_colour_is_hatched() -> None:
    """An uncoloured category is `other` and striped, with its name in text."""
    figure = charts.failure_categories(CATEGORIES, LIGHT).figure
    coloured, other = [trace for trace in figure.data if trace.type == "bar"]
    assert coloured.marker.color == LIGHT.categories["VALIDATION_FAILED"]
    assert (other.marker.color, other.marker.pattern.shape) == (LIGHT.other, "/")
    assert "Origin not allowed" in figure.layout.yaxis.ticktext


def test_cells_can_be_hit_and_read() -> None:
    """Squares without ink carry source and page; text is black or white, whichever stands out."""
    overlay = charts.cells(CELLS, LIGHT).figure.data[1]
    assert ["PARTNER_API", "/demo"] in [list(one) for one in overlay.customdata]
    assert overlay.marker.opacity == 0
    assert set(overlay.textfont.color) <= {"#000000", "#FFFFFF"}


def test_two_failures_of_two_are_no_alarm() -> None:
    """Under five attempts a cell stays paper; above, its colour leans to the usual share where they are few."""
    few = pl.DataFrame(
        {"source": ["WEBSITE_FORM", "MOBILE_APP", "PARTNER_API"], "page": ["/demo"] * 3, "attempts": [5, 4, 100], "success": [0, 0, 0], "failed": [5, 4, 100]}
    )
    heats = charts.cells(few.with_columns(failed=pl.Series([5, 4, 10])), LIGHT).figure.data[0]
    website, mobile, partner = (row[0] for row in heats.z)
    assert mobile == heats.zmin
    assert mobile < website < 1
    assert partner < mobile


def test_stored_names_cannot_become_marks() -> None:
    """A path from a stranger's log is shown letter by letter."""
    figure = charts.cells(CELLS, LIGHT).figure
    assert "/&lt;b&gt;x&lt;/b&gt;" in figure.layout.xaxis.ticktext


def test_the_calendar_frames_the_chosen_day() -> None:
    """And outlines the open one by dots."""
    figure = charts.calendar(trend_frame(30), date(2025, 11, 4), LIGHT).figure
    open_day, chosen = figure.layout.shapes
    assert (open_day.line.dash, chosen.line.width) == ("dot", 2)
    assert "2025-11-04" in list(figure.data[1].customdata)


def test_the_calendar_names_its_days() -> None:
    """Three days of an imported log are not two weeks."""
    frame = trend_frame(10, is_open=False)
    empty = pl.col("day").is_between(date(2025, 10, 25), date(2025, 10, 31))
    frame = frame.with_columns(pl.when(empty).then(0).otherwise(pl.col(name)).alias(name) for name in ("attempts", "failed"))
    title = charts.calendar(frame, date(2025, 11, 1), LIGHT).title
    assert title == "310 attempts on 3 days from 23 October to 1 November 2025, 9.7% failed"
    assert charts.calendar(frame.head(1), date(2025, 10, 23), LIGHT).title.startswith("100 attempts on 23 October 2025,")


def test_spoken_names_end_at_a_whole_part() -> None:
    """A screen reader is never given half a figure."""
    assert spoken("a" * 150, "b" * 20) == "a" * 150
    assert spoken("one", "", "two") == "one; two"
    assert len(spoken("a" * 400)) == MAX_ALT


def test_colours_are_mixed_as_they_are_drawn() -> None:
    """The ends, the middle, and beyond the ends."""
    assert mixed(("#000000", "#FFFFFF"), 0.5) == "#808080"
    assert mixed(("#000000", "#FFFFFF"), 7) == "#FFFFFF"
    assert readable_on("#F1F5F4") == "#000000"
    assert readable_on("#74270B") == "#FFFFFF"
