"""One Plotly template per mode: type, axes, gaps, margins, so that a figure states only its data.

The trap it avoids: `st.plotly_chart(theme=None)` without a template draws Streamlit's placeholder colours,
which come out black. `figure()` is the only way a chart of the lab begins.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from lab.ui.palette import DARK, LIGHT, Palette

SANS = '"Source Sans", sans-serif'
CONFIG = {"displayModeBar": False}
"""Given to every st.plotly_chart; the page scrolls under a finger and nothing zooms by accident."""

DAY_FORMAT = "%a %-d %b"


def _template(colours: Palette) -> go.layout.Template:
    small = {"family": SANS, "size": 12, "color": colours.muted}
    return go.layout.Template(
        layout={
            "font": {"family": SANS, "size": 13, "color": colours.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [colours.success, colours.failed, colours.finding, colours.other],
            "margin": {"l": 4, "r": 8, "t": 8, "b": 4},
            "separators": ".,",
            "dragmode": False,
            "bargap": 0.22,
            "barcornerradius": 0,
            "hoverlabel": {
                "bgcolor": colours.raised,
                "bordercolor": colours.border,
                "font": {"family": SANS, "size": 13, "color": colours.ink},
                "align": "left",
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "traceorder": "normal",
                "itemsizing": "trace",
                "itemclick": False,
                "itemdoubleclick": False,
                "font": small,
            },
            "xaxis": {
                "automargin": True,
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
                "showline": True,
                "linecolor": colours.axis,
                "linewidth": 1,
                "ticks": "outside",
                "ticklen": 4,
                "tickcolor": colours.axis,
                "tickfont": small,
                "hoverformat": DAY_FORMAT,
                "title": {"font": small, "standoff": 6},
            },
            "yaxis": {
                "automargin": True,
                "fixedrange": True,
                "showgrid": True,
                "gridcolor": colours.grid,
                "gridwidth": 1,
                "zeroline": False,
                "showline": False,
                "ticks": "",
                "tickfont": small,
                "tickformat": ",",
                "nticks": 5,
                "rangemode": "tozero",
                "title": {"font": small, "standoff": 6},
            },
        },
        data={
            "bar": [{"marker": {"line": {"width": 0}}, "textfont": {"size": 12}}],
            "scatter": [{"line": {"width": 2}}],
        },
    )


TEMPLATES = {"light": _template(LIGHT), "dark": _template(DARK)}


def figure(colours: Palette, height_px: int, hovermode: str = "x unified", **layout: Any) -> go.Figure:
    """An empty figure in the lab's dress. Hovermode goes on the figure: selection overrides a template's."""
    return go.Figure(
        layout={"template": TEMPLATES[colours.mode], "height": height_px, "hovermode": hovermode, **layout}
    )
