import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from lab.attempt import SCHEMA
from lab.database import journal, meta, segments
from lab.errors import QueueFull, StorageFailed
from lab.eventlog import SUBMISSIONS, EventLog, View, durable, table_of
from lab.eventlog.committer import Committer, Pending


def ids(view: View) -> list[str]:
    """Every attempt id a reader sees, files and journal, in no order."""
    found: list[str] = []
    for day in view.days:
        for file in day.files:
            found += pq.read_table(file)["attempt_id"].to_pylist()
        if day.journal is not None:
            found += day.journal["attempt_id"].to_pylist()
    return found


def test_an_appended_row_is_read_back_as_it_was_with_its_sequence_number(log, make_row) -> None:
    """Every column survives the journal, nulls and instants to the microsecond included."""
    row = make_row(0.000123, occurred_at=None, failure_context='{"a":1}', source="Füße ✓")
    (stored,) = log.append("submissions", [row])
    assert stored == row._replace(seq=1)
    (day,) = log.view().days
    assert day.journal is not None
    assert day.journal.schema == SCHEMA
    assert tuple(day.journal.to_pylist()[0].values()) == stored


def test_a_flush_moves_rows_from_journal_to_one_file_and_loses_none(log, make_row) -> None:
    """Before and after, a reader sees the same rows; the journal is empty afterwards."""
    for index in range(20):
        log.append("submissions", [make_row(-index)])
    before = log.view()
    assert log.flush("submissions") == 20
    after = log.view()
    assert sorted(ids(after)) == sorted(ids(before))
    (day,) = after.days
    assert len(day.files) == 1
    assert day.journal is None
    assert after.version == before.version
    stored = pq.read_table(day.files[0])
    assert stored["received_at"].to_pylist() == sorted(stored["received_at"].to_pylist())
    assert log.flush("submissions") == 0


def test_a_reader_between_the_two_halves_of_a_flush_sees_each_row_once(log, make_row) -> None:
    """Views taken all through many flushes are always exactly what was acknowledged."""
    acknowledged: list[str] = []
    stop = threading.Event()
    wrong: list[tuple[int, int]] = []

    def read() -> None:
        while not stop.is_set():
            known = set(acknowledged)
            seen = ids(log.view())
            if len(seen) != len(set(seen)) or not known <= set(seen):
                wrong.append((len(seen), len(known)))

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        for index in range(60):
            acknowledged.extend(row.attempt_id for row in [make_row(index)] if log.append("submissions", [row]))
            if index % 7 == 0:
                log.flush("submissions")
        stop.set()
        reader.result()
    assert wrong == []


def test_a_large_table_becomes_one_file_a_day_numbered_in_order_of_time(log, make_row) -> None:
    """Rows of two days, shuffled, end up in two Hive-partitioned files that other tools read as they are."""
    rows = [make_row(3600 * hour) for hour in (20, 1, 15, 3, 0)]
    rows = [row._replace(day=row.received_at.date()) for row in rows]
    first = log.append_table("submissions", table_of(SUBMISSIONS, rows), run_id="r1")
    view = log.view()
    assert [day.day.isoformat() for day in view.days] == ["2026-11-20", "2026-11-21"]
    files = [str(file) for day in view.days for file in day.files]
    by_duckdb = duckdb.sql(f"select seq, epoch_us(received_at) from read_parquet({files}) order by seq").fetchall()
    assert [seq for seq, _ in by_duckdb] == list(range(first, first + 5))
    assert [at for _, at in by_duckdb] == sorted(at for _, at in by_duckdb)
    folder = log.folder / "submissions"
    assert pl.read_parquet(folder / "**/*.parquet", hive_partitioning=True).height == 5
    assert {one.run_id for one in view.segments} == {"r1"}


def test_what_the_transaction_raises_undoes_a_bulk_append_with_its_files(log, make_row) -> None:
    """No catalog row, no file, no temporary file."""

    def refuse(_: Connection) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]), within=refuse)
    assert log.view().rows == 0
    assert list(log.folder.rglob("*.parquet*")) == []


def test_an_interrupt_just_after_the_commit_does_not_take_the_files_away(log, make_row, monkeypatch) -> None:
    """What the catalog names stays, whatever is raised afterwards."""
    real = log._writing

    @contextmanager
    def interrupted():
        with real() as connection:
            yield connection
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "_writing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]))
    assert len(ids(log.view())) == 1


def test_a_file_without_a_catalog_row_does_not_exist(log, make_row) -> None:
    """What a kill between rename and commit leaves behind is never read."""
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]))
    (day,) = log.view().days
    (day.files[0].parent / "orphan.parquet").write_bytes(day.files[0].read_bytes())
    assert len(ids(log.view())) == 1


def test_a_failed_write_acknowledges_nothing_and_the_next_append_works(log, make_row, monkeypatch) -> None:
    """A full disk answers with a sentence, leaves no file, and is forgotten once there is room."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    table = table_of(SUBMISSIONS, [make_row()])
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", full)
        with pytest.raises(StorageFailed, match="No space left on device.*Free space"):
            log.append_table("submissions", table)
    assert list(log.folder.rglob("*.parquet*")) == []
    log.append_table("submissions", table)
    assert log.view().rows == 1


def test_a_file_is_synced_before_it_is_named_and_its_folder_after(tmp_path: Path, monkeypatch) -> None:
    """write, fsync, rename, fsync of the folder: in this order."""
    calls: list[str] = []
    for name in ("write", "fsync", "rename"):
        real = getattr(durable.os, name)
        monkeypatch.setattr(durable.os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))[1])
    durable.write_file(tmp_path / "x", memoryview(b"data"))
    assert calls == ["write", "fsync", "rename", "fsync"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch) -> None:
    """The kernel may take less than it was given without an error."""
    real = durable.os.write
    monkeypatch.setattr(durable.os, "write", lambda handle, data: real(handle, data[:3]))
    durable.write_file(tmp_path / "x", memoryview(b"0123456789"))
    assert (tmp_path / "x").read_bytes() == b"0123456789"


def test_several_logs_over_one_folder_number_their_rows_without_meeting(log, make_row) -> None:
    """Two processes' worth of committers: every row once, every seq once."""
    other = EventLog(log.database, log.folder, log._clock)

    def work(target: EventLog) -> list[int]:
        return [target.append("submissions", [make_row()])[0][1] for _ in range(40)]

    with ThreadPoolExecutor(4) as pool:
        seqs = [seq for part in pool.map(work, [log, other, log, other]) for seq in part]
    other.close()
    assert len(set(seqs)) == 160
    assert len(set(ids(log.view()))) == 160


def test_many_callers_share_transactions(log, make_row) -> None:
    """200 rows from 20 callers need far fewer than 200 commits: the version counts them."""
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: [log.append("submissions", [make_row()]) for _ in range(10)], range(20)))
    commits = int(log.version().rsplit("-", 1)[1])
    assert log.view().rows == 200
    assert commits < 200


def test_one_callers_error_is_not_the_others(log, make_row) -> None:
    """A part that cannot be settled fails alone; what shared its transaction is stored."""

    def settle(connection: Connection, batches):
        if any("bad" in batch for batch in batches):
            raise ValueError("bad")
        return [[make_row()] for _ in batches]

    def send(word: str) -> bool:
        try:
            return bool(log.append("submissions", [word], settle))
        except ValueError:
            return False

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, ["good", "bad"] * 20))
    assert answers == [True, False] * 20
    assert log.view().rows == 20


def test_what_also_writes_is_in_the_same_transaction(log, make_row) -> None:
    """Its failure takes the rows with it."""

    def broken(connection: Connection) -> None:
        connection.execute(insert(meta).values(name="a", value="b"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        log.append("submissions", [make_row()], also=broken)
    assert log.view().rows == 0
    with log.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(meta)) == 0


def test_a_full_queue_is_a_typed_refusal() -> None:
    """Nothing is dropped silently: the caller is told to come again."""
    gate = threading.Event()
    committer = Committer(lambda batch: (gate.wait(10), [[] for _ in batch])[1], waiting=1)
    def pending() -> Pending:
        return Pending(SUBMISSIONS, [], None, None, Future())

    first = pending()
    committer.put(first)
    with pytest.raises(QueueFull, match="send again"):
        for _ in range(3):
            committer.put(pending())
    gate.set()
    first.done.result(10)
    committer.close()
    with pytest.raises(StorageFailed, match="closing"):
        committer.put(pending())


def test_withdrawing_a_run_takes_its_rows_and_leaves_the_rest(log, make_row, clock) -> None:
    """The files go to the garbage list, not from under a reader."""
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]), run_id="mine")
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]), run_id="other")
    held = log.view()
    with log.database.write() as connection:
        assert log.withdraw(connection, "submissions", "mine") == (1, [clock().date()])
    after = log.view()
    assert [one.run_id for one in after.segments] == ["other"]
    assert after.version != held.version
    assert len(ids(held)) == 2


def test_a_view_can_be_cut_to_days_and_an_empty_one_is_normal(log, make_row, clock) -> None:
    """No rows means no days, not an error."""
    assert log.view().days == ()
    log.append("submissions", [make_row()])
    tomorrow = clock().date() + timedelta(days=1)
    assert log.view(first=tomorrow).days == ()
    assert log.view(last=tomorrow).rows == 1


def test_an_older_journal_row_without_a_newer_column_reads_as_null(log, make_row) -> None:
    """Columns are only ever added: a row written before one was is still readable."""
    log.append("submissions", [make_row()])
    with log.database.write() as connection:
        body = connection.scalar(select(journal.c.body))
        connection.execute(journal.update().values(body=body.replace('"user_agent":"Firefox",', "")))
    other = EventLog(log.database, log.folder, log._clock)
    (day,) = other.view().days
    assert day.journal["user_agent"].to_pylist() == [None]


def test_the_catalog_knows_each_file_by_hash_and_span(log, make_row) -> None:
    """SHA-256 of the bytes on disk, rows, first and last instant."""
    from hashlib import sha256

    log.append_table("submissions", table_of(SUBMISSIONS, [make_row(5), make_row(0)]))
    with log.database.read() as connection:
        row = connection.execute(select(segments)).one()
    data = (log.folder / row.file).read_bytes()
    assert (row.sha256, row.bytes, row.rows) == (sha256(data).hexdigest(), len(data), 2)
    assert row.max_us - row.min_us == 5_000_000
    assert isinstance(pq.ParquetFile(log.folder / row.file).schema_arrow, pa.Schema)
