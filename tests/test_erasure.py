"""A person is erased from the tables and from the file's bytes; what stays is told."""

from __future__ import annotations

import io
import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from lab import erasure
from lab.attempt import Arrival, Channel, Kind, Outcome, Submission
from lab.backup import back_up
from lab.clock import ManualClock
from lab.command_line import main
from lab.data_folder import rekey
from lab.database import idempotency, jobs, leads, payloads
from lab.erasure import drop_old_keys, erase_payloads, forget, retention
from lab.errors import BadRequest, StorageFailed
from lab.ids import microseconds
from lab.opening import open_lab
from lab.settings import Settings

if TYPE_CHECKING:
    from lab.opening import Lab

ADA = "ada.lovelace@example.org"
SECRETS = (b"ada.lovelace", b"Countess", b"analytical engine", b"+44 1815 1852")


def sent(email: str, page: str = "/demo", key: str | None = None, **fields: object) -> Arrival:
    told = {"name": "Ann", "message": "Hello", "idempotency_key": key} | fields
    return Arrival(Submission("WEBSITE_FORM", page, email, **told), Channel.API, client=email)  # type: ignore[arg-type]


def ada(**fields: object) -> Arrival:
    told = {"name": "Countess of L.", "message": "About the analytical engine", "phone": "+44 1815 1852"} | fields
    return sent(str(told.pop("email", ADA)), **told)


def crowd(lab: Lab, first: int, last: int) -> None:
    """Enough others for pages to split and rows to move."""
    for start in range(first, last, 15):
        lab.gate.admit([sent(f"person{n}@example.net", message="m" * (n * 37 % 700)) for n in range(start, start + 15)])


def count(lab: Lab, table: object) -> int:
    with lab.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


def bytes_of(lab: Lab) -> bytes:
    """Everything that the database's files hold."""
    return b"".join(path.read_bytes() for path in sorted(lab.settings.data_dir.glob("lab.db*")))


@pytest.fixture
def known(lab: Lab, clock: ManualClock) -> Lab:
    """A lab that knows Ada: a lead, a duplicate, a refused attempt, two keys; and a crowd around her."""
    crowd(lab, 0, 150)
    lab.gate.admit([ada(key="k1")])
    clock.advance(minutes=2)
    lab.gate.admit([ada(key="k2", message="Again, about the analytical engine")])
    clock.advance(minutes=2)
    lab.gate.admit([ada(email=ADA.upper(), phone="not a phone number")])
    crowd(lab, 150, 300)
    assert all(secret in bytes_of(lab) for secret in SECRETS)
    return lab


def test_a_person_is_erased_from_tables_and_bytes_and_may_submit_again(known: Lab, clock: ManualClock) -> None:
    """Content, hashes, payloads and keys; the address as the gate would read it, however it is typed."""
    others = count(known, leads) - 1
    told = forget(known, "  Ada.Lovelace@EXAMPLE.org ")
    assert (told["leads"], told["payloads"], told["idempotency_keys"], told["attempts_left"]) == (1, 2, 2, 3)
    assert told["traces"] == []
    held = bytes_of(known)
    assert [secret for secret in SECRETS if secret.lower() in held.lower()] == []
    hashed = known.pseudonyms.email(ADA).encode()
    assert hashed not in held
    with known.database.read() as connection:
        (row,) = connection.execute(select(leads).where(leads.c.email_hash == "")).all()
        assert (row.content, row.payload_hash) == ("{}", "")
        assert connection.scalar(select(func.count()).where(leads.c.content != "{}")) == others
    clock.advance(minutes=2)
    (again,) = known.gate.admit([ada(key="k1")])
    assert again.outcome is Outcome.SUCCESS


def test_what_stays_is_said_and_the_address_is_not(known: Lab, tmp_path: Path) -> None:
    """Pseudonymous attempts and earlier backups; the job's row must not name the person either."""
    folder = back_up(known, tmp_path / "old copy")["folder"]
    known.jobs.run("backup", {}, lambda _progress: {"folder": folder})
    job = known.jobs.run("forget", {}, lambda progress: forget(known, ADA, progress))
    assert job.result is not None
    said = str(job.result["sentence"])
    assert "Erased the content and hashes of 1 lead, 2 kept payloads and 2 idempotency keys" in said
    assert "3 attempts stay in the log under a keyed hash" in said
    assert f"Backups made earlier still hold it, such as {folder}" in said
    assert ADA not in str(job)
    assert ADA.encode() in (Path(folder) / "lab.db").read_bytes()
    assert known.log.view().rows == known.metrics.totals().attempts


def test_a_second_run_finds_nothing_and_says_so(known: Lab) -> None:
    """It costs no rewriting."""
    forget(known, ADA)
    told = forget(known, ADA)
    assert (told["leads"], told["payloads"], told["idempotency_keys"]) == (0, 0, 0)
    assert told["sentence"].startswith("Nothing of this person was found")


def test_others_are_left_and_those_who_mention_the_address_are_named(known: Lab, clock: ManualClock) -> None:
    """A colleague's message is the colleague's; a similar address is another person's."""
    clock.advance(minutes=2)
    (friend,) = known.gate.admit([sent("friend@example.org", message=f"Ask {ADA} too")])
    (similar,) = known.gate.admit([sent(f"x{ADA}")])
    told = forget(known, ADA)
    assert set(told["mentions"]) == {f"lead {friend.lead_id}", f"lead {similar.lead_id}"}
    assert "2 rows of other people mention the address and were left" in told["sentence"]
    with known.database.read() as connection:
        (kept,) = connection.scalars(select(leads.c.content).where(leads.c.lead_id == friend.lead_id)).all()
    assert ADA in kept


def test_a_person_is_found_where_the_key_is_another_one(known: Lab, clock: ManualClock) -> None:
    """After a restore without the key the hash differs; the content still tells."""
    rekey(known.database)
    known.close()
    (known.settings.data_dir / "hash.key").write_bytes(b"n" * 32)
    with open_lab(known.settings, clock, housekeeping=False) as lab:
        told = forget(lab, ADA)
        assert (told["leads"], told["payloads"], told["traces"]) == (1, 2, [])


def test_the_signs_of_like_are_no_wildcards(known: Lab) -> None:
    """An underscore stands for itself."""
    assert forget(known, "ada_lovelace@example.org")["leads"] == 0


def test_a_reader_that_holds_old_pages_is_told_and_the_next_run_clears_them(
    known: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log cannot be emptied under a reader; nobody is told that all is gone."""
    monkeypatch.setattr("lab.remains.WAIT_MS", 1)
    with known.database.read() as reader:
        reader.execute(select(func.count()).select_from(leads))
        told = forget(known, ADA)
    assert told["traces"]
    assert "held by a reader; run it again" in told["sentence"]
    again = forget(known, ADA)
    assert (again["leads"], again["traces"]) == (0, [])
    assert ADA.encode() not in bytes_of(known)


def test_a_database_that_refuses_is_told_without_the_address(known: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy puts parameters into its messages; ours does not repeat them."""
    with known.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE payloads")
    with pytest.raises(StorageFailed, match="run it again") as caught:
        forget(known, ADA)
    assert "ada" not in str(caught.value).lower()


def test_broken_lines_kept_aside_are_searched(lab: Lab) -> None:
    """An import keeps them as they came, so the address may be in a query string."""
    kept = lab.settings.data_dir / "leftovers" / "import-1.txt"
    kept.parent.mkdir()
    kept.write_text("x" * (1 << 20) + "\nGET /join?email=Ada.Lovelace%40example.org broken\n")
    told = forget(lab, ADA)
    assert told["kept_lines"] == [str(kept)]
    assert f"edit or delete {kept}" in told["sentence"]


@pytest.mark.parametrize("text", ["", "ada", "x" * 260 + "@example.org"])
def test_what_is_no_address_is_refused(lab: Lab, text: str) -> None:
    """Nothing is looked for."""
    with pytest.raises(BadRequest, match="such as ann@example.org"):
        forget(lab, text)


def test_the_command_line_takes_the_address_from_standard_input_too(
    known: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell keeps a history of arguments; the job's row holds none."""
    known.close()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ADA}\n"))
    assert main(["forget", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["leads"] == 1
    assert main(["forget", ADA]) == 0
    assert "Nothing of this person was found" in capsys.readouterr().out
    with known.database.read() as connection:
        assert all(ADA not in text for text in connection.scalars(select(jobs.c.params)))


def test_payloads_go_after_their_days_and_the_bytes_with_them(known: Lab, clock: ManualClock) -> None:
    """What is younger stays; leads are no payloads."""
    clock.advance(days=30)
    known.gate.admit([sent("not an address", message="young words")])
    before = count(known, leads)
    assert erase_payloads(known.database, microseconds(clock() - timedelta(days=31))) == 0
    assert erase_payloads(known.database, microseconds(clock() - timedelta(days=29))) == 2
    assert (count(known, payloads), count(known, leads)) == (1, before)
    assert b"Again, about the analytical engine" not in bytes_of(known)


def test_the_duty_looks_at_most_hourly_and_with_0_days_keeps_none(known: Lab, clock: ManualClock) -> None:
    """Called every second, it costs a comparison."""
    duty = retention(known.database, clock, keep_days=0)
    assert count(known, payloads) == 2
    duty()
    assert count(known, payloads) == 0
    known.gate.admit([sent("not an address")])
    clock.advance(minutes=59)
    duty()
    assert count(known, payloads) == 1
    clock.advance(minutes=1)
    duty()
    assert count(known, payloads) == 0


def test_many_old_payloads_go_in_parts(lab: Lab, clock: ManualClock) -> None:
    """More than one part's worth, all of them."""
    lab.gate.admit([sent(f"no address {number}", key=None) for number in range(1_100)])
    kept = count(lab, payloads)
    assert kept > 0
    assert erase_payloads(lab.database, microseconds(clock())) == kept
    assert count(lab, payloads) == 0


def keyed(number: int, at: datetime | None = None) -> Arrival:
    form = sent(f"ann{number}@example.org", key=f"k{number}")
    return form._replace(at=at)


def test_keys_go_once_nothing_can_repeat_them(lab: Lab, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay of the last 24 hours is still known; what is a day and an hour old is gone, in parts too."""
    monkeypatch.setattr(erasure, "_KEYS_AT_ONCE", 2)
    lab.gate.admit([keyed(number) for number in range(5)])
    duty = retention(lab.database, clock, keep_days=30)
    clock.advance(hours=23, minutes=59)
    duty()
    lab.gate.admit([keyed(7)])
    assert lab.gate.admit([keyed(0)])[0].kind is Kind.REPLAY
    assert count(lab, idempotency) == 6
    clock.advance(hours=1, minutes=2)
    duty()
    assert count(lab, idempotency) == 1


def test_keys_stay_while_a_run_of_past_days_may_need_them(lab: Lab, clock: ManualClock) -> None:
    """A run's rows have their own times; its keys are looked for among those of its days."""
    past = clock() - timedelta(days=40)
    left: list[int] = []

    def work(_progress: object) -> dict[str, object]:
        lab.run_gate("r1").admit([keyed(1, past)])
        left.append(drop_old_keys(lab.database, microseconds(clock())))
        return {}

    job = lab.jobs.run("simulate", {}, work)
    assert (job.state, left, count(lab, idempotency)) == ("done", [0], 1)
    assert drop_old_keys(lab.database, microseconds(clock())) == 1


def test_an_open_lab_has_the_duty(settings: Settings, clock: ManualClock) -> None:
    """Wired where the lab is assembled, with the setting's days."""
    with open_lab(settings, clock, housekeeping=False) as lab:
        lab.gate.admit([sent("not an address")])
        assert count(lab, payloads) == 1
    clock.advance(days=settings.keep_payloads_days + 1)
    gone, stop = threading.Event(), threading.Event()
    with open_lab(settings, clock) as lab:

        def look() -> None:
            while not stop.wait(0.05):
                if count(lab, payloads) == 0:
                    gone.set()
                    return

        watcher = threading.Thread(target=look)
        watcher.start()
        assert gone.wait(30)
        stop.set()
        watcher.join()
