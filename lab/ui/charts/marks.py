"""Marks that mean the same in every figure: the open period, the finding, the legend of the two outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from lab.ui.palette import Palette

MAX_ALT = 160
SPAN_OPACITY = {"light": 0.13, "dark": 0.28}
FEWEST = 5
"""A share of fewer attempts than this is no colour: one failure of one is not an alarm."""


class Chart(NamedTuple):
    """A figure with its title (a sentence), its caption and its spoken name, under 160 characters."""

    figure: go.Figure
    title: str
    caption: str
    alt: str


def spoken(*parts: str) -> str:
    """Parts joined for a screen reader, whole parts only, within the length that is read out."""
    text = ""
    for part in (part for part in parts if part):
        longer = f"{text}; {part}" if text else part
        if len(longer) > MAX_ALT:
            break
        text = longer
    return text or parts[0][:MAX_ALT]


def open_marker(colour: str, colours: Palette, is_open: Sequence[bool]) -> dict[str, Any]:
    """A bar's marker: solid where the period is whole, hatched and outlined where it is still open."""
    if not any(is_open):
        return {"color": colour}
    return {
        "color": colour,
        "pattern": {
            "shape": ["/" if one else "" for one in is_open],
            "fillmode": "replace",
            "solidity": 0.45,
            "size": 6,
            "fgcolor": colour,
            "bgcolor": colours.page,
        },
        "line": {"color": colour, "width": [1.25 if one else 0 for one in is_open]},
    }


def hatched(colour: str, colours: Palette) -> dict[str, Any]:
    """The marker of what has no colour of its own."""
    return {
        "color": colour,
        "pattern": {
            "shape": "/",
            "fillmode": "replace",
            "solidity": 0.45,
            "size": 6,
            "fgcolor": colour,
            "bgcolor": colours.page,
        },
        "line": {"color": colour, "width": 1},
    }


def swatch(name: str, colour: str, **more: Any) -> go.Bar:
    """A legend entry without data: bars whose markers vary would show the first one's."""
    return go.Bar(x=[None], y=[None], name=name, marker={"color": colour}, hoverinfo="skip", **more)


def span(figure: go.Figure, start: Any, end: Any, word: str, colours: Palette, late: bool = False) -> None:
    """A stretch that a rule picked out, with its word inside the top: left of its end when it is `late`."""
    figure.add_shape(
        type="rect", xref="x", yref="paper", x0=start, x1=end, y0=0, y1=1,
        fillcolor=colours.finding, opacity=SPAN_OPACITY[colours.mode], line={"width": 0}, layer="below",
    )  # fmt: skip
    figure.add_annotation(
        x=end if late else start, y=1, xref="x", yref="paper", text=word, showarrow=False, yanchor="top",
        xanchor="right" if late else "left",
        font={"size": 12, "color": colours.finding},
    )  # fmt: skip


def whole_ticks(most: float) -> dict[str, Any]:
    """Ticks of an axis from 0 to `most` attempts: nobody makes half of one."""
    return {"tickmode": "linear", "tick0": 0, "dtick": max(1, round(most / 4))} if most <= 20 else {}


def readable_on(code: str) -> str:
    """Black or white, whichever stands out more on that colour: never under 4.5 to 1."""
    red, green, blue = (_linear(int(code[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#FFFFFF"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def mixed(stops: Sequence[str], at: float) -> str:
    """The colour at `at` (0 to 1) along evenly spaced stops, as Plotly interpolates it."""
    place = min(max(at, 0.0), 1.0) * (len(stops) - 1)
    low = min(int(place), len(stops) - 2)
    part = place - low
    one, other = stops[low], stops[low + 1]
    parts = (round(int(one[i : i + 2], 16) * (1 - part) + int(other[i : i + 2], 16) * part) for i in (1, 3, 5))
    return "#" + "".join(f"{value:02X}" for value in parts)
