"""Tables of one's own: NDJSON, CSV and Parquet, recorded or judged, each row once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from lab.attempt import SCHEMA
from lab.database import idempotency, imported_lines, leads
from lab.errors import BadRequest, UnreadableLog
from lab.importer import import_files, preview, run, withdraw
from lab.metrics.attempts import Filter

if TYPE_CHECKING:
    from lab.opening import Lab

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
Row = dict[str, Any]
Write = Callable[[Path, Sequence[Row]], Path]


def judged_row(number: int = 0, **more: Any) -> Row:
    """A submission that the gate accepts."""
    at = NOON + timedelta(seconds=number)
    return {
        "time": at.isoformat(), "source": "WEBSITE_FORM", "page": "/pricing",
        "email": f"ann{number}@example.org", "name": "Ann Example", **more,
    }  # fmt: skip


def recorded_row(number: int = 0, outcome: str = "SUCCESS", **more: Any) -> Row:
    """An attempt with its own outcome."""
    at = NOON + timedelta(seconds=number)
    return {"received_at": at.isoformat(), "source": "PARTNER_API", "page": "/demo", "outcome": outcome, **more}


def ndjson(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.ndjson"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def csv(folder: Path, rows: Sequence[Row]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    path = folder / "rows.csv"
    quoted = (";".join('"' + str(row.get(name, "")).replace('"', '""') + '"' for name in names) for row in rows)
    path.write_bytes(("\r\n".join([";".join(names), *quoted]) + "\r\n").encode())
    return path


def parquet(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.bin"
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    return path


FORMATS = pytest.mark.parametrize("write", [ndjson, csv, parquet])


def stored(lab: Lab) -> list[Row]:
    days = lab.log.view().days
    tables = [pq.read_table(file) for day in days for file in day.files]
    rows: list[Row] = pa.concat_tables(tables).to_pylist() if tables else []
    return sorted(rows, key=lambda row: row["seq"])


def count(lab: Lab, table: Any) -> int:
    with lab.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@FORMATS
def test_rows_with_an_outcome_are_recorded_as_they_say(lab: Lab, tmp_path: Path, write: Write) -> None:
    """Own time and outcome; of a refusal only our category and our words; no limits, no lead."""
    rows = [
        *(recorded_row(number, user_id="u7", client="203.0.113.7") for number in range(20)),
        recorded_row(20, "FAILED", failure_category="DUPLICATE_LEAD", failure_reason="<b>their words</b>"),
        recorded_row(21, "failed", failure_category="their category"),
        recorded_row(22, source="MOON", page="/nowhere?x=1"),
    ]
    done = import_files(lab, [write(tmp_path, rows)], {})
    assert (done["added"], done["judged"], done["broken"]) == (23, 0, 0)
    assert done["by_day"] == [{"day": "2026-11-19", "attempts": 23, "success": 21, "failed": 2}]
    assert "not for a form" not in done["sentence"]
    there = stored(lab)
    assert there[0]["received_at"] == NOON
    assert (there[0]["channel"], there[0]["user_id"]) == ("import", lab.pseudonyms.user("u7"))
    assert there[0]["client"] == lab.pseudonyms.client("203.0.113.7")
    assert [(row["failure_category"], row["failure_reason"]) for row in there[20:22]] == [
        ("DUPLICATE_LEAD", "The imported row records DUPLICATE_LEAD."),
        ("UNSPECIFIED", "The imported row records UNSPECIFIED."),
    ]
    assert (there[22]["source"], there[22]["page"]) == ("UNKNOWN", "UNKNOWN")
    assert count(lab, leads) == 0


@FORMATS
def test_rows_without_an_outcome_are_judged_and_make_leads(lab: Lab, tmp_path: Path, write: Write) -> None:
    """The whole gate, in order of time, whatever order the file has."""
    rows = [
        judged_row(50, email="ann0@example.org", message="again"),
        judged_row(0, company="ACME", Budget="10k"),
        judged_row(1, email="not an address"),
        judged_row(2, website="http://spam.test"),
        judged_row(3, source="MOON"),
    ]
    done = import_files(lab, [write(tmp_path, rows)], {})
    assert (done["added"], done["judged"]) == (5, 5)
    there = stored(lab)
    assert [(row["outcome"], row["failure_category"]) for row in there] == [
        ("SUCCESS", None), ("FAILED", "VALIDATION_FAILED"), ("FAILED", "SPAM_SUSPECTED"), ("FAILED", "UNKNOWN_SOURCE"),
        ("FAILED", "DUPLICATE_LEAD"),
    ]  # fmt: skip
    assert {row["channel"] for row in there} == {"import"}
    assert there[0]["received_at"] == NOON
    with lab.database.read() as connection:
        (lead,) = connection.execute(select(leads)).all()
    assert lead.run_id == done["run_id"]
    assert json.loads(lead.content)["fields"] == {"Budget": "10k"}
    assert lab.metrics.totals().attempts == 5


@FORMATS
def test_importing_a_table_again_adds_nothing_and_a_grown_one_its_new_rows(
    lab: Lab, tmp_path: Path, write: Write
) -> None:
    """Equal rows of one file are each a row; the key of a Parquet row does not depend on its file."""
    rows = [judged_row(0), judged_row(0), recorded_row(5)] if write is ndjson else [judged_row(0), judged_row(0)]
    first = import_files(lab, [write(tmp_path, rows)], {})
    again = import_files(lab, [write(tmp_path, rows)], {})
    grown = import_files(lab, [write(tmp_path, [*rows, judged_row(9)])], {})
    assert (first["added"], again["added"], again["already"], grown["added"]) == (len(rows), 0, len(rows), 1)
    assert len(stored(lab)) == len(rows) + 1 == count(lab, imported_lines)
    assert count(lab, leads) == 2


def test_limits_hold_on_the_rows_own_clock(lab: Lab, tmp_path: Path) -> None:
    """Ten a minute a user; the same user is free again a minute later."""
    rows = [judged_row(number, user_id="u1", email=f"a{number}@example.org") for number in (*range(12), 75)]
    done = import_files(lab, [ndjson(tmp_path, rows)], {})
    assert done["by_day"][0]["failed"] == 2
    assert [row["failure_category"] for row in stored(lab)].count("RATE_LIMIT_EXCEEDED") == 2


def test_a_stopped_import_judged_on_gives_the_verdicts_of_one_that_was_not(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are there consume the limits again before the missing ones are judged."""
    from lab.errors import Cancelled
    from lab.importer import files

    monkeypatch.setattr(files, "CHUNK_BYTES", 600)
    monkeypatch.setattr(run, "JUDGED_ROWS", 4)

    class Stopping:
        job_id = None
        left = 2

        def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
            self.left -= stage == "importing"
            if not self.left:
                raise Cancelled("Stopped as asked.")

    rows = [judged_row(number, user_id="u1", email=f"a{number}@example.org") for number in range(16)]
    path = ndjson(tmp_path, rows)
    with pytest.raises(Cancelled):
        import_files(lab, [path], {}, progress=Stopping())
    assert 0 < len(stored(lab)) < 10
    import_files(lab, [path], {})
    assert [row["outcome"] for row in stored(lab)] == ["SUCCESS"] * 10 + ["FAILED"] * 6


def test_a_file_that_goes_back_in_time_is_judged_in_stretches_and_says_so(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, over more rows than are held at once: nobody is refused for what comes later."""
    from lab.importer import files

    monkeypatch.setattr(files, "CHUNK_BYTES", 400)
    monkeypatch.setattr(run, "JUDGED_ROWS", 2)
    rows = [judged_row(90 * number, user_id="u1", email=f"a{number}@example.org") for number in reversed(range(14))]
    done = import_files(lab, [ndjson(tmp_path, rows)], {})
    assert done["by_day"] == [{"day": "2026-11-19", "attempts": 14, "success": 14, "failed": 0}]
    assert "sort it by time" in done["sentence"]


def test_replayed_keys_count_in_no_attempt(lab: Lab, tmp_path: Path) -> None:
    """The same idempotency key and payload twice is one attempt and one replay."""
    rows = [judged_row(0, idempotency_key="k1"), judged_row(30, email="ann0@example.org", idempotency_key="k1")]
    done = import_files(lab, [ndjson(tmp_path, rows)], {})
    assert (done["added"], done["replays"], done["by_day"][0]["attempts"]) == (2, 1, 1)
    assert lab.metrics.totals().attempts == 1


@FORMATS
def test_withdrawing_takes_leads_and_idempotency_keys_along(lab: Lab, tmp_path: Path, write: Write) -> None:
    """Imported again, the same rows get the same verdicts; another run's lead and key stay."""
    other = import_files(lab, [ndjson(tmp_path, [judged_row(0, email="zoe@example.org", idempotency_key="z")])], {})
    rows = [judged_row(0, idempotency_key="k1"), judged_row(1, idempotency_key="k2", website="x"), judged_row(2)]
    path = write(tmp_path, rows)
    done = import_files(lab, [path], {})
    outcomes = [(row["kind"], row["outcome"]) for row in stored(lab)]
    assert count(lab, idempotency) == 3
    gone = withdraw(lab, done["run_id"])
    assert (gone["removed"], gone["leads"]) == (3, 2)
    assert "3 attempts on 1 day and 2 leads" in gone["sentence"]
    assert (count(lab, leads), count(lab, idempotency), count(lab, imported_lines)) == (1, 1, 1)
    assert import_files(lab, [path], {})["added"] == 3
    assert [(row["kind"], row["outcome"]) for row in stored(lab)] == outcomes
    withdraw(lab, other["run_id"])


def test_columns_under_other_names_are_mapped(lab: Lab, tmp_path: Path) -> None:
    """What is not mapped goes with the lead; a page that --form names is declared for this import."""
    path = tmp_path / "leads.csv"
    path.write_text(
        "Submitted;E-mail;Full name;Landing;Shoe size\n2026-11-19 12:00:00;ann@example.org;Ann;https://x.test/spring/?a=1;42\n"
    )
    mapped = ["time=Submitted", "email=E-mail", "name=Full name", "page=Landing"]
    done = import_files(lab, [path], ["/spring=LANDING_PAGE"], columns=mapped)
    (row,) = stored(lab)
    assert (done["added"], row["outcome"], row["source"], row["page"]) == (1, "SUCCESS", "LANDING_PAGE", "/spring")
    with lab.database.read() as connection:
        assert json.loads(connection.scalar(select(leads.c.content)) or "")["fields"] == {"Shoe size": "42"}


def test_a_preview_of_judged_rows_says_how_many_a_day(lab: Lab, tmp_path: Path) -> None:
    """Their verdict is not known yet; recorded ones of the same file come by outcome. Nothing is written."""
    rows = [judged_row(0), judged_row(86_400), recorded_row(1), recorded_row(2, "FAILED")]
    path = ndjson(tmp_path, rows)
    told = preview(lab, [path], {})
    assert told["by_day"] == [
        {"day": "2026-11-19", "attempts": 2, "success": 1, "failed": 1, "judged": 1, "already": 0},
        {"day": "2026-11-20", "attempts": 0, "success": 0, "failed": 0, "judged": 1, "already": 0},
    ]
    assert (told["judged"], told["fresh"], told["formats"]) == (2, 4, ["ndjson"])
    assert "2 rows to be judged" in told["sentence"]
    assert (stored(lab), count(lab, leads), count(lab, imported_lines)) == ([], 0, 0)
    import_files(lab, [path], {})
    assert preview(lab, [path], {})["fresh"] == 0


@FORMATS
def test_a_broken_row_is_counted_and_kept_aside_and_the_rest_goes_on(lab: Lab, tmp_path: Path, write: Write) -> None:
    """A row without a time or with an outcome that is none; mended, the leftovers can be imported as they are."""
    rows = [recorded_row(0), recorded_row(1, "perhaps"), {**recorded_row(2), "received_at": "yesterday"}]
    done = import_files(lab, [write(tmp_path, rows)], {})
    assert (done["added"], done["broken"]) == (1, 2)
    kept = Path(done["leftovers"])
    kept.write_text(kept.read_text().replace("perhaps", "FAILED").replace("yesterday", "2026-11-19T13:00:00Z"))
    mended = import_files(lab, [kept], {})
    assert (mended["added"], mended["broken"]) == (2, 0)


@FORMATS
def test_a_row_of_a_broken_clock_is_kept_aside(lab: Lab, tmp_path: Path, write: Write) -> None:
    """From before 1990, or more than a day ahead of now, whether it is recorded or judged."""
    rows = [recorded_row(0), {**recorded_row(1), "received_at": "2969-12-31T00:00:00Z"}]
    rows += [{**recorded_row(2), "received_at": "1980-01-06T00:00:00Z"}]
    done = import_files(lab, [write(tmp_path, rows)], {})
    assert (done["added"], done["broken"]) == (1, 2)
    judged = ndjson(tmp_path, [judged_row(0), {**judged_row(1), "time": "2026-11-22T00:00:00Z"}])
    done = import_files(lab, [judged], {})
    assert (done["judged"], done["broken"]) == (1, 1)


def test_text_that_no_table_can_hold_is_made_harmless(lab: Lab, tmp_path: Path) -> None:
    """Lone surrogates, numbers where text is expected, nested values, endless nesting."""
    path = tmp_path / "odd.ndjson"
    row = judged_row(0, name=7, phone=None, message="\ud83d", extra={"a": [1]}, elapsed_ms="9e400", consent="yes")
    path.write_text(json.dumps(row) + "\n" + "[" * 50_000 + "\n" + '{"time": ' + "9" * 5_000 + "}\n")
    done = import_files(lab, [path], {})
    assert (done["added"], done["broken"], done["by_day"][0]["success"]) == (1, 2, 1)


def test_a_packed_csv_is_read_like_a_plain_one(lab: Lab, tmp_path: Path) -> None:
    """.gz as it is."""
    plain = csv(tmp_path, [recorded_row(0)])
    packed = tmp_path / "rows.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert import_files(lab, [packed], {})["added"] == 1
    assert import_files(lab, [plain], {})["already"] == 1


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_export_of_ours_can_be_brought_into_another_lab(lab: Lab, tmp_path: Path, format: Any) -> None:
    """Attempts, outcomes and categories are the same there; a replay counts as none."""
    rows = [judged_row(n, user_id="u1", email=f"a{n}@example.org") for n in range(30)]
    rows += [judged_row(100, idempotency_key="k"), judged_row(110, email="ann100@example.org", idempotency_key="k")]
    import_files(lab, [ndjson(tmp_path, rows)], {})
    before = lab.metrics.daily(date(2026, 11, 19), date(2026, 11, 19)).select("attempts", "success", "failed").rows()
    path = tmp_path / f"export.{format}"
    lab.metrics.export(Filter(), path, format)
    with lab.database.read() as connection:
        run_id = connection.scalar(select(leads.c.run_id).limit(1)) or ""
    withdraw(lab, run_id)
    import_files(lab, [path], {})
    after = lab.metrics.daily(date(2026, 11, 19), date(2026, 11, 19)).select("attempts", "success", "failed").rows()
    assert after == before
    assert before[0][0] == 31
    assert set(pq.read_schema(next((lab.settings.data_dir / "submissions").rglob("*.parquet"))).names) == set(SCHEMA.names)


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("email;name\na@example.org;Ann\n", [], "has no column for received_at, the time of each row"),
        ("E-mail,Created\na@example.org,2026-11-19\n", [], r"try: --map 'received_at=Created' --map 'email=E-mail'"),
        ("time,source,outcome\n2026-11-19,A,SUCCESS\n", ["page=Seite"], "has no column 'Seite' for page; it has time"),
        ("time,source\n2026-11-19,A\n", [], r"outcome \(rows are recorded\) or email \(rows are judged\)"),
        ("time,email\n2026-11-19,a@example.org\n", [], r"source \(or page with --form PATH=SOURCE\)"),
    ],
)
def test_a_table_without_a_needed_column_is_refused_with_the_remedy(
    lab: Lab, tmp_path: Path, text: str, columns: list[str], said: str
) -> None:
    """Nothing is written, and the sentence says what to map."""
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UnreadableLog, match=said):
        import_files(lab, [path], {}, columns=columns)
    assert count(lab, imported_lines) == 0


def test_a_map_that_cannot_hold_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Names that are not ours, texts that are no pair, one name twice."""
    path = csv(tmp_path, [recorded_row(0)])
    for columns, said in (
        (["colour=Red"], "is not a column of ours"), (["email"], "is not OURS=THEIRS"),
        (["email=A", "email=B"], "keep one of the two"), (["email=A", "name=A"], "given two of our names"),
    ):  # fmt: skip
        with pytest.raises(BadRequest, match=said):
            import_files(lab, [path], {}, columns=columns)
