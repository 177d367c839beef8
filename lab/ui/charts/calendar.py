"""The last weeks as a calendar, weeks across and weekdays down; the colour is the failed share of the day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from lab.ui import words
from lab.ui.charts.marks import FEWEST, Chart, mixed, readable_on, spoken
from lab.ui.palette import Palette
from lab.ui.template import figure

HEIGHT_PX = 206
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOTTEST = 0.5
NUMBERED_WEEKS = 14
"""With more of them a phone has no room for the day's number in its cell."""


def calendar(frame: pl.DataFrame, chosen: date, colours: Palette) -> Chart:
    """`frame` is `Metrics.trend` or `.daily`; `chosen` is framed; an open day has a dotted outline."""
    days = frame["day"].to_list()
    monday = days[0] - timedelta(days=days[0].weekday())
    weeks = (days[-1] - monday).days // 7 + 1
    total, failed = int(frame["attempts"].sum()), int(frame["failed"].sum())
    usual = failed / total if total else 0.0
    hottest = max(HOTTEST, usual + 0.2)
    shares: list[list[float | None]] = [[None] * weeks for _ in WEEKDAYS]
    marks = []
    for row in frame.iter_rows(named=True):
        day: date = row["day"]
        week, weekday = (day - monday).days // 7, day.weekday()
        share = row["failed"] / row["attempts"] if row["attempts"] else None
        heat = usual if share is not None and row["attempts"] < FEWEST else share
        shares[weekday][week] = heat
        ground = colours.page if heat is None else mixed(colours.shares, (heat - usual) / (hottest - usual))
        hover = words.long_day(day) + "<br>"
        hover += "no attempts" if share is None else f"{words.many(row['attempts'], 'attempt')}, {share:.1%} failed"
        ink = colours.muted if share is None else readable_on(ground)
        marks.append((week, weekday, str(day.day) if weeks <= NUMBERED_WEEKS else "", hover, day.isoformat(), ink))
    months = _months(days, monday)
    drawn = figure(
        colours,
        HEIGHT_PX,
        hovermode="closest",
        xaxis={
            "side": "top", "showline": False, "ticks": "", "tickmode": "array", "tickangle": 0,
            "tickvals": list(months),
            "ticktext": list(months.values()),
            "range": [-0.5, max(weeks, 8) - 0.5],
        },
        yaxis={
            "showgrid": False, "tickmode": "array", "tickvals": list(range(7)), "ticktext": list(WEEKDAYS),
            "range": [6.5, -0.5], "ticklabelstandoff": 6,
        },
    )  # fmt: skip
    steps = len(colours.shares) - 1
    drawn.add_heatmap(
        z=shares, zmin=usual, zmax=hottest, showscale=False, xgap=2, ygap=2, hoverinfo="skip",
        colorscale=[[at / steps, code] for at, code in enumerate(colours.shares)],
    )  # fmt: skip
    drawn.add_scatter(
        x=[mark[0] for mark in marks],
        y=[mark[1] for mark in marks],
        mode="markers+text",
        marker={"symbol": "square", "size": 24, "opacity": 0, "color": colours.page},
        text=[mark[2] for mark in marks],
        textfont={"size": 12, "color": [mark[5] for mark in marks]},
        hovertext=[mark[3] for mark in marks],
        customdata=[mark[4] for mark in marks],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    if frame["open"][-1] if "open" in frame.columns else False:
        _frame(drawn, days[-1], monday, {"color": colours.failed, "width": 1.5, "dash": "dot"})
    if days[0] <= chosen <= days[-1]:
        _frame(drawn, chosen, monday, {"color": colours.ink, "width": 2})
    title = f"{words.many(total, 'attempt')}{_when(frame.filter(pl.col('attempts') > 0)['day'].to_list())}"
    title += f", {words.share(failed, total)} failed" if total else ""
    caption = f"Failed share of each day; colour starts at the overall {words.share(usual)}. Select a day to open it."
    return Chart(drawn, title, caption, spoken(f"Failed share of each day; {title}"))


def _when(filled: list[date]) -> str:
    """The days that hold attempts, named by the first and the last."""
    if not filled:
        return ""
    first, last = filled[0], filled[-1]
    if first == last:
        return f" on {words.plain_day(last)} {last.year}"
    year = f" {first.year}" if first.year != last.year else ""
    return f" on {len(filled)} days from {words.plain_day(first)}{year} to {words.plain_day(last)} {last.year}"


def _frame(drawn: object, day: date, monday: date, line: dict[str, object]) -> None:
    week, weekday = (day - monday).days // 7, day.weekday()
    drawn.add_shape(  # type: ignore[attr-defined]
        type="rect", x0=week - 0.47, x1=week + 0.47, y0=weekday - 0.46, y1=weekday + 0.46, line=line
    )


def _months(days: list[date], monday: date) -> dict[int, str]:
    """Name over the week that holds a month's first day, and over the first week unless the next name is near."""
    named = {(day - monday).days // 7: f"{day:%b}" for day in days if day.day == 1}
    return named if any(week <= 2 for week in named) else {0: f"{days[0]:%b}", **named}
