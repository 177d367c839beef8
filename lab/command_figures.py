"""`metrics` and `report` on the command line: what the log says, in figures and in words.

The trap it avoids: an empty answer about a day that has attempts, only of other traffic. It is said, with the option.
"""

from __future__ import annotations

import argparse
import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lab.command_line import Answer, day_lines, opened
from lab.errors import BadRequest, LabError

if TYPE_CHECKING:
    from lab.metrics import Metrics, Traffic

Command = Callable[[str, Callable[[argparse.Namespace], Answer], str], argparse.ArgumentParser]
LONGEST_GAP_DAYS = 30
"""Days without attempts between two with some, up to which JSON lists them as zeros."""
TRAFFICS = ("All", "Real", "Simulated")


def register(command: Command) -> None:
    """Add the two commands to the grammar."""
    one = command("metrics", _metrics, "Attempts by day, outcome and source.")
    one.add_argument("--from", dest="first", metavar="D", help="first day, as 2026-11-20 (default: first with data)")
    one.add_argument("--to", dest="last", metavar="D", help="last day (default: last with data)")
    _ask_traffic(one)
    one.epilog = (
        f"With --json a list of the days that hold attempts, and of the days without any between two such days no more "
        f"than {LONGEST_GAP_DAYS} days apart; longer gaps are left out."
    )
    one = command("report", _report, "Write a day's report, with Ollama when it answers, else by rules.")
    one.add_argument("--day", required=True, metavar="D", help="the day, such as 2026-11-20")
    _ask_traffic(one)


def _ask_traffic(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--traffic", type=str.capitalize, choices=TRAFFICS, metavar="T",
        help="All, Real or Simulated (default: Real once there are real attempts, else All)",
    )  # fmt: skip


def _traffic(options: argparse.Namespace, metrics: Metrics) -> Traffic:
    from lab.metrics import Traffic

    if options.traffic:
        return Traffic(options.traffic)
    return Traffic.REAL if metrics.has_real() else Traffic.ALL


def _metrics(options: argparse.Namespace) -> Answer:
    from lab.clock import parse_day

    asked_first = parse_day(options.first) if options.first else None
    asked_last = parse_day(options.last) if options.last else None
    with opened() as lab:
        held = lab.metrics.pinned()
        traffic = _traffic(options, held)
        days = held.days_with_data(traffic)
        first = asked_first or min(filter(None, (days[0] if days else None, asked_last)), default=None)
        last = asked_last or max(filter(None, (days[-1] if days else None, asked_first)), default=None)
        if first is None or last is None:
            there = _elsewhere(held, None, None, traffic)
            text = f"The log holds no attempts of {traffic} traffic.{there}" if there else (
                "The log is empty; simulate or import something first.")
            return Answer([], text)
        if first > last:
            raise BadRequest(f"{first} comes after {last}; swap --from and --to.")
        by_source: dict[date, dict[str, dict[str, int]]] = {}
        for row in held.by("source", first, last, traffic).iter_rows(named=True):
            counts = {name: row[name] for name in ("attempts", "success", "failed")}
            by_source.setdefault(row["day"], {})[row["key"]] = counts
        rows = [
            {
                "day": row["day"].isoformat(),
                "attempts": row["attempts"],
                "success": row["success"],
                "failed": row["failed"],
                "by_source": by_source.get(row["day"], {}),
            }
            for row in held.daily(first, last, traffic).iter_rows(named=True)
        ]
        elsewhere = "" if by_source else _elsewhere(held, first, last, traffic)
    told = [row for row in rows if row["attempts"] or _in_short_gap(date.fromisoformat(row["day"]), days)]
    return Answer(told, "\n".join([*day_lines(rows), f"Traffic: {traffic}.{elsewhere}"]))


def _in_short_gap(day: date, days: Sequence[date]) -> bool:
    """Whether the day lies between two of `days`, which are in order, that are not far apart."""
    after = bisect_left(days, day)
    if after in (0, len(days)):
        return False
    return days[after] - days[after - 1] <= timedelta(days=LONGEST_GAP_DAYS + 1)


def _elsewhere(metrics: Metrics, first: date | None, last: date | None, traffic: Traffic) -> str:
    """A sentence that names the traffic which has attempts on those days; empty when none has."""
    from lab.metrics import Traffic

    for other in (Traffic.REAL, Traffic.SIMULATED):
        attempts = int(metrics.daily(first, last, other)["attempts"].sum()) if other is not traffic else 0
        if attempts:
            return f" {attempts:,} {other.lower()} attempts are there: use --traffic {other}."
    return ""


def _report(options: argparse.Namespace) -> Answer:
    from lab.clock import parse_day
    from lab.report import to_markdown
    from lab.terminal import run_watched

    day = parse_day(options.day)
    with opened() as lab:
        traffic = _traffic(options, lab.metrics)

        def work(progress: Any) -> dict[str, Any]:
            return {"version": lab.reports.write(day, progress, traffic=traffic).version}

        done = run_watched(lab, "report", {"day": day.isoformat(), "traffic": str(traffic)}, work)
        report = lab.reports.version(day, done["version"])
    if report is None:
        raise LabError("The report was written but is not to be found; try again.")
    data = {
        "day": day.isoformat(),
        "version": report.version,
        "state": report.state,
        "analyst": report.analyst,
        "model": report.model,
        "traffic": report.traffic,
        "sentence": report.telling.sentence,
        "headline": report.draft.headline.text,
        "sections": [asdict(section) | {"title": section.title} for section in report.draft.sections],
        "facts": json.loads(report.facts.to_json())["items"],
    }
    return Answer(data, to_markdown(report))
