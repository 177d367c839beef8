"""Values as strangers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from lab.importer.values import instant_of, plain_json, text_of, truth_of, whole_of

AT = datetime(2026, 11, 19, 10, 0, 1, tzinfo=UTC)
US = 1_795_082_401_000_000


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-19T10:00:01Z", "2026-11-19 10:00:01", "2026-11-19T11:00:01+01:00", "2026-11-19 10:00:01 UTC",
        " 2026-11-19T10:00:01.000000000Z ", str(US // 1_000_000), US // 1_000_000, US // 1_000, US, US * 1_000,
        US / 1e6, f"{US / 1e6:.3f}", Decimal(US // 1_000_000), AT, AT.replace(tzinfo=None),
        AT.astimezone(timezone(timedelta(hours=-8))),
    ],
)  # fmt: skip
def test_an_instant_in_any_common_form(value: Any) -> None:
    """ISO 8601, Unix time from seconds to nanoseconds, native values; without a zone it is UTC."""
    assert instant_of(value) == AT


def test_a_date_is_its_midnight() -> None:
    """Written or native."""
    assert instant_of("2026-11-19") == instant_of(date(2026, 11, 19)) == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [None, "", "yesterday", "11/19/2026", "2026-13-01", "9" * 4_000, -1, float("nan"), float("inf"), True, [],
              "0001-01-01T00:00:00+23:00", datetime.max.replace(tzinfo=UTC), "9999-12-31"]
)  # fmt: skip
def test_what_is_no_instant_is_none(value: Any) -> None:
    """Never an error."""
    assert instant_of(value) is None


def test_text_numbers_and_yes_and_no() -> None:
    """What cannot be read is None; a lone surrogate becomes a question mark."""
    assert [text_of(value) for value in (None, "", "é", 7, 1.5, True, "\ud83d", {"b": 1, "a": "x"})] == [
        None, None, "é", "7", "1.5", "true", "?", '{"a":"x","b":1}',
    ]  # fmt: skip
    assert [truth_of(value) for value in ("Yes", "on", 1, True, "0", False, "perhaps", None)] == [
        True, True, True, True, False, False, None, None,
    ]  # fmt: skip
    assert [whole_of(value) for value in ("12", 12, 12.4, "12.6", "x", None, 1e400, "9" * 5_000, True)] == [
        12, 12, 12, None, None, None, None, None, None,
    ]  # fmt: skip


def test_equal_rows_give_equal_json_whatever_their_order() -> None:
    """Which is what a Parquet row is known by."""
    assert plain_json({"b": AT, "a": Decimal("1.50")}) == plain_json({"a": Decimal("1.50"), "b": AT})
