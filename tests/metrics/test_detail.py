"""One day in detail."""

from datetime import UTC, datetime, timedelta

from lab.metrics import Traffic
from tests.metrics.rows import metrics_of, row

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = NOON.date()
EMAIL = {"failure_category": "VALIDATION_FAILED", "failure_context": '{"field": "email", "rule": "format"}'}


def test_reasons_name_stage_template_and_field() -> None:
    """The most frequent first; context that is no JSON has no field."""
    rows = [row(NOON, **EMAIL), row(NOON, **EMAIL), row(NOON, failure_category="SPAM_SUSPECTED", failure_context="{torn")]
    found = metrics_of(rows).day(DAY)
    assert found.reasons.rows() == [
        ("VALIDATION_FAILED", "validation", "Refused", "email", 2),
        ("SPAM_SUSPECTED", "validation", "Refused", None, 1),
    ]
    assert found.categories.rows() == [("VALIDATION_FAILED", 2), ("SPAM_SUSPECTED", 1)]


def test_sources_and_pages_add_up_to_the_day() -> None:
    """Each attempt is in exactly one."""
    rows = [row(NOON), row(NOON, source="PARTNER_API", page="/ebook"), row(NOON, **EMAIL, repeat_count=5)]
    found = metrics_of(rows).day(DAY)
    assert found.sources.rows() == [("WEBSITE_FORM", 6, 1, 5), ("PARTNER_API", 1, 1, 0)]
    assert found.pages["attempts"].sum() == found.attempts == 7
    assert (found.success, found.failed) == (2, 5)


def test_users_are_the_fifty_most_active_with_their_floods() -> None:
    """A coalesced flood counts for whom it names, though it makes nobody a user."""
    rows = [row(NOON, user_id=f"u_{number:02}") for number in range(60)]
    rows += [row(NOON + timedelta(hours=1), **EMAIL, user_id="u_59", repeat_count=300)]
    found = metrics_of(rows).day(DAY)
    assert found.users.height == 50
    assert found.users.row(0) == ("u_59", 301, 1, 300, NOON, NOON + timedelta(hours=1))
    assert found.users["user"].to_list()[1:3] == ["u_00", "u_01"]
    assert (found.users_count, found.turned_away) == (60, 0)


def test_duplicates_and_rate_limits_are_told_by_where_they_happen() -> None:
    """Replays are client retries; limits are counted by page and source."""
    rows = [
        row(NOON, failure_category="DUPLICATE_LEAD", duplicate_kind="double_click"),
        row(NOON, kind="replay", source="PARTNER_API", repeat_count=2),
        row(NOON, failure_category="RATE_LIMIT_EXCEEDED", repeat_count=9),
    ]
    found = metrics_of(rows).day(DAY)
    assert found.duplicates.rows() == [("client_retry", "PARTNER_API", 2), ("double_click", "WEBSITE_FORM", 1)]
    assert found.rate_limits.rows() == [("/demo", "WEBSITE_FORM", 9)]
    assert found.replays == 2


def test_the_day_knows_its_span_whether_it_is_open_and_what_was_simulated() -> None:
    """Simulated attempts are told even where only real ones are shown."""
    rows = [row(NOON), row(NOON + timedelta(hours=3)), row(NOON, channel="simulator", repeat_count=4)]
    found = metrics_of(rows, NOON + timedelta(hours=4)).day(DAY, Traffic.REAL)
    assert (found.attempts, found.simulated_attempts) == (2, 4)
    assert (found.first_at, found.last_at) == (NOON, NOON + timedelta(hours=3))
    assert found.open
    assert found.minutes["attempts"].sum() == 2
    assert not metrics_of(rows, NOON + timedelta(days=1)).day(DAY).open


def test_a_burst_is_part_of_the_day() -> None:
    """Found among its own minutes."""
    rows = [row(NOON - timedelta(minutes=number)) for number in range(1, 100)]
    rows += [row(NOON, failure_category="SPAM_SUSPECTED", repeat_count=80)]
    assert metrics_of(rows).day(DAY).bursts.rows() == [(NOON, NOON + timedelta(minutes=1), 80, 80, 80)]


def test_a_day_without_rows_is_zeros_and_empty_frames() -> None:
    """Nothing raises, and every frame has its columns."""
    found = metrics_of([]).day(DAY)
    assert (found.attempts, found.users_count, found.simulated_attempts) == (0, 0, 0)
    assert (found.p50_ms, found.first_at, found.last_at) == (None, None, None)
    assert found.minutes.height == 24 * 60
    assert found.users.columns == ["user", "attempts", "success", "failed", "first_at", "last_at"]
    assert found.duplicates.columns == ["kind", "source", "attempts"]
    assert found.rate_limits.columns == ["page", "source", "attempts"]
    assert found.reasons.columns == ["category", "stage", "reason", "field", "attempts"]
    assert found.bursts.columns == ["start", "end", "attempts", "failed", "peak"]
