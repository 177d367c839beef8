"""The live hour moves with the clock, and asks the log nothing while nothing has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import streamlit as st

from lab.clock import ManualClock
from lab.metrics import Metrics, Traffic
from lab.opening import Lab
from lab.ui import loaders, runtime

START = datetime(2026, 11, 20, 11, 1, tzinfo=UTC)
HOUR = pl.DataFrame(
    {
        "minute": [START + timedelta(minutes=at) for at in range(60)],
        "attempts": list(range(60)),
        "success": list(range(60)),
        "failed": [0] * 60,
    },
    schema_overrides={"minute": pl.Datetime("us", "UTC")},
)


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Loaders are kept by the log's version, and every test's log counts from the same one."""
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.mark.parametrize("late", [0, 1, 17, 59, 60, 61, 5000])
def test_an_hour_without_arrivals_slides(late: int) -> None:
    """Sixty minutes that end with the present one; what has left is gone, what is new is zero."""
    moved = loaders.shifted(HOUR, START + timedelta(minutes=59 + late, seconds=30))
    assert moved.height == 60
    assert moved["minute"][-1] == START + timedelta(minutes=59 + late)
    assert moved["minute"].diff().drop_nulls().unique().to_list() == [timedelta(minutes=1)]
    assert moved["attempts"].to_list() == [*range(min(late, 60), 60), *([0] * min(late, 60))]


def test_nothing_is_asked_while_the_log_stays_the_same(lab: Lab, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten looks over ten minutes cost one query; a new version costs another."""
    asked = []
    real = Metrics.last_minutes
    monkeypatch.setattr(Metrics, "last_minutes", lambda *given: asked.append(given) or real(*given))
    runtime.hold(lab)
    try:
        for _ in range(10):
            frame = loaders.last_minutes(lab.log.version(), Traffic.ALL, clock())
            assert frame["minute"][-1] == clock().replace(second=0, microsecond=0)
            clock.advance(minutes=1)
        assert len(asked) == 1
        loaders.last_minutes("another version", Traffic.ALL, clock())
        assert len(asked) == 2
    finally:
        runtime.hold(None)
