"""The pieces every page is set from: badge row, heading, tiles, figure, bars of progress, empty states.

The trap it avoids: stored text read as Markdown. Titles and labels pass `words.safe` here, so that a page may
hand over a sentence that names a source or a path as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Literal, NamedTuple

import streamlit as st

from lab.jobs import Job
from lab.ui import words
from lab.ui.charts.marks import Chart
from lab.ui.template import CONFIG

Hue = Literal["red", "orange", "green", "blue", "violet", "gray"]


class Badge(NamedTuple):
    """A word with its colour; `icon` is a Material Symbol's name. Colour never stands alone."""

    word: str
    hue: Hue = "gray"
    icon: str = ""


IN_RANGE = Badge("In range", "green", "check_circle")
NEEDS_A_LOOK = Badge("Needs a look", "orange", "change_history")
BROKEN = Badge("Broken", "red", "error")
EMPTY_LAB = Badge("Empty lab", "gray", "hourglass_empty")
TOO_EARLY = Badge("No usual yet", "gray", "hourglass_empty")
OPEN_DAY = Badge("Open day", "gray", "timelapse")


def icon(name: str) -> str | None:
    """A Material Symbol as Streamlit writes it."""
    return f":material/{name}:" if name else None


def badges(items: Iterable[Badge], note: str = "") -> None:
    """Badges and a short note in one row that wraps."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for one in items:
            st.badge(words.safe(one.word), color=one.hue, icon=icon(one.icon))
        if note:
            st.caption(words.safe(note), width="content")


def head(items: Iterable[Badge], note: str, title: str, sentence: str = "") -> None:
    """How every page starts: badge row, the answer as its title, one sentence."""
    badges(items, note)
    with st.container(gap=None):
        st.title(words.safe(title), anchor=False)
        if sentence:
            st.markdown(words.safe(sentence))


TILE_PX = 130
"""Six of them and their gaps fit into a window of 1,280 px beside the sidebar."""


class Tile(NamedTuple):
    """A figure with its usual and a fortnight behind it. Labels up to 16 characters fit six abreast."""

    label: str
    value: str
    usual: str = ""
    hue: Literal["gray", "red", "violet"] = "gray"
    spark: Sequence[float] = ()
    kind: Literal["bar", "line"] = "bar"
    help: str | None = None


def tiles(items: Sequence[Tile], columns: int = 6) -> None:
    """Tiles in a grid: six abreast from a laptop up, two on a phone."""
    with st.grid(columns, min_column_width=TILE_PX):
        for one in items:
            st.metric(
                one.label,
                one.value,
                one.usual or "no usual yet",
                delta_color=one.hue,
                delta_arrow="off",
                help=one.help,
                chart_data=sparkline(one.spark),
                chart_type=one.kind,
                border=True,
                height="stretch",
            )


def sparkline(values: Sequence[float]) -> list[float] | None:
    """What a tile draws: nothing of a single point or of zeros only, which have no extent."""
    held = [value for value in values if isfinite(value)]
    return held if len(held) > 1 and any(held) else None


def figure(chart: Chart, key: str, select: bool = False, caption: bool = True) -> Any:
    """Title, figure, caption. With `select`, the first selected mark's customdata, or None."""
    st.subheader(words.safe(chart.title), anchor=False)
    event = st.plotly_chart(
        chart.figure,
        theme=None,
        config=CONFIG,
        alt=chart.alt,
        key=key,
        on_select="rerun" if select else "ignore",
        selection_mode="points",
    )
    if caption and chart.caption:
        st.caption(words.safe(chart.caption))
    return selected(event) if select else None


def selected(event: Any) -> Any:
    """customdata of the first selected mark, its x when it carries none, None without a selection."""
    points = event["selection"]["points"] if event else []
    return (points[0].get("customdata") or points[0].get("x")) if points else None


def facts(rows: Mapping[str, Any]) -> None:
    """Names and values under one another; values may be stored text."""
    shown = {words.safe(name): words.safe(str(value)) for name, value in rows.items() if value not in (None, "")}
    st.table(shown, border="horizontal")


def empty(sentence: str, remedy: str = "", symbol: str = "hourglass_empty") -> None:
    """An empty part says what is missing and what to do, never a blank card."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{icon(symbol)} **{words.safe(sentence)}**")
        if remedy:
            st.caption(words.safe(remedy))


def empty_traffic(traffic: str) -> None:
    """Neither this day nor any other holds such attempts."""
    kind = "" if traffic == "All" else f"{traffic.lower()} "
    empty(f"The lab holds no {kind}attempts yet.", "The Overview shows two ways to start; Traffic is in the sidebar.")


def job_line(job: Job, what: str) -> None:
    """A job as one line: what it does, how far it is, what it has counted so far."""
    if job.place:
        st.progress(0.0, text=words.safe(f"{what}: waiting, number {job.place} in the queue"))
        return
    counts = [
        f"{words.count(job.detail[key])} {said}"
        for key, said in (("success", "accepted"), ("failed", "failed"))
        if isinstance(job.detail.get(key), int)
    ]
    stage = f"{job.stage} " if job.stage else ""
    text = " · ".join([f"{what}: {stage}{job.share:.0%}", *counts])
    st.progress(job.share, text=words.safe(text))
