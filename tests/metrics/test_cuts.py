"""The promise of the whole room: numbers do not depend on how rows are stored or who computes them."""

import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.clock import ManualClock
from lab.metrics import Filter, Memo, Metrics, Traffic
from tests.metrics.rows import UTC_ZONE, StillLog, day_files, row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = date(2026, 11, 13)
LAST = date(2026, 11, 20)

KINDS_OF_ROW = st.sampled_from(
    [
        {},
        {"latency_ms": None, "lead_id": None, "channel": "import"},
        {"failure_category": "VALIDATION_FAILED", "failure_context": '{"field": "email"}'},
        {"failure_category": "RATE_LIMIT_EXCEEDED", "repeat_count": 40, "user_id": None},
        {"failure_category": "DUPLICATE_LEAD", "duplicate_kind": "double_click"},
        {"kind": "replay", "repeat_count": 3},
    ]
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([NOW - timedelta(days=7), NOW - timedelta(days=1), NOW]),
        st.integers(0, 3 * 3600),
        KINDS_OF_ROW,
        st.sampled_from(["u_1", "u_2", "u_3"]),
        st.sampled_from(["api", "simulator"]),
        st.sampled_from([("WEBSITE_FORM", "/demo"), ("PARTNER_API", "/demo"), ("UNKNOWN", "UNKNOWN")]),
        st.floats(0, 500),
    ),
    max_size=30,
)


def attempts(drawn: list[tuple]) -> list:
    """Rows of two days and the open one, each with its own time."""
    made = []
    for seq, (noon, before_s, kind, user, channel, (source, page), latency_ms) in enumerate(drawn):
        at = noon - timedelta(seconds=before_s, microseconds=seq)
        columns = {"user_id": user, "channel": channel, "source": source, "page": page, "latency_ms": latency_ms}
        made.append(row(at, seq, **(columns | kind)))
    return made


def everything(metrics: Metrics, traffic: Traffic) -> dict[str, bytes]:
    """Every public figure as bytes; a float's repr tells every bit of it."""
    page = metrics.page(Filter(outcome="FAILED", traffic=traffic), size=7)
    found: dict[str, object] = {f"day {name}": value for name, value in vars(metrics.day(LAST, traffic)).items()}
    found |= {
        "daily": metrics.daily(FIRST, LAST, traffic),
        "all daily": metrics.daily(traffic=traffic),
        "cells": metrics.cells(FIRST, LAST, traffic),
        "minutes": metrics.minutes(LAST, traffic),
        "last minutes": metrics.last_minutes(NOW, 90, traffic),
        "totals": metrics.totals(traffic),
        "by now": metrics.expected_by_now(LAST, NOW, traffic),
        "trend": metrics.trend(FIRST, LAST, traffic),
        "days": metrics.days_with_data(traffic),
        "page": page.rows,
        "page totals": page[1:],
    }
    for dimension in ("source", "page", "category", "duplicate_kind"):
        found[f"by {dimension}"] = metrics.by(dimension, FIRST, LAST, traffic)
    return {name: _bytes(value) for name, value in found.items()}


def _bytes(value: object) -> bytes:
    if not isinstance(value, pl.DataFrame):
        return repr(value).encode()
    return repr((value.schema, value.rows())).encode()


@settings(max_examples=15, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 3), st.booleans(), st.sampled_from(Traffic))
def test_the_same_rows_give_the_same_bytes_however_they_are_cut(drawn, random, workers, grows, traffic) -> None:
    """Segments, journal, their order, the workers and what was remembered before change no byte of any figure."""
    rows = attempts(drawn)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as executor:
        plain, cut = StillLog(), StillLog()
        days = sorted({one.day for one in rows})
        plain.replace(*(day_files(day, Path(folder), (), [one for one in rows if one.day == day]) for day in days))
        expected = everything(Metrics(plain, UTC_ZONE, ManualClock(NOW)), traffic)

        shuffled = random.sample(rows, len(rows))
        place = {one.seq: random.randrange(4) for one in rows}
        metrics = Metrics(cut, UTC_ZONE, ManualClock(NOW), memo=Memo(), executor=executor)
        for share in (0.5, 1.0) if grows else (1.0,):
            some = shuffled[: int(len(shuffled) * share)]
            cut.replace(*(_cut(Path(folder) / f"{share}", day, some, place) for day in {one.day for one in some}))
            found = everything(metrics, traffic)
        assert found == expected


def _cut(folder: Path, day: date, rows: list, place: dict):
    """Place 0 is the journal; places 1 to 3 are files."""
    mine = [one for one in rows if one.day == day]
    parts = [[one for one in mine if place[one.seq] == number] for number in (1, 2, 3)]
    return day_files(day, folder, [part for part in parts if part], [one for one in mine if not place[one.seq]])


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_daily_figures_equal_a_count_by_hand(drawn) -> None:
    """attempts are summed repeats of kind attempt; users and latency come from rows that stand for one attempt."""
    rows = attempts(drawn)
    log = StillLog()
    log.replace(
        *(day_files(day, Path("unused"), (), [one for one in rows if one.day == day]) for day in {r.day for r in rows})
    )
    metrics = Metrics(log, UTC_ZONE, ManualClock(NOW))
    for traffic, channels in ((Traffic.REAL, ("api", "import")), (Traffic.ALL, ("api", "import", "simulator"))):
        counted: dict[date, Counter] = defaultdict(Counter)
        latest: dict[date, dict] = defaultdict(lambda: defaultdict(dict))
        latencies: dict[date, list[float]] = defaultdict(list)
        for one in rows:
            if one.channel not in channels:
                continue
            if one.kind == "replay":
                counted[one.day]["replays"] += one.repeat_count
                continue
            counted[one.day]["attempts"] += one.repeat_count
            counted[one.day][one.outcome] += one.repeat_count
            if one.repeat_count == 1:
                seen = latest[one.day][one.user_id or one.client]
                seen[one.outcome] = max(seen.get(one.outcome, one.received_at), one.received_at)
                if one.latency_ms is not None:
                    latencies[one.day].append(one.latency_ms)
        for got in metrics.daily(FIRST, LAST, traffic).rows(named=True):
            day, users = got["day"], latest[got["day"]].values()
            away = [one for one in users if "FAILED" in one and one.get("SUCCESS", datetime.min.replace(tzinfo=UTC)) < one["FAILED"]]
            assert got["attempts"] == counted[day]["attempts"]
            assert (got["success"], got["failed"]) == (counted[day]["SUCCESS"], counted[day]["FAILED"])
            assert (got["users"], got["turned_away"]) == (len(users), len(away))
            assert got["replays"] == counted[day]["replays"]
            ordered = sorted(latencies[day])
            for name, share in (("p50_ms", 50), ("p95_ms", 95)):
                exact = ordered[-(-len(ordered) * share // 100) - 1] if ordered else None
                assert (got[name] is None) == (exact is None)
                assert exact is None or abs(got[name] - exact) <= 0.051
