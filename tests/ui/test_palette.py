"""The palette's floors: what is drawn can be told apart, and what is written can be read."""

from __future__ import annotations

import math
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from lab.attempt import Category
from lab.ui.palette import DARK, LIGHT, Palette, palette
from lab.world import World

PROJECT = Path(__file__).resolve().parents[2]
MODES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])

MACHADO_2009 = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Machado, Oliveira and Fernandes (2009), severity 1, for linear sRGB."""

SHARMA = (
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
)
"""Pairs of CIELAB colours with their CIEDE2000, from Sharma, Wu and Dalal (2005), table 1."""

Triple = tuple[float, float, float]


def linear(code: str) -> Triple:
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (red, green, blue))


def seen(code: str, eye: str) -> Triple:
    rgb = linear(code)
    return tuple(
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True)))) for row in MACHADO_2009[eye]
    )


def lab(rgb: Triple) -> Triple:
    red, green, blue = rgb
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def ciede2000(one: Triple, other: Triple) -> float:
    """Sharma, Wu and Dalal (2005), with all three weights 1."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_c**7 / (mean_c**7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    if c1 * c2 == 0:
        mh = h1 + h2
    elif abs(h1 - h2) <= 180:
        mh = (h1 + h2) / 2
    else:
        mh = (h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(mh - 30))
        + 0.24 * math.cos(math.radians(2 * mh))
        + 0.32 * math.cos(math.radians(3 * mh + 6))
        - 0.20 * math.cos(math.radians(4 * mh - 63))
    )
    sl = 1 + 0.015 * (ml - 50) ** 2 / math.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    rotation = -math.sin(math.radians(60 * math.exp(-(((mh - 275) / 25) ** 2))))
    rotation *= 2 * math.sqrt(mc**7 / (mc**7 + 25**7))
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh))


def distance(one: str, other: str, eye: str) -> float:
    return ciede2000(lab(seen(one, eye)), lab(seen(other, eye)))


def nearest(codes: list[str], eye: str) -> float:
    return min(distance(one, other, eye) for one, other in combinations(codes, 2))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    bright, dim = sorted(
        (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other))), reverse=True
    )
    return (bright + 0.05) / (dim + 0.05)


def test_the_distance_agrees_with_published_pairs() -> None:
    """The ruler is checked before it measures."""
    for one, other, expected in SHARMA:
        assert ciede2000(one, other) == pytest.approx(expected, abs=5e-5)


@MODES
@pytest.mark.parametrize("eye", ["normal", "deutan", "protan"])
def test_accepted_and_failed_are_never_confused(colours: Palette, eye: str) -> None:
    """The two outcomes stay 25 apart, also for deuteranopes and protanopes."""
    assert distance(colours.success, colours.failed, eye) >= 25


@MODES
@pytest.mark.parametrize(("eye", "floor"), [("normal", 16), ("deutan", 11), ("protan", 11), ("tritan", 9.5)])
def test_categories_can_be_told_apart(colours: Palette, eye: str, floor: float) -> None:
    """Any two of the eleven coloured categories keep their distance for every eye."""
    assert nearest(list(colours.categories.values()), eye) >= floor


@MODES
@pytest.mark.parametrize(("eye", "floor"), [("normal", 25), ("deutan", 16), ("protan", 16), ("tritan", 13.5)])
def test_sources_can_be_told_apart(colours: Palette, eye: str, floor: float) -> None:
    """Any two source lines keep their distance for every eye."""
    assert nearest(list(colours.sources.values()), eye) >= floor


@MODES
def test_graphics_stand_out_from_the_page(colours: Palette) -> None:
    """Whatever carries data has at least 3:1 against the page."""
    drawn = [colours.success, colours.failed, colours.finding, colours.limit, colours.marker, colours.other]
    for code in (*drawn, *colours.categories.values(), *colours.sources.values()):
        assert contrast(code, colours.page) >= 3, code


@MODES
def test_text_in_figures_can_be_read(colours: Palette) -> None:
    """Text has at least 4.5:1 on the page and on raised ground."""
    for code in (colours.ink, colours.muted):
        assert contrast(code, colours.page) >= 4.5
        assert contrast(code, colours.raised) >= 4.5


@MODES
def test_black_or_white_can_be_read_on_every_share(colours: Palette) -> None:
    """A cell's figure, in the better of black and white, has at least 4.5:1 on its colour."""
    for code in colours.shares:
        assert max(contrast(code, "#000000"), contrast(code, "#FFFFFF")) >= 4.5, code


def test_every_category_but_two_has_a_colour() -> None:
    """The two without one are drawn hatched in `other`; a new category must decide."""
    hatched = {Category.ORIGIN_NOT_ALLOWED.value, Category.UNSPECIFIED.value}
    for colours in (LIGHT, DARK):
        assert list(colours.categories) == [one.value for one in Category if one.value not in hatched]
        assert colours.category("UNSPECIFIED") == colours.other


def test_every_source_of_the_default_world_has_a_colour() -> None:
    """Sources keep the default world's order, so stacks and legends agree."""
    assert list(LIGHT.sources) == list(World.default().sources) == list(DARK.sources)
    assert LIGHT.source("A_SOURCE_OF_YOUR_OWN") == LIGHT.other


def test_an_unknown_mode_is_light() -> None:
    """A browser that has not said its mode gets the paper."""
    assert palette(None) is LIGHT
    assert palette("dark") is DARK


@MODES
def test_the_theme_file_and_the_palette_agree(colours: Palette) -> None:
    """Page, text and outcome colours stand in .streamlit/config.toml too; the two never drift apart."""
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())["theme"][colours.mode]
    assert theme["backgroundColor"] == colours.page
    assert theme["secondaryBackgroundColor"] == colours.raised
    assert theme["textColor"] == colours.ink
    assert theme["borderColor"] == colours.border
    assert tuple(theme["chartSequentialColors"]) == colours.shares
    accepted, failed, finding = theme["chartCategoricalColors"][:3]
    assert (accepted, failed, finding) == (colours.success, colours.failed, colours.finding)
    assert (theme["greenColor"], theme["redColor"], theme["violetColor"]) == (accepted, failed, finding)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_badges_and_links_can_be_read(mode: str) -> None:
    """Every badge's word, in the page and in the sidebar, and every link has at least 4.5:1."""
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())["theme"][mode]
    for place in (theme, {**theme, **theme["sidebar"]}):
        hues = ("red", "green", "orange", "yellow", "blue", "violet", "gray")
        badges = [hue for hue in hues if f"{hue}BackgroundColor" in place]
        assert len(badges) >= 4
        for hue in badges:
            assert contrast(place[f"{hue}TextColor"], place[f"{hue}BackgroundColor"]) >= 4.5, hue
        assert contrast(place["textColor"], place["backgroundColor"]) >= 4.5
        assert contrast(place["linkColor"], place["backgroundColor"]) >= 4.5
        assert contrast("#FFFFFF", place["primaryColor"]) >= 4.5
