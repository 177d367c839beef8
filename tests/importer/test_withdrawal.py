"""Taking an import back as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, insert, select

from lab.database import garbage, imported_lines, runs, segments
from lab.errors import BadRequest
from lab.importer import import_files, withdraw

if TYPE_CHECKING:
    from lab.opening import Lab

FORMS = {"/join_form": "WEBSITE_FORM", "/login_form": "LANDING_PAGE"}


def count(lab: Lab, table: Any) -> int:
    with lab.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_withdrawn_run_is_gone_with_its_keys_and_leftovers(lab: Lab, sample: Path) -> None:
    """It says what was removed; the files go once no reader can hold them; importing again brings it back."""
    summary = import_files(lab, [sample], FORMS)
    files = count(lab, segments)
    removed = withdraw(lab, summary["run_id"])
    assert removed["removed"] == 10
    assert removed["days"] == ["2015-10-25", "2015-10-26", "2015-10-27"]
    assert removed["sentence"].startswith("Withdrew 10 attempts on 3 days that came from access.log")
    assert not Path(summary["leftovers"]).exists()
    assert (count(lab, segments), count(lab, garbage), count(lab, imported_lines)) == (0, files, 0)
    assert lab.log.view().rows == 0
    assert lab.metrics.days_with_data() == []
    assert import_files(lab, [sample], FORMS)["added"] == 10


def test_withdrawing_one_run_leaves_the_others(lab: Lab, sample: Path) -> None:
    """Rows belong to the run that stored them."""
    first = import_files(lab, [sample], {"/join_form": "WEBSITE_FORM"})
    second = import_files(lab, [sample], FORMS)
    assert withdraw(lab, second["run_id"])["removed"] == 4
    assert lab.log.view().rows == first["added"] == 6


def test_what_cannot_be_withdrawn_is_refused_with_the_remedy(lab: Lab, sample: Path) -> None:
    """Unknown runs, other kinds of run, and what was withdrawn before."""
    with pytest.raises(BadRequest, match="nothing was imported yet"):
        withdraw(lab, "import-1")
    run_id = import_files(lab, [sample], FORMS)["run_id"]
    with pytest.raises(BadRequest, match=f"the latest are {run_id}"):
        withdraw(lab, "import-1")
    with lab.database.write() as connection:
        connection.execute(
            insert(runs).values(run_id="sim", kind="backfill", params="{}", state="done", done=0, created_us=0)
        )
    with pytest.raises(BadRequest, match="not an import; name an import"):
        withdraw(lab, "sim")
    withdraw(lab, run_id)
    with pytest.raises(BadRequest, match="withdrawn already"):
        withdraw(lab, run_id)


def test_a_run_at_work_is_not_withdrawn(lab: Lab, sample: Path) -> None:
    """It would add more afterwards; it has to be stopped first."""
    seen: list[str] = []

    def work(progress: Any) -> dict[str, Any]:
        summary = import_files(lab, [sample], FORMS, progress=progress)
        with pytest.raises(BadRequest, match="stop it first"):
            withdraw(lab, summary["run_id"])
        seen.append(summary["run_id"])
        return summary

    assert lab.jobs.run("import", {}, work).state == "done"
    assert withdraw(lab, seen[0])["removed"] == 10


def test_a_run_withdrawn_while_it_is_at_work_adds_nothing_more(
    lab: Lab, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a job to ask, the run's own row decides, in the transaction that would add rows."""
    from lab.errors import Cancelled
    from lab.importer import files, run

    monkeypatch.setattr(files, "CHUNK_BYTES", 300)
    monkeypatch.setattr(run, "BATCH_ROWS", 2)

    class Withdrawing:
        job_id = None
        done = False

        def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
            if detail.get("added") and not self.done:
                self.done = True
                with lab.database.read() as connection:
                    run_id = connection.scalar(select(runs.c.run_id))
                assert run_id is not None
                withdraw(lab, run_id)

    with pytest.raises(Cancelled, match="withdrawn meanwhile"):
        import_files(lab, [sample], FORMS, progress=Withdrawing())
    assert (lab.log.view().rows, count(lab, imported_lines)) == (0, 0)
    with lab.database.read() as connection:
        assert connection.scalars(select(runs.c.state)).all() == ["withdrawn"]
