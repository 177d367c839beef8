from pathlib import Path

import pytest
from sqlalchemy import insert, select

from lab.database import Database, meta
from lab.errors import BadSetting, DataFolderError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'lab.db'}")
    made.create_tables()
    return made


def test_a_read_sees_one_state_although_a_write_commits_in_between(database: Database) -> None:
    """A reader's transaction begins before its first SELECT, so both SELECTs agree."""
    with database.read() as reader:
        before = reader.execute(select(meta)).all()
        with database.write() as writer:
            writer.execute(insert(meta).values(name="a", value="b"))
        assert reader.execute(select(meta)).all() == before == []
    with database.read() as reader:
        assert len(reader.execute(select(meta)).all()) == 1
    database.close()


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    """All or nothing."""
    with pytest.raises(RuntimeError), database.write() as writer:
        writer.execute(insert(meta).values(name="a", value="b"))
        raise RuntimeError
    with database.read() as reader:
        assert reader.execute(select(meta)).all() == []
    database.close()


def test_sqlite_is_durable_and_lets_readers_read_while_someone_writes(database: Database) -> None:
    """WAL mode with synchronous=FULL (2): a commit is on disk when it returns."""
    with database.read() as reader:
        assert reader.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert reader.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_an_address_that_is_no_database_is_refused_with_the_remedy() -> None:
    """One sentence instead of a driver's traceback."""
    with pytest.raises(BadSetting, match="LAB_DATABASE_URL.*leave it empty"):
        Database("nonsense")


def test_a_file_that_is_no_database_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """Another program's file is not overwritten."""
    (tmp_path / "lab.db").write_bytes(b"not a database" * 100)
    made = Database(f"sqlite:///{tmp_path / 'lab.db'}")
    with pytest.raises(DataFolderError, match="point LAB_DATA_DIR"):
        made.create_tables()
    made.close()
