"""Attempts over a short time, accepted above zero and failed mirrored below it.

The trap it avoids: Plotly knows no time zones, and a day may have 23 or 25 hours. So periods stand side by side
under names in the lab's own clock, and a mark's customdata ends in the number of its period.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import polars as pl

from lab.ui import sentences
from lab.ui.charts.marks import Chart, open_marker, span, spoken, swatch
from lab.ui.palette import Palette
from lab.ui.template import figure

HOUR_HEIGHT_PX = 252
DAY_HEIGHT_PX = 300
LATE = 0.85
"""Part of the width beyond which a word no longer fits on the right of its mark."""
TIMELINE_STEP = 5
"""Minutes a bar in a day's timeline: 288 pairs of bars can be seen, 1,440 cannot."""


def last_minutes(
    frame: pl.DataFrame,
    colours: Palette,
    zone: ZoneInfo,
    bursts: Sequence[tuple[datetime, datetime]] = (),
) -> Chart:
    """`frame` is `Metrics.last_minutes`; its last minute is still open. `bursts` are pairs of instants."""
    drawn = _mirrored(frame, colours, zone, 1, 10, HOUR_HEIGHT_PX, last_open=True)
    drawn.update_layout(yaxis={"title": {"text": "a minute"}})
    _spans(drawn, frame, bursts, 1, colours)
    title = sentences.last_minutes(frame, bursts, zone)
    peak = int(frame["attempts"].max() or 0) if frame.height else 0  # type: ignore[arg-type]
    return Chart(drawn, title, "Striped: the minute that is still running.", spoken(title, f"at most {peak} a minute"))


def day_timeline(frame: pl.DataFrame, bursts: pl.DataFrame, colours: Palette, zone: ZoneInfo, is_open: bool) -> Chart:
    """`frame` and `bursts` are those of `Metrics.day`; drawn by five minutes, bursts to the minute."""
    steps = binned(frame, TIMELINE_STEP)
    drawn = _mirrored(steps, colours, zone, TIMELINE_STEP, 180, DAY_HEIGHT_PX, last_open=is_open)
    drawn.update_layout(yaxis={"title": {"text": f"in {TIMELINE_STEP} minutes"}})
    pairs = list(zip(bursts["start"].to_list(), bursts["end"].to_list(), strict=True)) if bursts.height else []
    _spans(drawn, steps, pairs, TIMELINE_STEP, colours)
    title = sentences.minutes_of_day(frame, bursts, zone)
    caption = f"Each bar is {TIMELINE_STEP} minutes; failed below zero. Select one to list its attempts."
    return Chart(drawn, title, caption, spoken(title))


def histogram(labels: Sequence[str], accepted: Sequence[int], failed: Sequence[int], colours: Palette) -> go.Figure:
    """A strip of 60 px that shows where in time a selection lies."""
    drawn = figure(colours, 60, barmode="stack", bargap=0.12, showlegend=False, margin={"t": 2, "b": 2})
    for name, values, colour in (("accepted", accepted, colours.success), ("failed", failed, colours.failed)):
        drawn.add_bar(
            x=list(labels), y=list(values), marker={"color": colour}, hovertemplate=f"%{{y:,}} {name}<extra></extra>",
        )  # fmt: skip
    drawn.update_layout(
        xaxis={"type": "category", "showticklabels": False, "ticks": ""}, yaxis={"visible": False}
    )
    return drawn


def binned(frame: pl.DataFrame, step: int) -> pl.DataFrame:
    """Sums of `step` neighbouring minutes, under the first minute of each."""
    return (
        frame.with_row_index("at")
        .group_by(pl.col("at") // step, maintain_order=True)
        .agg(pl.col("minute").first(), pl.col("attempts", "success", "failed").sum())
        .drop("at")
    )


def _mirrored(
    frame: pl.DataFrame, colours: Palette, zone: ZoneInfo, step: int, tick: int, height_px: int, last_open: bool
) -> go.Figure:
    local = [minute.astimezone(zone) for minute in frame["minute"].to_list()]
    is_open = [last_open and index == frame.height - 1 for index in range(frame.height)]
    drawn = figure(colours, height_px, barmode="relative", bargap=0.12)
    drawn.add_trace(swatch("accepted", colours.success))
    drawn.add_trace(swatch("failed", colours.failed))
    labels = [_label(one, step) for one in local]
    accepted, failed = frame["success"].to_list(), frame["failed"].to_list()
    for name, values, sign, colour in (
        ("accepted", accepted, 1, colours.success), ("failed", failed, -1, colours.failed),
    ):  # fmt: skip
        drawn.add_bar(
            x=labels,
            y=[sign * value for value in values],
            name=name,
            showlegend=False,
            customdata=list(zip(values, range(frame.height), strict=True)),
            marker=open_marker(colour, colours, is_open),
            hovertemplate=f"%{{customdata[0]:,}} {name}<extra></extra>",
        )
    marks = [index for index, one in enumerate(local) if one.minute % min(tick, 60) == 0 and _on(one, tick)]
    drawn.update_layout(
        xaxis={
            "type": "category",
            "tickmode": "array",
            "tickangle": 0,
            "tickvals": [labels[index] for index in marks],
            "ticktext": [f"{local[index]:%H:%M}" for index in marks],
            "range": [-0.6, max(frame.height, 1) - 0.4],
        },
        yaxis=_both_ways(max(accepted, default=0), max(failed, default=0)),
    )
    return drawn


def _on(local: datetime, tick: int) -> bool:
    return tick < 60 or local.hour % (tick // 60) == 0


def _label(local: datetime, step: int) -> str:
    """Unique within the day: the hour that a clock repeats is told apart."""
    again = " again" if local.fold else ""
    return f"{local:%H:%M}{again}" if step == 1 else f"{local:%H:%M} to {local + timedelta(minutes=step):%H:%M}{again}"


def _both_ways(above: int, below: int) -> dict[str, Any]:
    """Ticks at round numbers on both sides of zero, all written without a sign."""
    step = 1
    for step in (size * 10**power for power in range(9) for size in (1, 2, 5)):
        if (above + below) / step <= 5:
            break
    values = [step * at for at in range(-(below // step), above // step + 1)]
    low, high = min(-below, 0), max(above, 1)
    room = (high - low) * 0.06
    return {
        "tickmode": "array",
        "tickvals": values,
        "ticktext": [f"{abs(value):,}" for value in values],
        "range": [low - (room if below else 0), high + room],
        "zeroline": True,
        "zerolinewidth": 1,
    }


def _spans(
    drawn: go.Figure, frame: pl.DataFrame, bursts: Sequence[tuple[datetime, datetime]], step: int, colours: Palette
) -> None:
    """A burst is a pair of instants, the end exclusive."""
    if not frame.height:
        return
    start = frame["minute"][0]
    for index, (first, end) in enumerate(bursts):
        left = (first - start).total_seconds() / 60 / step - 0.5
        right = (end - start).total_seconds() / 60 / step - 0.5
        if right < 0 or left > frame.height:
            continue
        word = ("burst" if len(bursts) == 1 else "bursts") if index == 0 else ""
        late = left > LATE * frame.height
        span(drawn, max(left, -0.5), min(right, frame.height - 0.5), word, colours, late)
