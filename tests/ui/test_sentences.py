"""Titles say what is to be seen: by rules, on whole days, and never on small numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from lab.ui import sentences

UTC_ZONE = ZoneInfo("UTC")
FIRST = date(2025, 10, 1)
AT = datetime(2025, 11, 20, 13, 53, tzinfo=UTC)


def trend(
    days: int = 30, attempts: int = 1000, share: float = 0.08, band: bool = True, is_open: bool = False, **changed: tuple[int, float]
) -> pl.DataFrame:
    """Even days; `d12=(1800, 0.3)` changes the twelfth's attempts and failed share."""
    rows = []
    for at in range(days):
        number, failed_share = changed.get(f"d{at}", (attempts, share + 0.001 * (at % 3)))
        failed = round(number * failed_share)
        rows.append(
            {
                "day": FIRST + timedelta(days=at),
                "attempts": number,
                "success": number - failed,
                "failed": failed,
                "expected_low": 0.9 * attempts if band else None,
                "expected_high": 1.1 * attempts if band else None,
                "usual_share": share if band else None,
                "high_share": 1.5 * share if band else None,
                "open": is_open and at == days - 1,
            }
        )
    kinds = dict.fromkeys(("expected_low", "expected_high", "usual_share", "high_share"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=kinds).with_columns(failed_share=pl.col("failed") / pl.col("attempts"))


def test_even_days_are_inside_their_range() -> None:
    """Nothing unusual is said as such."""
    assert sentences.trend(trend()) == "Attempts and failures are inside their usual range"


def test_a_lasting_rise_comes_first() -> None:
    """Two high days in a row at the end outrank an earlier peak."""
    frame = trend(d5=(1000, 0.4), d28=(1000, 0.2), d29=(1000, 0.21))
    assert sentences.trend(frame) == "Failures have stayed high since 29 October"


def test_a_single_peak_is_named_with_its_usual() -> None:
    """The day, its share, and what is usual."""
    assert sentences.trend(trend(d12=(1000, 0.31))) == "Failures peaked on 13 October: 31.0%, usually 8.0%"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1800, "13 October brought 1,800 attempts, above the expected 1,100"),
        (90, "Only 90 attempts came on 13 October; 900 were expected"),
    ],
)
def test_volume_outside_the_range_is_said(number: int, text: str) -> None:
    """Half as much again beyond a limit."""
    assert sentences.trend(trend(d12=(number, 0.08))) == text


def test_an_open_day_is_never_a_fall_nor_a_peak() -> None:
    """What is not over is not judged, whatever it holds."""
    for value in ((3, 0.08), (1000, 0.9), (5000, 0.08)):
        assert sentences.unusual(trend(is_open=True, d29=value)) == []


def test_small_numbers_do_not_cry_wolf() -> None:
    """Under 20 attempts a day neither share nor volume is judged."""
    assert sentences.unusual(trend(attempts=8, d12=(16, 1.0))) == []


def test_five_days_are_no_usual() -> None:
    """Without a usual nothing is high, and the title is the plain total."""
    frame = trend(days=5, band=False, d4=(1000, 0.9))
    assert sentences.unusual(frame) == []
    assert sentences.trend(frame) == "5,000 attempts in 5 days, 24.5% failed"


def test_an_empty_window_says_so() -> None:
    """Zeros get no share."""
    assert sentences.trend(trend(days=7, attempts=0)) == "No attempts in these 7 days"


def test_a_day_is_listed_once() -> None:
    """A day that failed and was full is listed for its failures."""
    found = sentences.days_to_look_at(trend(d12=(1800, 0.5)))
    assert [(one.day, one.what) for one in found] == [(date(2025, 10, 13), "failures")]


def minutes(*attempts: int, failed: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"minute": AT + timedelta(minutes=at), "attempts": number, "success": number - failed, "failed": failed}
            for at, number in enumerate(attempts)
        ]
    )


def test_the_live_hour_says_what_it_holds() -> None:
    """None, a burst with its times, or a total."""
    assert sentences.last_minutes(minutes(0, 0), [], UTC_ZONE) == "Last 2 minutes: no attempts"
    burst = [(AT, AT + timedelta(minutes=8))]
    assert sentences.last_minutes(minutes(9, 9), burst, UTC_ZONE) == "Last 2 minutes: one burst, 13:53 to 14:01"
    assert sentences.last_minutes(minutes(5, 5, failed=1), [], UTC_ZONE) == "Last 2 minutes: 10 attempts, 20.0% failed"


def test_the_days_minutes_say_their_burst_or_their_peak() -> None:
    """The largest burst, else the busiest minute."""
    none = pl.DataFrame(schema={"start": pl.Datetime("us", "UTC"), "end": pl.Datetime("us", "UTC"), "attempts": pl.Int64, "failed": pl.Int64})
    one = pl.DataFrame({"start": [AT], "end": [AT + timedelta(minutes=8)], "attempts": [88], "failed": [79]})
    assert sentences.minutes_of_day(minutes(3, 7), none, UTC_ZONE) == "No bursts; the busiest minute was 13:54 with 7 attempts"
    assert sentences.minutes_of_day(minutes(3), one, UTC_ZONE) == "One burst: 88 attempts from 13:53 to 14:01, 89.8% failed"
    assert sentences.minutes_of_day(minutes(0), none, UTC_ZONE) == "No attempts in any minute of this day"


def test_categories_name_the_largest_rise() -> None:
    """Above its usual by half and by ten, else the largest, else a count of kinds."""
    risen = [("VALIDATION_FAILED", 61, 55.0), ("RATE_LIMIT_EXCEEDED", 44, 6.0)]
    assert sentences.ranked_failures(risen) == "Rate limit exceeded: 44 attempts, against a usual 6"
    plain = [("VALIDATION_FAILED", 61, None), ("SPAM_SUSPECTED", 39, None)]
    assert sentences.ranked_failures(plain) == "Validation failed: 61 of 100 failures"
    assert sentences.ranked_failures([("SPAM_SUSPECTED", 2, None), ("DUPLICATE_LEAD", 1, None)]) == "3 failures of 2 kinds"
    assert sentences.ranked_failures([("UNSPECIFIED", 97, None)]) == "The log does not tell why 97 attempts failed"
    assert sentences.ranked_failures([]) == "Nothing was refused"


def test_sources_name_the_one_that_fails_most() -> None:
    """By half more than all together, and five points."""
    bad = [("WEBSITE_FORM", 900, 60), ("PARTNER_API", 100, 70)]
    assert sentences.ranked_outcomes(bad, "source") == "Partner API failed 70.0%, all together 13.0%"
    even = [("WEBSITE_FORM", 900, 60), ("PARTNER_API", 100, 7)]
    assert sentences.ranked_outcomes(even, "source") == "Website form sent 90.0% of 1,000 attempts"
    assert sentences.ranked_outcomes([], "source") == "No source sent anything"


def test_pages_send_nothing() -> None:
    """Attempts come to them."""
    even = [("/webinar", 264, 20), ("/demo", 736, 60)]
    assert sentences.ranked_outcomes(even[:1], "page") == "100.0% of 264 attempts came to /webinar"
    assert sentences.ranked_outcomes(even, "page") == "73.6% of 1,000 attempts came to /demo"
    assert sentences.ranked_outcomes([], "page") == "No attempt came to any page"


def test_cells_name_where_it_fails() -> None:
    """One place, one source on several pages, one page from several sources, or the worst of many."""
    high = [("PARTNER_API", "/demo", 100, 70), ("PARTNER_API", "/pricing", 100, 60)]
    assert sentences.cells(high[:1], 0.1) == "Partner API on /demo failed 70.0%"
    assert sentences.cells(high, 0.1) == "Failed share is high for Partner API on 2 pages"
    assert sentences.cells([high[0], ("MOBILE_APP", "/demo", 50, 30)], 0.1) == "Failed share is high on /demo from 2 sources"
    assert sentences.cells([*high, ("MOBILE_APP", "/ebook", 50, 40)], 0.1).startswith("Failed share is high in 3 places")
    assert sentences.cells([("MOBILE_APP", "/ebook", 5, 5)], 0.1) == "No source and page stands out"
