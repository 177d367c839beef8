"""Ranked bars: failure categories by count, and sources or pages by their outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from lab.ui import sentences, words
from lab.ui.charts.marks import Chart, hatched, spoken, swatch, whole_ticks
from lab.ui.palette import Palette
from lab.ui.template import figure

MAX_BARS = 12
MIN_HEIGHT_PX = 252
FEWEST_ROWS = 7
"""Room is kept for this many, so that a single bar is not drawn as a block."""


def failure_categories(frame: pl.DataFrame, colours: Palette, usual: Mapping[str, float] | None = None) -> Chart:
    """`frame` has category and attempts. `usual` is the count to compare each with, drawn as a tick."""
    top = frame.filter(pl.col("attempts") > 0).sort("attempts", "category", descending=[True, False]).head(MAX_BARS)
    usual = usual or {}
    rows = [(row["category"], int(row["attempts"]), usual.get(row["category"])) for row in top.iter_rows(named=True)]
    drawn = _ranked([key for key, _, _ in rows], colours)
    for at, (key, number, _) in enumerate(rows):
        known = key in colours.categories
        drawn.add_bar(
            x=[number],
            y=[at],
            orientation="h",
            customdata=[[key, words.name(key)]],
            marker={"color": colours.categories[key]} if known else hatched(colours.other, colours),
            showlegend=False,
            hovertemplate=f"{words.hover_safe(words.name(key))}: %{{x:,}}<extra></extra>",
        )
    if usual:
        drawn.add_scatter(
            x=[usual.get(key, 0) for key, _, _ in rows],
            y=list(range(len(rows))),
            mode="markers",
            marker={"symbol": "line-ns", "size": 12, "line": {"color": colours.marker, "width": 2}},
            name="usual",
            hovertemplate="usual %{x:,.0f}<extra></extra>",
        )
    ends = [max(number, usual.get(key, 0)) for key, number, _ in rows]
    _counts(drawn, ends, [words.count(number) for _, number, _ in rows], colours)
    title = sentences.ranked_failures(rows)
    caption = "Tick: the usual count of this weekday." if usual else ""
    listed = ", ".join(f"{words.name(key)} {words.count(number)}" for key, number, _ in rows[:3])
    return Chart(drawn, title, caption, spoken(title, listed))


def outcomes(frame: pl.DataFrame, column: str, noun: str, colours: Palette) -> Chart:
    """`frame` has `column` (source or page), attempts, success and failed; the count is followed by the share."""
    top = frame.filter(pl.col("attempts") > 0).sort("attempts", column, descending=[True, False]).head(MAX_BARS)
    keys = top[column].to_list()
    attempts, failed = top["attempts"].to_list(), top["failed"].to_list()
    drawn = _ranked(keys, colours)
    drawn.update_layout(barmode="stack")
    drawn.add_trace(swatch("accepted", colours.success))
    drawn.add_trace(swatch("failed", colours.failed))
    for name, values, colour in (
        ("accepted", top["success"].to_list(), colours.success), ("failed", failed, colours.failed),
    ):  # fmt: skip
        drawn.add_bar(
            x=values,
            y=list(range(len(keys))),
            orientation="h",
            name=name,
            showlegend=False,
            customdata=[[key, words.name(key)] for key in keys],
            marker={"color": colour},
            hovertemplate=f"%{{x:,}} {name}<extra></extra>",
        )
    texts = [f"{words.count(n)} · {words.share(bad, n)}" for n, bad in zip(attempts, failed, strict=True)]
    _counts(drawn, attempts, texts, colours, room=1.42)
    rows = list(zip(keys, attempts, failed, strict=True))
    title = sentences.ranked_outcomes(rows, noun)
    left = frame.filter(pl.col("attempts") > 0).height - top.height
    caption = "Attempts and failed share." + (f" {words.many(left, noun)} more are not shown." if left else "")
    listed = ", ".join(f"{words.name(key)} {words.count(n)}" for key, n, _ in rows[:3])
    return Chart(drawn, title, caption, spoken(title, listed))


def _ranked(keys: Sequence[str], colours: Palette) -> go.Figure:
    return figure(
        colours,
        max(MIN_HEIGHT_PX, 72 + 23 * len(keys)),
        hovermode="closest",
        bargap=0.38,
        barmode="overlay",
        xaxis={
            "showgrid": True, "gridcolor": colours.grid, "showline": False, "ticks": "", "rangemode": "tozero",
            "tickformat": ",", "nticks": 4,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(keys))),
            "ticktext": [words.hover_safe(words.name(key)) for key in keys],
            "tickfont": {"color": colours.ink},
            "range": [max(len(keys), FEWEST_ROWS) - 0.4, -0.6],
            "showgrid": False,
            "ticklabelstandoff": 6,
        },
    )  # fmt: skip


def _counts(
    drawn: go.Figure, ends: Sequence[float], texts: Sequence[str], colours: Palette, room: float = 1.14
) -> None:
    """The number right of each bar, clear of the tick that marks the usual."""
    style: dict[str, Any] = {"color": colours.ink, "size": 12}
    drawn.add_scatter(
        x=list(ends),
        y=list(range(len(texts))),
        mode="text",
        text=[f" {text}" for text in texts],
        textposition="middle right",
        textfont=style,
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    longest = max(ends, default=1)
    drawn.update_layout(xaxis={"range": [0, longest * room], **whole_ticks(longest)})
