"""The main road as a newcomer goes it: an empty lab, the demo, a burst, the trend that moves, a report, a log of one's own.

The tests run in this order over one server; each leaves the lab fuller for the next.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, picture, settled

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "access.log"
LONG_MS = 90_000


def all_time_attempts(page: Page) -> int:
    """The figure in the All time block of the Overview."""
    block = page.locator("[data-testid=stMetric]").filter(has_text=re.compile(r"^Attempts")).last
    found = re.search(r"[\d,]+", block.locator("[data-testid=stMetricValue]").inner_text())
    assert found
    return int(found[0].replace(",", ""))


@pytest.mark.parametrize(("mode", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_an_empty_lab_explains_itself_and_offers_two_ways_to_start(open_page: Open, mode: str, width: int) -> None:
    """A demo, or a log of one's own; no page is blank."""
    for path in ("", "day", "attempts", "report", "simulate", "bring", "system"):
        page = open_page(path, mode=mode, width=width)
        assert page.locator("h1").inner_text().strip()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        picture(page, f"empty-{path or 'overview'}-{mode}-{width}")
        if not path:
            expect(page.get_by_role("button", name="Fill the lab")).to_be_visible()
            expect(page.get_by_text("Bring a log of your own", exact=True)).to_be_visible()


def test_one_click_fills_the_lab_with_the_demo(open_page: Open) -> None:
    """A progress bar while it runs, then a verdict, a trend and figures."""
    page = open_page()
    page.get_by_role("button", name="Fill the lab").click()
    expect(page.get_by_text("Failures peaked on")).to_be_visible(timeout=LONG_MS)
    settled(page)
    assert all_time_attempts(page) > 50_000
    picture(page, "demo-overview")


def test_a_burst_moves_the_figures(open_page: Open) -> None:
    """Sent from the Simulate page, seen on the Overview, and found again from another browser."""
    overview = open_page()
    before = all_time_attempts(overview)
    page = open_page("simulate")
    page.get_by_text("A burst now", exact=True).click()
    settled(page)
    page.get_by_label("Attempts", exact=True).fill("200")
    page.get_by_label("Over how many seconds").fill("12")
    page.get_by_label("Over how many seconds").press("Tab")
    page.get_by_role("button", name="Send the burst").click()
    expect(page.get_by_role("button", name="Stop").first).to_be_visible(timeout=LONG_MS)
    second = open_page("simulate")
    expect(second.get_by_role("button", name="Stop").first).to_be_visible(timeout=LONG_MS)
    picture(second, "burst-running")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=LONG_MS)
    settled(page)
    picture(page, "burst-done")
    after = open_page()
    assert before + 150 < all_time_attempts(after) <= before + 200  # replays are no attempts
    picture(after, "burst-overview")


def test_a_report_is_written_by_the_model_with_every_figure_checked(open_page: Open) -> None:
    """In the background, found again after a refresh, with its facts beside it."""
    page = open_page("report")
    page.get_by_role("button", name="Earlier").click()
    settled(page)
    page.get_by_role("button", name=re.compile("Write it now|Write again")).click()
    expect(page.get_by_text(re.compile(r"figures? checked")).first).to_be_visible(timeout=LONG_MS)
    settled(page)
    expect(page.get_by_text("llama3.1:8b").first).to_be_visible()
    for section in ("Executive summary", "User behaviour", "System behaviour", "Misconfiguration signals"):
        expect(page.get_by_role("heading", name=section)).to_be_visible()
    picture(page, "report")
    page.reload()
    settled(page)
    expect(page.get_by_text(re.compile(r"figures? checked")).first).to_be_visible(timeout=LONG_MS)


def test_a_hanging_model_can_be_cancelled_and_the_rules_write_instead(open_page: Open, ollama) -> None:
    """The dashboard lives; the page says who wrote and why."""
    page = open_page("report")
    page.get_by_role("button", name="Earlier").click()
    settled(page)
    ollama.behave("hang")
    page.get_by_role("button", name=re.compile("Write it now|Write again")).click()
    stop = page.get_by_role("button", name=re.compile("Stop|Cancel")).first
    expect(stop).to_be_visible(timeout=LONG_MS)
    stop.click()
    expect(stop).to_be_hidden(timeout=LONG_MS)
    ollama.released.set()
    ollama.behave("status_500", "status_500")
    settled(page)
    page.get_by_role("button", name=re.compile("Write it now|Write again")).click()
    expect(page.get_by_text(re.compile("Written by rules")).first).to_be_visible(timeout=LONG_MS)


def test_a_log_of_ones_own_is_seen_before_it_is_stored(open_page: Open) -> None:
    """Upload, guessed table, counts, import; the same file again adds nothing and says so."""
    page = open_page("bring")
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_role("button", name=re.compile("Count|Look|Preview|See")).click(timeout=LONG_MS)
    fill = page.get_by_role("button", name=re.compile(r"Import \d+ attempts"))
    expect(fill).to_be_visible(timeout=LONG_MS)
    picture(page, "bring-preview")
    fill.click()
    expect(page.get_by_text(re.compile(r"Added \d+ attempts")).first).to_be_visible(timeout=LONG_MS)
    settled(page)
    picture(page, "bring-done")
    again = open_page("bring")
    again.locator("input[type=file]").set_input_files(SAMPLE)
    again.get_by_role("button", name=re.compile("Count|Look|Preview|See")).click(timeout=LONG_MS)
    expect(again.get_by_text(re.compile("already there")).first).to_be_visible(timeout=LONG_MS)


@pytest.mark.parametrize(("mode", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_every_full_page_is_whole_in_every_shape(open_page: Open, mode: str, width: int) -> None:
    """Light and dark, wide and narrow: a title, no error box, no sideways scroll, no console error."""
    for path in ("", "day", "attempts", "report", "simulate", "bring", "system"):
        page = open_page(path, mode=mode, width=width)
        assert page.locator("h1").inner_text().strip()
        assert page.locator("[data-testid=stException]").count() == 0
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        picture(page, f"full-{path or 'overview'}-{mode}-{width}")
