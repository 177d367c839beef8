"""Sources by pages: failed share over count in each cell, the colour beginning at the usual share.

The trap it avoids: a heatmap never reports a selection. Squares without ink lie over it and are what is hit.
"""

from __future__ import annotations

import polars as pl

from lab.ui import sentences, words
from lab.ui.charts.marks import FEWEST, Chart, mixed, readable_on, spoken
from lab.ui.palette import Palette
from lab.ui.template import figure

ROW_PX = 46
MAX_PAGES = 8
MAX_SOURCES = 12
HOTTEST = 0.8
CAUTION = 6
"""Attempts of the usual share added to each cell before it is coloured; under five it stays paper."""


def cells(frame: pl.DataFrame, colours: Palette) -> Chart:
    """`frame` is `Metrics.cells`: source, page, attempts, success, failed."""
    totals = frame.select(pl.col("attempts", "failed").sum())
    usual = totals["failed"][0] / totals["attempts"][0] if frame.height and totals["attempts"][0] else 0.0
    sources = _first(frame, "source", list(colours.sources), MAX_SOURCES)
    pages = _first(frame, "page", [], MAX_PAGES)
    seen = {(row["source"], row["page"]): row for row in frame.iter_rows(named=True)}
    hottest = max(HOTTEST, usual + 0.2)
    heats: list[list[float | None]] = []
    marks = []
    for at, source in enumerate(sources):
        line: list[float | None] = []
        for place, page in enumerate(pages):
            row = seen.get((source, page))
            share = row["failed"] / row["attempts"] if row and row["attempts"] else None
            heat = None
            if row and row["attempts"]:
                few = row["attempts"] < FEWEST
                heat = usual if few else (row["failed"] + CAUTION * usual) / (row["attempts"] + CAUTION)
            line.append(heat)
            ground = colours.page if heat is None else mixed(colours.shares, (heat - usual) / (hottest - usual))
            text = "·" if row is None or share is None else f"<b>{share:.0%}</b><br>{words.count(row['attempts'])}"
            hover = f"{words.hover_safe(words.name(source))} on {words.hover_safe(words.name(page))}"
            if row is not None and share is not None:
                hover += f"<br>{words.share(share)} of {words.many(row['attempts'], 'attempt')} failed"
            else:
                hover += "<br>no attempts"
            marks.append((place, at, text, hover, [source, page], readable_on(ground)))
        heats.append(line)
    drawn = figure(
        colours,
        max(2, len(sources)) * ROW_PX + 36,
        hovermode="closest",
        xaxis={
            "side": "top", "showline": False, "ticks": "", "tickmode": "array", "tickangle": 0,
            "tickvals": list(range(len(pages))),
            "ticktext": [_short(page) for page in pages],
            "tickfont": {"color": colours.ink},
            "range": [-0.5, max(len(pages), 1) - 0.5],
        },
        yaxis={
            "showgrid": False, "tickmode": "array", "tickvals": list(range(len(sources))),
            "ticktext": [words.hover_safe(words.name(source)) for source in sources],
            "tickfont": {"color": colours.ink}, "range": [max(len(sources), 1) - 0.5, -0.5],
            "ticklabelstandoff": 6,
        },
    )  # fmt: skip
    steps = len(colours.shares) - 1
    drawn.add_heatmap(
        z=heats,
        zmin=usual,
        zmax=hottest,
        colorscale=[[at / steps, code] for at, code in enumerate(colours.shares)],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    drawn.add_scatter(
        x=[mark[0] for mark in marks],
        y=[mark[1] for mark in marks],
        mode="markers+text",
        marker={"symbol": "square", "size": 40, "opacity": 0, "color": colours.page},
        text=[mark[2] for mark in marks],
        textfont={"size": 12, "color": [mark[5] for mark in marks]},
        hovertext=[mark[3] for mark in marks],
        customdata=[mark[4] for mark in marks],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    rows = [(row["source"], row["page"], row["attempts"], row["failed"]) for row in frame.iter_rows(named=True)]
    title = sentences.cells(rows, usual)
    left = frame["page"].n_unique() - len(pages) if frame.height else 0
    caption = f"Failed share, attempts below. Coloured from {FEWEST} attempts and the overall {words.share(usual)} on."
    caption += f" {words.many(left, 'page')} more are not shown." if left else ""
    worst = sorted((row for row in rows if row[2] >= sentences.MIN_ATTEMPTS), key=lambda row: -row[3] / row[2])[:2]
    listed = ", ".join(f"{words.name(s)} {words.share(bad, n)} on {p}" for s, p, n, bad in worst)
    return Chart(drawn, title, caption, spoken(f"Failed share by source and page; {listed}" if listed else title))


def _first(frame: pl.DataFrame, column: str, order: list[str], limit: int) -> list[str]:
    """Keys by count, at most `limit`, then put into the known order where there is one."""
    if not frame.height:
        return []
    ranked = frame.group_by(column).agg(pl.col("attempts").sum()).sort("attempts", column, descending=[True, False])
    keys = ranked[column].to_list()[:limit]
    return sorted(keys, key=lambda key: order.index(key) if key in order else len(order)) if order else keys


def _short(page: str) -> str:
    return words.hover_safe(page if len(page) <= 12 else f"{page[:11]}…")
