"""Every colour a figure may use, per mode, in one table: a meaning keeps its colour on every page.

The trap it avoids: colours picked where a chart is drawn. The pairs here are measured (contrast against the
page, distance under three kinds of colour blindness) and a test holds the floors, so change them here only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lab.attempt import Category

Mode = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """One mode's colours. `band` is a translucent fill, all else is drawn at full strength."""

    mode: Mode
    page: str
    raised: str
    ink: str
    muted: str
    axis: str
    grid: str
    border: str
    success: str
    failed: str
    finding: str
    band: str
    limit: str
    marker: str
    other: str
    categories: Mapping[str, str]
    sources: Mapping[str, str]
    shares: tuple[str, ...]

    def category(self, name: str) -> str:
        """The category's own colour, or `other` for the two that have none (draw those hatched)."""
        return self.categories.get(name, self.other)

    def source(self, name: str) -> str:
        """The source's line colour, or `other` for one that only sources.toml declares."""
        return self.sources.get(name, self.other)


_CATEGORIES: tuple[tuple[Category, str, str], ...] = (
    (Category.VALIDATION_FAILED, "#0269C8", "#3CB8FE"),
    (Category.MALFORMED_REQUEST, "#7193B5", "#B9EAFB"),
    (Category.PAYLOAD_TOO_LARGE, "#2A2F49", "#3E81F0"),
    (Category.AUTHENTICATION_FAILED, "#356C57", "#37ECAE"),
    (Category.UNKNOWN_SOURCE, "#054300", "#DDF372"),
    (Category.RATE_LIMIT_EXCEEDED, "#73477D", "#9F60A3"),
    (Category.SPAM_SUSPECTED, "#B45D7E", "#FE6DAB"),
    (Category.DUPLICATE_LEAD, "#C9801B", "#CDB143"),
    (Category.IDEMPOTENCY_KEY_REUSED, "#866603", "#857106"),
    (Category.UPSTREAM_ERROR, "#AB8977", "#C98D74"),
    (Category.INTERNAL_ERROR, "#9D1836", "#B75A68"),
)

_SOURCES: tuple[tuple[str, str, str, str], ...] = (
    ("WEBSITE_FORM", "#2667BC", "#4A81E9", "solid"),
    ("LANDING_PAGE", "#A88E17", "#C39428", "dash"),
    ("MOBILE_APP", "#24A194", "#82D0AD", "dot"),
    ("PARTNER_API", "#750153", "#D4ABDB", "dashdot"),
    ("REFERRAL_WIDGET", "#405B00", "#EBEF76", "longdash"),
    ("CHAT_WIDGET", "#A66059", "#B95A61", "longdashdot"),
)

DASHES: Mapping[str, str] = {name: dash for name, _, _, dash in _SOURCES}
"""A source line is told apart by its dash as well as by its colour."""

LIGHT = Palette(
    mode="light",
    page="#FAFBFA",
    raised="#EDF2F1",
    ink="#0A181B",
    muted="#4F6164",
    axis="#9FAEAF",
    grid="#E3E9E8",
    border="#D3DCDB",
    success="#4A9092",
    failed="#C23B16",
    finding="#8E2C83",
    band="rgba(10,24,27,.09)",
    limit="#4F6164",
    marker="#0A181B",
    other="#7C8789",
    categories={category.value: light for category, light, _ in _CATEGORIES},
    sources={name: light for name, light, _, _ in _SOURCES},
    shares=(
        "#F1F5F4", "#F8E3D8", "#F6CDBA", "#F0B49A", "#E79A7A",
        "#DB7F5B", "#CC643E", "#B84B25", "#9A3713", "#74270B",
    ),
)

DARK = Palette(
    mode="dark",
    page="#0F1719",
    raised="#18262A",
    ink="#E3ECEA",
    muted="#A3B3B4",
    axis="#5C6F73",
    grid="#223034",
    border="#2B3B3F",
    success="#5FA9A8",
    failed="#F0764D",
    finding="#E58AD4",
    band="rgba(227,236,234,.11)",
    limit="#B5C4C4",
    marker="#E3ECEA",
    other="#8C999B",
    categories={category.value: dark for category, _, dark in _CATEGORIES},
    sources={name: dark for name, _, dark, _ in _SOURCES},
    shares=(
        "#18262A", "#33221C", "#4E271A", "#6B2D19", "#8A3619",
        "#AB431F", "#D2602F", "#EA7A4E", "#F69A76", "#FFCBB4",
    ),
)


def palette(mode: str | None) -> Palette:
    """The palette of that mode; light when the browser has not said."""
    return DARK if mode == "dark" else LIGHT
