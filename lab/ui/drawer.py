"""One attempt, opened on the right: what was kept, how the gate decided, what the same user did around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from lab.attempt import Kind, Outcome, Stage
from lab.ui import attempts, cards, links, tables, words
from lab.ui.here import Here

KEPT = (
    ("source", "Source"), ("page", "Page"), ("failure_category", "Category"), ("failure_reason", "Reason"),
    ("duplicate_kind", "Duplicate"), ("lead_id", "Lead"), ("latency_ms", "Latency"), ("user_id", "User"),
    ("client", "Client"), ("user_agent", "User agent"), ("utm_source", "utm_source"), ("utm_medium", "utm_medium"),
    ("utm_campaign", "utm_campaign"), ("idempotency_key", "Idempotency key"), ("trace_id", "Trace"),
    ("occurred_at", "Claimed time"), ("run_id", "Run"),
)  # fmt: skip
CHANNELS = {"api": "API", "simulator": "Simulated", "import": "Imported"}


@st.dialog("Attempt", width=560, position="right", on_dismiss=attempts.closed)
def drawer(here: Here, attempt_id: str) -> None:
    """Open it; closing it forgets the selection that opened it."""
    row = here.lab.metrics.one(attempt_id)
    if row is None:
        st.text(f"There is no attempt {attempt_id[:60]}.")
        st.caption("It may have been withdrawn with its import; choose another one.")
        return
    accepted = row["outcome"] == Outcome.SUCCESS
    outcome = cards.Badge("Accepted", "green", "check_circle") if accepted else cards.Badge("Failed", "red", "error")
    if row["kind"] == Kind.REPLAY:
        outcome = cards.Badge("Replay", "gray", "replay")
    marks = [outcome, cards.Badge(CHANNELS.get(row["channel"], row["channel"]))]
    if row["repeat_count"] > 1:
        marks.append(cards.Badge(f"{row['repeat_count']:,} alike", "violet", "stacks"))
    at = row["received_at"].astimezone(here.lab.zone)
    cards.badges(marks, f"{words.long_day(at.date())}, {at:%H:%M:%S.%f}"[:-3])
    st.code(attempt_id, language=None)
    st.subheader("How the gate decided", anchor=False)
    _stages(row, accepted)
    st.subheader("What was kept", anchor=False)
    cards.facts({label: _said(name, row[name]) for name, label in KEPT if name in row} | _context(row))
    _around(here, row)


def _said(name: str, value: Any) -> Any:
    if value is None or name not in ("source", "page", "failure_category", "duplicate_kind", "latency_ms"):
        return value
    return words.milliseconds(value) if name == "latency_ms" else words.name(value)


def _context(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"Context: {name}": value for name, value in (row.get("context") or {}).items()}


def _stages(row: Mapping[str, Any], accepted: bool) -> None:
    """Each stage in order: passed, refused here, or not reached."""
    stage = row["failure_stage"]
    if not accepted and stage is None:
        st.caption("Recorded with its verdict from a log; the gate did not judge it.")
        return
    names = [one.value for one in Stage]
    refused_at = names.index(stage) if stage in names else len(names)
    lines = []
    for number, name in enumerate(names):
        if number < refused_at:
            lines.append(f":green-badge[:material/check: passed] {words.name(name)}")
        elif number == refused_at:
            reason = words.safe(row["failure_reason"] or "")
            lines.append(f":red-badge[:material/close: refused] **{words.name(name)}**: {reason}")
        else:
            lines.append(f":gray-badge[not reached] {words.name(name)}")
    st.markdown("  \n".join(lines))


def _around(here: Here, row: Mapping[str, Any]) -> None:
    user = row["user_id"] or row["client"]
    if not user:
        return
    st.subheader("The same user before and after", anchor=False)
    near = here.lab.metrics.around(user, row["received_at"])
    shown = tables.timed(near, here.lab.zone, "%-d %b %H:%M:%S").select(
        pl.when(pl.col("attempt_id") == row["attempt_id"]).then(pl.lit("→")).otherwise(pl.lit("")).alias("here"),
        pl.col("received_at"),
        attempts.outcome().alias("outcome"),
        pl.col("failure_category").fill_null(""),
        pl.col("source"),
        pl.col("page"),
    )
    headings = {
        "here": " ", "received_at": "Time", "outcome": "Outcome", "failure_category": "Category", "source": "Source",
        "page": "Page",
    }  # fmt: skip
    tables.counts(tables.named(shown, "failure_category", "source"), headings, "The same user's attempts")
    links.link("attempts", "All of this user's attempts", user=user)
