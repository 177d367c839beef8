"""Parts of the Attempts page: the filter and its sentence, the table page by page, the downloads.

The trap it avoids: a page number in millions of rows. Pages are reached one from another, by the instant and
number of the last row, and begin anew when the filter changes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from lab.attempt import UNKNOWN, Category, Kind, Outcome
from lab.metrics import Cursor, Filter, Page, Traffic
from lab.metrics.export import Format
from lab.ui import cards, loaders, tables, words
from lab.ui.here import EARLIEST, Here
from lab.ui.runtime import current_lab

ROWS = 30
ROWS_AND_ATTEMPTS = (
    "Rows are not attempts: a flood of alike refusals is kept as one row that counts many, and a replay of a finished "
    "request is a row but no attempt."
)
OUTCOMES = {"All": None, "Accepted": Outcome.SUCCESS, "Failed": Outcome.FAILED}
WIDGETS = {
    "outcome": "Outcome", "category": "Category", "source": "Source", "page": "Page", "user": "User", "text": "Reason",
}  # fmt: skip
"""Fields of a Filter that are widgets, and what their labels are; a widget's key and URL parameter is the field."""
_PAGES, _TABLE = "_attempt_pages", "_attempt_table"


def filter_row(here: Here) -> Filter:
    """The controls, each bound to the URL; a link with `since` and `before` narrows to a stretch of time."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = _day("From", "from", "First day; empty means the sidebar's window.")
        last = _day("To", "to", "Last day; empty means the sidebar's window.")
        outcome = st.radio("Outcome", list(OUTCOMES), key="outcome", horizontal=True, bind="query-params")
        category = _choice("Category", "category", [one.value for one in Category], 210)
        sources = sorted({*here.lab.world.sources, *loaders.keys(here.version, "source"), UNKNOWN})
        source = _choice("Source", "source", sources, 180)
        pages = sorted({*here.lab.world.pages, *loaders.keys(here.version, "page"), UNKNOWN})
        page = _choice("Page", "page", pages, 160)
        user = st.text_input("User", key="user", placeholder="u_… or c_…", bind="query-params", width=180)
        text = st.text_input("Reason", key="text", placeholder="words in the reason", bind="query-params", width=180)
    since, until = _instant("since"), _instant("before")
    narrow = since is not None or until is not None
    return Filter(
        first=first or (None if narrow else here.first),
        last=last or (None if narrow else here.last),
        outcome=OUTCOMES.get(outcome or "All"),
        category=category,
        source=source,
        page=page,
        user=(user or "").strip() or None,
        since=since,
        until=until,
        text=(text or "").strip() or None,
        traffic=here.traffic,
    )


def _day(label: str, key: str, help: str) -> date | None:
    value = st.date_input(
        label, value=None, min_value=EARLIEST, key=key, format="YYYY-MM-DD", bind="query-params", width=150, help=help
    )
    return value if isinstance(value, date) else None


def _choice(label: str, key: str, options: list[str], width: int) -> str | None:
    return st.selectbox(
        label, options, index=None, key=key, placeholder="All", format_func=words.name, bind="query-params", width=width
    )


def _instant(key: str) -> datetime | None:
    """The URL's instant; None for what is none, or is so far off that no zone and no database could hold it."""
    try:
        value = datetime.fromisoformat(st.query_params.get(key, ""))
        at = value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if value.tzinfo and 1971 <= at.year < 2970 else None


def whole_time() -> None:
    """Drop the stretch of time that a link asked for."""
    for key in ("since", "before"):
        st.query_params.pop(key, None)


def clear(field: str) -> None:
    """Empty one control of the filter; a callback."""
    st.session_state[field] = "All" if field == "outcome" else "" if field in ("user", "text") else None


def sentence(asked: Filter, attempts: int, here: Here) -> str:
    """The page's title: how many of what, when, from where."""
    outcome = {Outcome.SUCCESS: "accepted ", Outcome.FAILED: "failed "}.get(asked.outcome or "", "")  # type: ignore[call-overload]
    number = words.many(attempts, f"{outcome}attempt") if attempts else f"No {outcome}attempts"
    parts = [number, _when(asked, here)]
    parts.append(f"from {words.name(asked.source)}" if asked.source else "from all sources")
    if asked.page:
        parts.append(f"on {words.name(asked.page)}")
    if asked.category:
        parts.append(f"refused as {words.name(asked.category).lower()}")
    return " ".join(part for part in parts if part)


def _when(asked: Filter, here: Here) -> str:
    zone = here.lab.zone
    if asked.since and asked.until:
        day = words.relative_day(asked.since.astimezone(zone).date(), here.today)
        return f"{day}, {words.span(asked.since, asked.until, zone)},"
    if asked.first and asked.first == asked.last:
        return words.relative_day(asked.first, here.today)
    if asked.first and asked.last:
        return f"from {words.short_day(asked.first)} to {words.short_day(asked.last, here.today)},"
    return ""


class Place:
    """Where in the list the reader is: the cursors passed so far, forgotten when the filter changes."""

    def __init__(self, asked: Filter, version: str) -> None:
        kept = st.session_state.get(_PAGES)
        self.cursors: list[Cursor | None] = kept[1] if kept and kept[0] == asked else [None]
        self._keep(asked)

    def _keep(self, asked: Filter) -> None:
        st.session_state[_PAGES] = (asked, self.cursors)

    def older(self, to: Cursor) -> None:
        self.cursors.append(to)

    def newer(self) -> None:
        if len(self.cursors) > 1:
            self.cursors.pop()


def table(here: Here, found: Page, several_days: bool) -> str | None:
    """The rows; the id of the one that was opened."""
    layout = "%-d %b %H:%M:%S" if several_days else "%H:%M:%S"
    shown = tables.timed(found.rows, here.lab.zone, layout).select(
        pl.col("received_at").alias("Time"),
        outcome().alias("Outcome"),
        pl.col("failure_category").fill_null("").alias("Category"),
        pl.col("failure_reason").fill_null("").alias("Reason"),
        pl.col("source").alias("Source"),
        pl.col("page").alias("Page"),
        pl.coalesce("user_id", "client").fill_null("").alias("User"),
        pl.col("failure_stage").fill_null("").alias("Stage"),
        pl.col("latency_ms").alias("Latency"),
    )
    shown = tables.named(shown, "Category", "Source", "Stage")
    pinned = st.column_config.TextColumn(pinned=True)
    nonce = st.session_state.setdefault(_TABLE, 0)
    event = st.dataframe(
        shown,
        hide_index=True,
        row_height=tables.ROW_PX,
        height=tables.ROW_PX * (max(shown.height, 1) + 1) + 2,
        column_config={
            "Time": pinned,
            "Outcome": pinned,
            "Category": st.column_config.TextColumn(width=122),
            "Reason": st.column_config.TextColumn(width=150),
            "User": st.column_config.TextColumn(width=116),
            "Stage": st.column_config.TextColumn(width=78),
            "Latency": st.column_config.NumberColumn(format="%.1f ms", width=68),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"attempts-{nonce}",
        placeholder="",
        alt="Attempts, newest first",
    )
    rows = event["selection"]["rows"]
    return str(found.rows["attempt_id"][rows[0]]) if rows and rows[0] < found.rows.height else None


def outcome() -> pl.Expr:
    """Accepted, Failed or Replay, with how many alike rows it stands for."""
    said = (
        pl.when(pl.col("kind") == Kind.REPLAY.value)
        .then(pl.lit("Replay"))
        .when(pl.col("outcome") == Outcome.SUCCESS.value)
        .then(pl.lit("Accepted"))
        .otherwise(pl.lit("Failed"))
    )
    times = pl.when(pl.col("repeat_count") > 1).then(pl.format(" × {}", pl.col("repeat_count"))).otherwise(pl.lit(""))
    return said + times


def closed() -> None:
    """The drawer was closed: the row that opened it is no longer chosen."""
    st.session_state[_TABLE] = st.session_state.get(_TABLE, 0) + 1
    st.query_params.pop("attempt", None)


def pager(here: Here, found: Page, place: Place, asked: Filter) -> None:
    """How far in the list, the way on, the downloads; above the list, so that the next page begins at its top."""
    start = (len(place.cursors) - 1) * ROWS
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = f"{start + 1:,} to {start + found.rows.height:,}"
        why = ROWS_AND_ATTEMPTS if found.total != found.attempts else None
        st.caption(f"{shown} of {words.many(found.total, 'row')}", width="content", help=why)
        st.button("Newer", icon=":material/chevron_left:", on_click=place.newer, disabled=len(place.cursors) == 1)
        further = found.next
        st.button(
            "Older", icon=":material/chevron_right:", icon_position="right", on_click=place.older, args=(further,),
            disabled=further is None,
        )  # fmt: skip
        st.space("stretch")
        for label, format, mime in (
            ("CSV", "csv", "text/csv"), ("Parquet", "parquet", "application/vnd.apache.parquet"),
        ):  # fmt: skip
            st.download_button(
                label,
                data=_file(asked, format),  # type: ignore[arg-type]
                file_name=file_name(asked, format, here.lab.zone),  # type: ignore[arg-type]
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{format}",
            )


def file_name(asked: Filter, format: Format, zone: ZoneInfo) -> str:
    """What a download holds: attempts-2026-11-20-failed-partner_api.csv."""
    first, last = asked.first, asked.last
    if asked.since and asked.until:
        first, last = (one.astimezone(zone).date() for one in (asked.since, asked.until - timedelta(microseconds=1)))
    days = [] if first is None or last is None else [f"{first}" if first == last else f"{first}-to-{last}"]
    traffic = "" if asked.traffic == Traffic.ALL else asked.traffic.value
    kept = [traffic, asked.outcome, asked.category, asked.source, asked.page, asked.user]
    named = {"SUCCESS": "accepted"}
    parts = [re.sub(r"[^a-z0-9]+", "_", named.get(str(one), str(one)).lower()).strip("_")[:40] for one in kept if one]
    return "-".join(["attempts", *days, *(part for part in parts if part)]) + f".{format}"


def _file(asked: Filter, format: Format) -> Callable[[], BinaryIO]:
    """Made when it is asked for, in a thread of Streamlit's; the file has no name left while it is read."""

    def make() -> BinaryIO:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"attempts.{format}"
            current_lab().metrics.export(asked, path, format)
            return path.open("rb")

    return make


def nothing(here: Here, asked: Filter) -> None:
    """No rows: name the control that removed the most, and offer to clear it."""
    without = {
        field: loaders.page(here.version, _without(asked, field), None, 1).total
        for field in WIDGETS
        if getattr(asked, field) is not None
    }
    best = max(without, key=lambda field: without[field], default=None)
    if best is None or not without[best]:
        cards.empty("No attempts in these days.", "Choose other days, or other traffic in the sidebar.")
        return
    label = WIDGETS[best]
    cards.empty(f"No attempt matches. Without {label} there would be {words.many(without[best], 'row')}.")
    st.button(f"Clear {label}", icon=":material/filter_alt_off:", on_click=clear, args=(best,))


def _without(asked: Filter, field: str) -> Filter:
    blank: dict[str, Any] = {field: None}
    return replace(asked, **blank)
