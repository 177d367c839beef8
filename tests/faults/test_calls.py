"""Every Nth write, fsync, rename and commit fails, for every N: no acknowledgement without data, and life goes on."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from lab.attempt import Arrival, Channel, Submission
from lab.errors import LabError
from lab.eventlog import durable
from lab.opening import Lab
from lab.sealing import seal_now, states
from lab.verify import verify

MOST_CALLS = 200


class FailingOs:
    """The os module, of which the Nth call of one function fails."""

    def __init__(self, function: str, nth: int, how: str) -> None:
        self._function, self._nth, self._how = function, nth, how
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name != self._function:
            return real

        def call(*arguments: Any) -> Any:
            self.calls += 1
            if self._how == "short" and self.calls == self._nth:
                return real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if self.calls == self._nth + (self._how == "short"):
                code = errno.EIO if self._how == "EIO" else errno.ENOSPC
                raise OSError(code, os.strerror(code))
            return real(*arguments)

        return call


def sent(number: int, at: object = None) -> Arrival:
    submission = Submission("PARTNER_API", "/demo", f"p{number}@example.org", "Ann", company="A")
    return Arrival(submission, Channel.API, at=at)  # type: ignore[arg-type]


def live(lab: Lab, number: int) -> int:
    lab.gate.admit([sent(number)])
    return 1


def bulk(lab: Lab, number: int) -> int:
    at = lab.clock() - timedelta(days=1)
    lab.run_gate(f"r{number}").admit([sent(number + 10_000, at)])
    return 1


def flush(lab: Lab, number: int) -> int:
    lab.log.flush("submissions")
    return 0


def table(lab: Lab, number: int) -> int:
    rows = lab.log.view().days[-1].journal
    assert rows is not None
    lab.log.append_table("submissions", rows.slice(0, 1))
    return 1


def seal(lab: Lab, number: int) -> int:
    seal_now(lab, (lab.clock() - timedelta(days=1)).date())
    return 0


WAYS = [("write", "EIO"), ("write", "ENOSPC"), ("write", "short"), ("fsync", "EIO"), ("rename", "EIO"), ("commit", "full")]


@pytest.mark.parametrize(("function", "how"), WAYS)
@pytest.mark.parametrize("operation", [live, bulk, flush, table, seal])
def test_a_failing_call_acknowledges_nothing_and_the_next_append_works(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, operation: Callable[[Lab, int], int], function: str, how: str
) -> None:
    """For N = 1, 2, 3 … until the operation passes untouched."""
    if operation is live and function != "commit":
        monkeypatch.setattr(durable, "os", FailingOs(function, 1, how))
        assert live(lab, 1) == 1, "a single append touches no file of ours"
        return
    bulk(lab, 0)
    live(lab, 0)
    stored = 2
    for nth in range(1, MOST_CALLS):
        live(lab, nth)
        stored += 1
        failed = _fails(lab, monkeypatch, operation, function, how, nth)
        stored += 0 if failed else operation_rows(operation)
        assert lab.log.view().rows == stored, f"after call {nth} failed"
        assert verify(lab.log, lab.database).mismatch is None
        assert list(lab.log.folder.rglob("*.tmp")) == []
        if not failed:
            break
    else:
        pytest.fail("the operation never passed")
    live(lab, MOST_CALLS)
    assert lab.log.view().rows == stored + 1
    assert "sealing" not in states(lab).values()


def operation_rows(operation: Callable[[Lab, int], int]) -> int:
    return {live: 1, bulk: 1, table: 1}.get(operation, 0)


def _fails(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, operation: Callable[[Lab, int], int], function: str, how: str, nth: int
) -> bool:
    with monkeypatch.context() as patch:
        if function != "commit":
            patch.setattr(durable, "os", FailingOs(function, nth, how))
            return _raises(operation, lab, nth)
        commits = 0

        def refuse(_connection: Any) -> None:
            nonlocal commits
            commits += 1
            if commits == nth:
                raise sqlite3.OperationalError("database or disk is full")

        event.listen(lab.database.engine, "commit", refuse)
        try:
            return _raises(operation, lab, 1_000 + nth)
        finally:
            event.remove(lab.database.engine, "commit", refuse)


def _raises(operation: Callable[[Lab, int], int], lab: Lab, number: int) -> bool:
    try:
        operation(lab, 500 + number)
    except (LabError, sqlite3.OperationalError):
        return True
    return False


def test_a_full_database_refuses_with_a_typed_error_and_recovers_by_itself(lab: Lab) -> None:
    """SQLite's own "database or disk is full": the caller is told, reading goes on, and afterwards all is well."""
    live(lab, 1)
    with lab.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limit = {"on": True}

    def cap(raw: Any, *_: Any) -> None:
        raw.execute(f"PRAGMA max_page_count={pages if limit['on'] else 1_000_000}")

    event.listen(lab.database.engine, "checkout", cap)
    try:
        with pytest.raises(LabError, match=r"full.*Free space"):
            for number in range(2, 60):
                live(lab, number)
        held = lab.log.view().rows
        assert lab.metrics.totals().attempts == held
        limit["on"] = False
        live(lab, 900)
        assert lab.log.view().rows == held + 1
    finally:
        event.remove(lab.database.engine, "checkout", cap)


