"""Keys of rows that are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.importer import import_files, keys, run
from tests.importer.test_tables import ndjson, recorded_row

if TYPE_CHECKING:
    from lab.opening import Lab


def test_a_batch_that_seemed_new_and_is_not_is_looked_up_row_by_row(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample that misses the one known row costs a second turn, never a double."""
    monkeypatch.setattr(keys, "LOOKED_UP_AT_ONCE", 4)
    rows = [recorded_row(number) for number in range(40)]
    assert import_files(lab, [ndjson(tmp_path, rows[1:2])], {})["added"] == 1
    seemed: list[bool] = []

    def watched(connection: object, entries: object) -> bool:
        seemed.append(keys.seem_new(connection, entries))  # type: ignore[arg-type]
        return seemed[-1]

    monkeypatch.setattr(run, "seem_new", watched)
    done = import_files(lab, [ndjson(tmp_path, rows)], {})
    assert seemed == [True]
    assert (done["added"], done["already"], lab.log.view().rows) == (39, 1, 40)
    again = import_files(lab, [ndjson(tmp_path, rows)], {})
    assert seemed == [True, False]
    assert (again["added"], again["already"]) == (0, 40)
