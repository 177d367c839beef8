"""Tables: stored rows and counts as st.dataframe shows them, in the lab's own time and words.

The trap it avoids: a dataframe draws instants in the browser's zone. Times are written out here, in the lab's.
A dataframe never reads Markdown, so stored text may stand in it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from lab.ui import words

ROW_PX = 32
MAX_ROWS = 12


def counts(
    frame: pl.DataFrame, headings: Mapping[str, str], alt: str, key: str | None = None, select: bool = False
) -> int | None:
    """A table of the named columns; with `select`, the number of the chosen row."""
    shown = frame.select(list(headings)).rename(dict(headings))
    event = st.dataframe(
        shown,
        hide_index=True,
        row_height=ROW_PX,
        height=ROW_PX * (min(max(frame.height, 1), MAX_ROWS) + 1) + 2,
        column_config={
            title: st.column_config.NumberColumn(title, format="%,d", width=max(58, 7 * len(title) + 20))
            for title, kind in shown.schema.items()
            if kind.is_numeric()
        },
        on_select="rerun" if select else "ignore",
        selection_mode="single-row",
        key=key,
        alt=alt,
    )
    rows: Sequence[int] = event["selection"]["rows"] if select else ()  # type: ignore[index]
    return rows[0] if rows else None


def named(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The same frame with codes written as words."""
    return frame.with_columns(
        pl.col(column).map_elements(words.name, return_dtype=pl.String, skip_nulls=True) for column in columns
    )


def timed(frame: pl.DataFrame, zone: ZoneInfo, layout: str = "%H:%M:%S") -> pl.DataFrame:
    """The same frame with its instants written in the lab's zone."""
    instants = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(name).dt.convert_time_zone(zone.key).dt.strftime(layout) for name in instants)


def pivoted(frame: pl.DataFrame, rows: str, columns: str, order: Sequence[Any] = ()) -> pl.DataFrame:
    """Counts of `attempts`, one key down and one across, the largest row first."""
    wide = frame.pivot(columns, index=rows, values="attempts", aggregate_function="sum").fill_null(0)
    across = [name for name in [*order, *sorted(set(wide.columns) - {rows} - set(order))] if name in wide.columns]
    return (
        wide.with_columns(total=pl.sum_horizontal(across))
        .sort("total", rows, descending=[True, False])
        .select(rows, *across, "total")
    )
