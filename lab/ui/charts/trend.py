"""Attempts a day by outcome over the range the same weekday suggests, with the failed share below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from lab.ui import sentences, words
from lab.ui.charts.marks import Chart, open_marker, spoken, swatch, whole_ticks
from lab.ui.palette import Palette
from lab.ui.template import figure

HEIGHT_PX = 372
HALF_DAY = timedelta(hours=12)
DAY_MS = 86_400_000


def trend(frame: pl.DataFrame, colours: Palette, until: str = "") -> Chart:
    """`frame` is `Metrics.trend`; `until` is the time an open day has reached ("14:20")."""
    days = frame["day"].to_list()
    is_open = frame["open"].to_list()
    drawn = figure(
        colours,
        HEIGHT_PX,
        barmode="stack",
        hoversubplots="axis",
        xaxis={"anchor": "y2", "type": "date", **_ticks(days)},
        yaxis={"domain": [0.36, 1], "title": {"text": "attempts a day"}, **whole_ticks(_highest(frame))},
        yaxis2={"domain": [0, 0.27], "title": {"text": "failed share"}, "tickformat": ".0%", "nticks": 3},
        legend={"y": 1.02},
    )
    banded = _band(drawn, frame, colours)
    drawn.add_trace(swatch("accepted", colours.success))
    drawn.add_trace(swatch("failed", colours.failed))
    for name, column, colour in (("accepted", "success", colours.success), ("failed", "failed", colours.failed)):
        drawn.add_bar(
            x=days,
            y=frame[column].to_list(),
            name=name,
            showlegend=False,
            customdata=[[day.isoformat()] for day in days],
            marker=open_marker(colour, colours, is_open),
            hovertemplate=f"%{{y:,}} {name}<extra></extra>",
        )
    _expected_in_hover(drawn, frame)
    _share(drawn, frame, colours)
    found = [one for one in sentences.unusual(frame) if one.what != "few"]
    _findings(drawn, frame, found, colours)
    return Chart(drawn, sentences.trend(frame), _caption(frame, banded, until), _alt(frame))


def _highest(frame: pl.DataFrame) -> float:
    """The top of what is drawn: the fullest day, or the upper limit where that is higher."""
    return max((value for name in ("attempts", "expected_high") for value in frame[name].drop_nulls()), default=0)


def _ticks(days: Sequence[date]) -> dict[str, Any]:
    if len(days) <= 10:
        return {"tickformat": "%a %-d", "dtick": DAY_MS, "tick0": days[0] if days else None}
    monday = days[0] + timedelta(days=-days[0].weekday() % 7)
    return {"tickformat": "%-d %b", "dtick": DAY_MS * (7 if len(days) <= 45 else 14), "tick0": monday}


def _runs(frame: pl.DataFrame) -> Iterator[list[dict[str, Any]]]:
    """Stretches of neighbouring days that have an expected range; a fill must not leap a gap."""
    run: list[dict[str, Any]] = []
    for row in frame.iter_rows(named=True):
        if row["expected_low"] is None or row["expected_high"] is None:
            if run:
                yield run
            run = []
        else:
            run.append(row)
    if run:
        yield run


def _band(drawn: go.Figure, frame: pl.DataFrame, colours: Palette) -> bool:
    """Two dotted limits with a fill between them, stepping at the bars' edges; whether there was any."""
    shown = False
    for run in _runs(frame):
        edges = [datetime.combine(row["day"], time()) - HALF_DAY for row in run]
        edges.append(edges[-1] + 2 * HALF_DAY)
        for column, fill in (("expected_low", None), ("expected_high", "tonexty")):
            limits = [row[column] for row in run]
            drawn.add_scatter(
                x=edges,
                y=[*limits, limits[-1]],
                mode="lines",
                line={"color": colours.limit, "width": 1, "dash": "dot", "shape": "hv"},
                fill=fill,
                fillcolor=colours.band,
                name="expected",
                showlegend=bool(fill) and not shown,
                hoverinfo="skip",
            )
        shown = True
    return shown


def _expected_in_hover(drawn: go.Figure, frame: pl.DataFrame) -> None:
    known = frame.filter(pl.col("expected_high").is_not_null())
    drawn.add_scatter(
        x=known["day"].to_list(),
        y=known["expected_high"].to_list(),
        customdata=[
            [row["day"].isoformat(), row["expected_low"], row["expected_high"]] for row in known.iter_rows(named=True)
        ],
        mode="markers",
        marker={"opacity": 0, "color": "rgba(0,0,0,0)"},
        showlegend=False,
        hovertemplate="expected %{customdata[1]:,.0f} to %{customdata[2]:,.0f}<extra></extra>",
    )


def _share(drawn: go.Figure, frame: pl.DataFrame, colours: Palette) -> None:
    """A line over whole days; the open one hangs on by a dotted segment with a hollow end."""
    days, shares = frame["day"].to_list(), frame["failed_share"].to_list()
    last = len(days) - 1 if days and frame["open"][-1] else len(days)
    common = {"yaxis": "y2", "showlegend": False, "hovertemplate": "%{y:.1%} failed share<extra></extra>"}
    line = {"color": colours.failed, "width": 2}
    whole = [None, *shares[:last], None]
    alone = any(
        before is None and share is not None and after is None
        for before, share, after in zip(whole, whole[1:], whole[2:], strict=False)
    )
    drawn.add_scatter(
        x=days[:last], y=shares[:last], mode="lines+markers" if alone else "lines",
        customdata=[[day.isoformat()] for day in days[:last]],
        line=line, marker={"color": colours.failed, "size": 6}, **common,
    )  # fmt: skip
    if last < len(days) and shares[last] is not None:
        tail = slice(max(0, last - 1), last + 1)
        drawn.add_scatter(
            x=days[tail], y=shares[tail], mode="lines", line={**line, "dash": "dot"}, hoverinfo="skip",
            yaxis="y2", showlegend=False,
        )  # fmt: skip
        hollow = {"size": 8, "color": colours.page, "line": {"color": colours.failed, "width": 2}}
        drawn.add_scatter(
            x=[days[last]], y=[shares[last]], mode="markers", marker=hollow,
            customdata=[[days[last].isoformat()]], **common,
        )  # fmt: skip


def _findings(
    drawn: go.Figure, frame: pl.DataFrame, found: Sequence[sentences.Unusual], colours: Palette
) -> None:
    """A diamond just above its point: on the bar for volume, on the share for failures."""
    top = {row["day"]: row["attempts"] for row in frame.iter_rows(named=True)}
    lift = max(top.values(), default=0) * 0.05
    marker = {
        "symbol": "diamond", "size": 11, "color": colours.finding, "line": {"color": colours.page, "width": 1.5},
    }  # fmt: skip
    first = True
    for what, axis in (("many", "y"), ("failures", "y2")):
        days = [one.day for one in found if one.what == what]
        if not days:
            continue
        shares = {one.day: one.value for one in found if one.what == "failures"}
        heights = [top[day] + lift if what == "many" else shares[day] + 0.045 for day in days]
        drawn.add_scatter(
            x=days, y=heights, yaxis=axis, mode="markers", marker=marker, name="unusual",
            showlegend=first, hoverinfo="skip", cliponaxis=False,
        )  # fmt: skip
        first = False


def _caption(frame: pl.DataFrame, banded: bool, until: str) -> str:
    parts = []
    if frame.height and frame["open"][-1]:
        parts.append(f"Striped: the open day, until {until}." if until else "Striped: the open day.")
    if banded:
        parts.append("Shaded: expected from the same weekday, 8 weeks.")
    else:
        parts.append("No expected range yet: it needs six earlier days of the same weekday.")
    return " ".join([*parts, "Select a day to open it."])


def _alt(frame: pl.DataFrame) -> str:
    if not frame.height:
        return "No days to show"
    attempts, failed = int(frame["attempts"].sum()), int(frame["failed"].sum())
    period = f"{words.short_day(frame['day'][0])} to {words.short_day(frame['day'][-1])}"
    figures = f"{period}: {words.many(attempts, 'attempt')}, {words.share(failed, attempts)} failed"
    return spoken(sentences.trend(frame), figures)
