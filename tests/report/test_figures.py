"""Figures in text: what counts as one, and when two agree."""

import pytest

from lab.report import figures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,204 attempts", [("number", "1204")]),
        ("20.0% or 20 % or 20 percent", [("percent", "20.0"), ("percent", "20"), ("percent", "20")]),
        ("in 38 ms", [("ms", "38")]),
        ("from 13:53 to 2:01 pm", [("time", "13:53"), ("time", "14:01")]),
        ("two sources, one user", [("number", "2"), ("number", "1")]),
        ("no one, one of them, everyone", []),
        ("on 20 November 2026", [("date", "20 nov 2026")]),
        ("on 2026-11-20, a Friday", [("date", "20 nov 2026"), ("weekday", "friday")]),
        ("MOBILE_APP on /demo by U3", [("code", "MOBILE_APP"), ("path", "/demo"), ("person", "U3")]),
        ("u_0123456789abcdef", [("pseudonym", "u_0123456789abcdef")]),
        ("half of them, twice as many", [("vague", "half"), ("vague", "twice")]),
        ("3 times, 2.5x", [("times", "3"), ("times", "2.5")]),
        ("and/or", []),
        ("9 double clicks, double the usual", [("number", "9"), ("vague", "double")]),
    ],
)  # fmt: skip
def test_a_figure_has_a_kind_and_a_value(text: str, expected: list[tuple[str, str]]) -> None:
    """Every form a report may use is recognised, and nothing else."""
    assert [(one.kind, one.value) for one in figures.find(text)] == expected


@pytest.mark.parametrize(
    ("said", "known", "holds"),
    [
        ("20%", "20.0%", True), ("20%", "19.6%", True), ("19%", "19.6%", False), ("20.00%", "20.0%", True),
        ("19.64%", "19.6%", False), ("20", "20%", False), ("20 ms", "20%", False), ("1204", "1,204", True),
        ("1,200", "1,204", False), ("9 am", "09:00", True), ("20 November", "Friday 20 November 2026", True),
        ("21 November", "20 November 2026", False), ("20 November 2025", "20 November 2026", False),
        ("two", "2", True), ("2 November", "20 November 2026", False),
    ],
)  # fmt: skip
def test_figures_agree_only_within_a_kind_and_by_proper_rounding(said: str, known: str, holds: bool) -> None:
    """A coarser figure may round a finer one; never the other way, never another unit."""
    [mine] = figures.find(said)
    assert any(figures.agrees(mine, one) for one in figures.find(known)) is holds
