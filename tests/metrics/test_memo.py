"""A bounded memory of results."""

import polars as pl

from lab.clock import system_clock
from lab.metrics import Memo, Metrics
from tests.metrics.rows import UTC_ZONE, StillLog

FRAME = pl.DataFrame({"n": list(range(1000))})
COST = 8_000 + 2_048


def test_the_least_recently_used_goes_first() -> None:
    """Reading an entry keeps it."""
    memo = Memo(max_bytes=2 * COST)
    memo.put("a", FRAME)
    memo.put("b", FRAME)
    assert memo.get("a") is not None
    memo.put("c", FRAME)
    assert memo.get("b") is None
    assert memo.get("a") is not None
    assert memo.get("c") is not None


def test_it_never_holds_more_than_it_may() -> None:
    """Neither many small entries nor one large one can pass the ceiling."""
    memo = Memo(max_bytes=5 * COST)
    for number in range(50):
        memo.put(number, FRAME)
        memo.put(0, FRAME)
        assert memo.size_bytes <= 5 * COST
    memo.put("large", pl.concat([FRAME] * 10))
    assert memo.get("large") is None
    assert memo.size_bytes == 5 * COST


def test_an_empty_memory_given_to_metrics_is_used() -> None:
    """It is not mistaken for none at all."""
    memo = Memo()
    Metrics(StillLog(), UTC_ZONE, system_clock, memo=memo).totals()
    assert memo.size_bytes
