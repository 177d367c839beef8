"""A report as it is read: statements with the facts behind each figure, the facts as a table, how it was written.

The trap it avoids: words of a model or of a stranger read as Markdown. Every text passes `words.safe`; only the
badges and the headings around it are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from lab.metrics import Traffic
from lab.report import Fact, Report, Statement
from lab.report.references import marks
from lab.ui import cards, charts, jobs_panel, links, loaders, words
from lab.ui.cards import Badge, Hue
from lab.ui.charts import Chart
from lab.ui.here import Here
from lab.ui.tables import ROW_PX
from lab.ui.template import CONFIG

STATES = {
    "draft": Badge("Draft, the day is open", "orange", "edit_note"),
    "provisional": Badge("Provisional", "gray", "lock_open"),
    "final": Badge("Final", "gray", "lock"),
}
APART = ("scope",)
"""Sections that stand in an expander."""
PICTURE_PX = 210
_MARK = re.compile("\ue000(\\d+)\ue001")
_PRIVATE = re.compile("[\ue000\ue001]")


def cited(statement: Statement, facts: Mapping[str, Fact]) -> str:
    """A statement as Markdown: safe text, a fact's badge behind every figure, the others before the last full stop."""
    text = _PRIVATE.sub("", " ".join(statement.text.split()))
    known = [facts[one] for one in statement.facts if one in facts]
    found = {_with_unit(text, mark.end, facts[mark.fact]): mark.fact for mark in marks(text, known)}
    late = [one for one in statement.facts if one not in found.values()]
    last = len(text) - text.endswith(".")
    for end, names in sorted([(last, late), *((end, [one]) for end, one in found.items())], reverse=True):
        behind_it = "".join(f" \ue000{statement.facts.index(one)}\ue001" for one in names)
        text = f"{text[:end]}{behind_it}{text[end:]}"
    shown = words.safe(text)
    return _MARK.sub(lambda mark: f":gray-badge[{words.safe(statement.facts[int(mark[1])])}]", shown)


def _with_unit(text: str, end: int, fact: Fact) -> int:
    """Where the figure ends with its unit: 1,204 attempts."""
    unit = re.compile(rf" {re.escape(fact.unit.removesuffix('s'))}s?\b") if fact.unit.isalpha() else None
    found = unit.match(text, end) if unit else None
    return found.end() if found else end


def badges(report: Report) -> list[Badge]:
    """State, checks, author."""
    checks = report.telling.checks
    found = [STATES.get(report.state, Badge(report.state))]
    if report.analyst == "rules":
        checked = f"{words.many(checks.figures, 'figure')} checked"
        return [*found, Badge(checked, "green", "check"), Badge("Rules", "gray", "rule")]
    kept = f"{checks.kept} of {checks.statements} statements kept, {words.many(checks.figures, 'figure')} checked"
    hue: Hue = "green" if checks.kept == checks.statements else "orange"
    return [*found, Badge(kept, hue, "check"), Badge(report.model or "model", "blue", "smart_toy")]


def head(report: Report, zone: ZoneInfo) -> None:
    """What fell in the check, badges, the headline as title, and when it was written about what."""
    if report.telling.failure:
        st.markdown(f":orange-badge[:material/rule: By rules] {words.safe(report.telling.sentence)}")
    if dropped := report.telling.checks.dropped:
        said = "One statement" if len(dropped) == 1 else words.many(len(dropped), "statement")
        st.markdown(f":orange-badge[:material/rule: Left out] {said} failed the check against the facts.")
    cards.badges(badges(report))
    with st.container(gap="xxsmall"):
        st.title(words.safe(report.draft.headline.text.rstrip(".")), anchor=False)
        until = f", until {report.facts.until}" if report.facts.until else ""
        about = f"{words.long_day(report.day)}{until}, {report.facts.zone} · {report.traffic} traffic"
        st.caption(words.safe(f"{about} · written {jobs_panel.moment(report.created_at, zone)}"))


def sections(report: Report, picture: Chart | None) -> None:
    """The sections in order; the summary as prose, the rest as points, what is not known in an expander."""
    facts = report.facts.by_id
    for section in report.draft.sections:
        said = [cited(one, facts) for one in section.statements]
        if section.key in APART:
            with st.expander(f"{section.title}: what the analyst may not know", icon=":material/help:"):
                st.markdown("\n".join(f"- {one}" for one in said) or "Nothing noted.")
            continue
        st.subheader(section.title, anchor=False)
        if not said:
            st.caption("Nothing to say about this day.")
        elif section.key == "summary":
            st.markdown(" ".join(said))
            if picture is not None:
                st.plotly_chart(picture.figure, theme=None, config=CONFIG, alt=picture.alt, key="report-picture")
                st.caption(words.safe(f"{picture.title}. Failed below zero."))
        else:
            st.markdown("\n".join(f"- {one}" for one in said))


def picture(here: Here, report: Report) -> Chart | None:
    """The day's minutes, as long as they are the ones the report was written from; None after they changed."""
    traffic = Traffic(report.traffic)
    if not report.facts.by_key["attempts"].number or here.lab.metrics.day_version(report.day) != report.log_version:
        return None
    detail = loaders.day(here.version, traffic, report.day, here.tick(report.day))
    chart = charts.day_timeline(detail.minutes, detail.bursts, here.colours, here.lab.zone, detail.open)
    chart.figure.update_layout(height=PICTURE_PX)
    return chart


def traced(report: Report) -> None:
    """Every fact; selecting one that counts attempts opens them."""
    st.subheader("Every figure, traced", anchor=False)
    items = report.facts.items
    listed = links.exists("attempts")
    st.caption("Select a fact to list the attempts behind it." if listed else "What the words rest on, as counted.")
    rows = [
        {
            "Fact": one.id,
            "Value": one.text,
            "What": one.label,
            "Against": "; ".join(part for part in (one.share, one.compare) if part),
        }
        for one in items
    ]
    event: Any = st.dataframe(
        pl.DataFrame(rows), hide_index=True, row_height=ROW_PX, height=ROW_PX * (min(len(rows), 14) + 1) + 5,
        column_config={
            "Fact": st.column_config.TextColumn(width=44),
            "Value": st.column_config.TextColumn(width=86),
        },
        on_select="rerun" if listed else "ignore", selection_mode="single-row",
        alt="Facts of the report with their values", key=f"facts-{report.id}",
    )  # fmt: skip
    picked = event["selection"]["rows"] if listed else ()
    if picked:
        links.open_page("attempts", **behind(report, items[picked[0]]))


def behind(report: Report, fact: Fact) -> dict[str, str]:
    """The attempts behind a fact, as the Attempts page reads them from the URL: what its widgets show."""
    where = {name: words.name(value) if name in {"source", "category"} else value for name, value in fact.where.items()}
    if since := where.pop("since", None):
        start = datetime.fromisoformat(since)
        until = where.pop("until", None)
        end = datetime.fromisoformat(until) if until else start + timedelta(minutes=1)
        return {**where, **links.within(start, end)}
    if "outcome" in where:
        where["outcome"] = {"SUCCESS": "Accepted", "FAILED": "Failed"}[where["outcome"]]
    return {**links.on_day(report.day), **where}


def telling(report: Report, zone: ZoneInfo) -> None:
    """How it was written."""
    st.subheader("How it was written", anchor=False)
    told, effort, checks = report.telling, report.telling.effort, report.telling.checks
    if not told.failure:
        st.markdown(words.safe(told.sentence))
    tokens = None
    if effort.tokens_out is not None:
        tokens = f"{words.count(effort.tokens_in)} in, {words.count(effort.tokens_out)} out"
        tokens += f", {effort.tokens_per_s:.1f} a second" if effort.tokens_per_s else ""
    time = jobs_panel.seconds(told.total_ms / 1000) if told.total_ms >= 1000 else words.milliseconds(told.total_ms)
    loading = f", of it {words.milliseconds(effort.load_ms)} loading" if effort.load_ms else ""
    kept = f"{checks.kept} of {checks.statements} statements kept, {words.many(checks.figures, 'figure')} checked"
    cards.facts(
        {
            "Analyst": f"Ollama, {report.model}" if report.analyst == "ollama" else "Rules",
            "Digest": report.digest[:12] if report.digest else None,
            "Time": f"{time}{loading}",
            "Tokens": tokens,
            "Checks": kept,
            "Written by rules": ", ".join(checks.stood_in) if report.analyst == "ollama" else None,
            "Version": f"{report.version}, {report.state}",
            "Written": jobs_panel.moment(report.created_at, zone),
        }
    )
    if checks.dropped:
        with st.expander(f"Left out by the check: {len(checks.dropped)}"):
            st.dataframe(
                pl.DataFrame([{"Statement": one.text, "Why": one.reason} for one in checks.dropped]),
                hide_index=True, alt="Statements that failed the check",
            )  # fmt: skip
