"""Figures by business day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lab.metrics import Totals, Traffic
from tests.metrics.rows import metrics_of, row

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = NOON.date()
REFUSED = {"failure_category": "VALIDATION_FAILED"}


def later(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def test_days_without_rows_are_zero_rows() -> None:
    """A gap is a figure; latency is null there."""
    found = metrics_of([row(NOON), row(later(48))]).daily()
    assert found.columns == [
        "day", "attempts", "success", "failed", "users", "turned_away", "replays", "p50_ms", "p95_ms",
    ]  # fmt: skip
    assert found["day"].to_list() == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
    assert found["attempts"].to_list() == [1, 0, 1]
    assert found["users"].to_list() == [1, 0, 1]
    assert found["p50_ms"].to_list() == [12.5, None, 12.5]


def test_an_asked_range_without_any_row_is_all_zero() -> None:
    """An empty lab answers too."""
    assert metrics_of([]).daily(DAY, later(48).date())["attempts"].to_list() == [0, 0, 0]
    assert metrics_of([]).daily().height == 0
    assert metrics_of([row(NOON)]).daily(DAY, DAY - timedelta(days=1)).height == 0


def test_a_flood_counts_in_full_but_is_nobody_s_latency() -> None:
    """attempts is the sum of repeat_count; users and latency come from rows that stand for one attempt."""
    flood = row(NOON, **REFUSED, repeat_count=500, user_id=None, client="c_9", latency_ms=900.0)
    [found] = metrics_of([row(NOON), flood]).daily().rows(named=True)
    assert (found["attempts"], found["failed"], found["users"], found["p95_ms"]) == (501, 500, 1, 12.5)


def test_replays_stay_outside_attempts_and_rates() -> None:
    """They are counted beside them."""
    [found] = metrics_of([row(NOON), row(NOON, kind="replay", repeat_count=4)]).daily().rows(named=True)
    assert (found["attempts"], found["success"], found["replays"], found["users"]) == (1, 1, 4, 1)


@pytest.mark.parametrize(
    ("rows", "away"),
    [
        ([row(NOON, **REFUSED)], 1),
        ([row(NOON), row(later(1), **REFUSED)], 1),
        ([row(NOON, **REFUSED), row(later(1))], 0),
        ([row(NOON, **REFUSED), row(NOON)], 0),
        ([row(NOON, **REFUSED), row(later(1)), row(later(2), **REFUSED)], 1),
        ([row(NOON, **REFUSED), row(later(1), user_id="u_2")], 1),
        ([row(NOON, **REFUSED, user_id=None), row(later(1), user_id=None)], 0),
    ],
)
def test_turned_away_is_who_was_refused_and_not_accepted_since(rows: list, away: int) -> None:
    """An accepted attempt at or after the last refusal takes a user back; without a user id the client stands in."""
    assert metrics_of(rows).daily()["turned_away"].to_list() == [away]


def test_traffic_is_told_by_channel() -> None:
    """Real is api and import, simulated is the simulator; who is both is one user of all."""
    metrics = metrics_of([row(NOON, channel=channel) for channel in ("api", "import", "simulator")])
    counted = {traffic: metrics.daily(traffic=traffic).row(0)[1] for traffic in Traffic}
    assert counted == {Traffic.ALL: 3, Traffic.REAL: 2, Traffic.SIMULATED: 1}
    assert metrics.daily(traffic=Traffic.ALL)["users"].to_list() == [1]


def test_percentiles_are_read_from_tenths_of_a_millisecond() -> None:
    """The 50th and 95th of 100 values, in the value's own bucket."""
    rows = [row(NOON, latency_ms=number / 10) for number in range(1, 101)]
    [found] = metrics_of(rows).daily().select("p50_ms", "p95_ms").rows()
    assert found == (5.0, 9.5)


def test_latencies_that_are_no_number_do_not_break_a_day() -> None:
    """NaN and infinity are left out, an absurd value is bounded."""
    rows = [row(NOON, latency_ms=value) for value in (float("nan"), float("inf"), 1e300, -1.0, 20.0)]
    assert metrics_of(rows).daily()["p50_ms"].to_list() == [20.0]


def test_by_category_covers_failed_attempts_only() -> None:
    """A refusal without a known category is UNSPECIFIED."""
    rows = [row(NOON), row(NOON, **REFUSED, repeat_count=3), row(NOON, failure_category=None)]
    found = metrics_of(rows).by("category", DAY, DAY)
    assert found.rows() == [(DAY, "UNSPECIFIED", 1, 0, 1), (DAY, "VALIDATION_FAILED", 3, 0, 3)]


def test_by_source_and_page_cover_every_attempt() -> None:
    """Successes and failures of each."""
    metrics = metrics_of([row(NOON), row(NOON, **REFUSED, page="/ebook")])
    assert metrics.by("source").rows() == [(DAY, "WEBSITE_FORM", 2, 1, 1)]
    assert metrics.by("page").rows() == [(DAY, "/demo", 1, 1, 0), (DAY, "/ebook", 1, 0, 1)]
    assert metrics.cells().rows() == [("WEBSITE_FORM", "/demo", 1, 1, 0), ("WEBSITE_FORM", "/ebook", 1, 0, 1)]


def test_replays_are_client_retries_among_duplicates() -> None:
    """A replayed key and a repeated payload are the same behaviour."""
    duplicate = row(NOON, failure_category="DUPLICATE_LEAD", duplicate_kind="client_retry")
    found = metrics_of([duplicate, row(NOON, kind="replay"), row(NOON)]).by("duplicate_kind")
    assert found.rows() == [(DAY, "client_retry", 2, 1, 1)]


def test_totals_are_whole_numbers_and_one_rate() -> None:
    """Leads are accepted attempts that made a lead; recorded successes made none."""
    rows = [row(NOON), row(later(24), channel="import", lead_id=None), row(NOON, **REFUSED, repeat_count=2)]
    assert metrics_of(rows).totals() == Totals(
        attempts=4, leads=1, replays=0, success_rate=0.5, days=2, first_day=DAY, last_day=later(24).date(),
        last_at=later(24), success=2, failed=2,
    )  # fmt: skip


def test_an_empty_lab_has_totals_without_a_rate() -> None:
    """Nothing is divided by zero."""
    metrics = metrics_of([])
    assert metrics.totals(Traffic.REAL) == Totals(0, 0, 0, None, 0, None, None, None, 0, 0)
    assert metrics.days_with_data() == []
    assert not metrics.has_real()


def test_has_real_and_days_with_data_follow_the_traffic() -> None:
    """Simulated rows make no day real."""
    metrics = metrics_of([row(NOON, channel="simulator"), row(later(24))])
    assert metrics.has_real()
    assert metrics.days_with_data(Traffic.REAL) == [later(24).date()]
    assert metrics.days_with_data() == [DAY, later(24).date()]
    assert not metrics_of([row(NOON, channel="simulator")]).has_real()
