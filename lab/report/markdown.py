"""A report as a Markdown file. The trap it avoids: text that a viewer turns into a link, an image or a tag."""

from __future__ import annotations

import re

from lab.report import wording
from lab.report.analyst import Statement
from lab.report.versions import DRAFT, FINAL, PROVISIONAL, Report

STATES = {
    DRAFT: "draft: the day is open, so its figures will still grow",
    PROVISIONAL: "provisional: the day is not sealed, so its rows can still change",
    FINAL: "final: the day is sealed, so its rows stay as they are",
}
"""A report's state with what it means."""

_SPECIAL = re.compile(r"[\\`*{}\[\]<>#|~$!]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.|@|^[+-]")


def to_markdown(report: Report) -> str:
    """Headline, sections with references, the facts as a table, and how it was written."""
    facts, telling = report.facts, report.telling
    until = f", counted until {facts.until}" if facts.until else ""
    origin = f"{report.traffic} traffic. Version {report.version}, {STATES.get(report.state, report.state)}."
    lines = [
        f"# {escape(report.draft.headline.text)}",
        "",
        f"{wording.long_day(report.day)}{until}, times in {escape(facts.zone)}. {origin}",
        "",
    ]
    for section in report.draft.sections:
        lines += [f"## {section.title}", "", *(f"- {_said(one)}" for one in section.statements), ""]
    lines += ["## Facts", "", "| Fact | What | Value | Share | Against |", "| --- | --- | ---: | --- | --- |"]
    for fact in facts.items:
        cells = (fact.id, fact.label, fact.text, fact.share or "", fact.compare or "")
        lines.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    checks = telling.checks
    lines += [
        "",
        "## How it was written",
        "",
        f"- {escape(telling.sentence)}",
        f"- {checks.kept} of {checks.statements} statements kept, {checks.figures} figures checked against the facts.",
        *(f"- Removed: {escape(one.reason)}." for one in checks.dropped),
        f"- Written {report.created_at:%Y-%m-%d %H:%M:%S} UTC in {wording.milliseconds(telling.total_ms)}.",
        "",
    ]
    return "\n".join(lines)


def escape(text: str) -> str:
    """The text so that a Markdown viewer shows it as it is."""
    flat = " ".join(text.split())
    return _SPECIAL.sub(r"\\\g<0>", flat)


def _said(statement: Statement) -> str:
    refs = f" ({', '.join(statement.facts)})" if statement.facts else ""
    return f"{escape(statement.text)}{refs}"
