from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from lab.attempt import UNKNOWN, Arrival, Category, Channel, DuplicateKind, Kind, Outcome, Refusal, Stage
from lab.database import idempotency, leads, payloads
from lab.errors import StorageFailed


def count(log, table) -> int:
    with log.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def stored(log) -> list[dict]:
    rows: list[dict] = []
    for day in log.view().days:
        for file in day.files:
            import pyarrow.parquet as pq

            rows += pq.read_table(file).to_pylist()
        rows += day.journal.to_pylist() if day.journal is not None else []
    return sorted(rows, key=lambda row: row["seq"])


def test_an_accepted_submission_is_an_attempt_and_a_lead(gate, log, arrive) -> None:
    """The verdict names both, and both are stored when it is given."""
    (verdict,) = gate.admit([arrive()])
    assert verdict.outcome is Outcome.SUCCESS
    (row,) = stored(log)
    assert (row["attempt_id"], row["lead_id"]) == (verdict.attempt_id, verdict.lead_id)
    assert count(log, leads) == 1


@pytest.mark.parametrize(
    ("sent", "category", "stage"),
    [
        ({"arrival": {"size_bytes": 300_000}}, Category.PAYLOAD_TOO_LARGE, Stage.SIZE),
        ({"source": "EVIL"}, Category.UNKNOWN_SOURCE, Stage.SOURCE),
        ({"website": "http://spam"}, Category.SPAM_SUSPECTED, Stage.SPAM),
        ({"elapsed_ms": 20}, Category.SPAM_SUSPECTED, Stage.SPAM),
        ({"name": " "}, Category.VALIDATION_FAILED, Stage.VALIDATION),
        ({"email": "nobody"}, Category.VALIDATION_FAILED, Stage.VALIDATION),
        ({"email": ""}, Category.VALIDATION_FAILED, Stage.VALIDATION),
        ({"phone": "call me"}, Category.VALIDATION_FAILED, Stage.VALIDATION),
        ({"message": "x" * 5_001}, Category.VALIDATION_FAILED, Stage.VALIDATION),
        ({"fields": {str(n): "" for n in range(51)}}, Category.VALIDATION_FAILED, Stage.VALIDATION),
    ],
)
def test_each_refusal_is_a_row_typed_by_category_and_stage(gate, log, arrive, sent, category, stage) -> None:
    """No attempt is dropped silently, and none of these becomes a lead."""
    (verdict,) = gate.admit([arrive(**sent)])
    assert (verdict.outcome, verdict.category, verdict.stage) == (Outcome.FAILED, category, stage)
    (row,) = stored(log)
    assert (row["failure_category"], row["failure_stage"]) == (category, stage)
    assert 0 < len(row["failure_reason"]) <= 200
    assert count(log, leads) == 0


def test_a_body_that_could_not_be_read_is_a_row_too(gate, log) -> None:
    """It has no source, page or user; the channel's own refusal is kept."""
    early = Refusal(Category.MALFORMED_REQUEST, Stage.PARSE, "The body is not JSON.")
    gate.admit([Arrival(None, Channel.API, refused=early, client="10.0.0.1")])
    (row,) = stored(log)
    assert (row["source"], row["page"], row["user_id"]) == (UNKNOWN, UNKNOWN, None)
    assert row["failure_reason"] == "The body is not JSON."


def test_the_first_refusal_wins_in_the_order_of_the_stages(make_gate, arrive) -> None:
    """Size before source before credentials before spam before validation."""
    key = Refusal(Category.AUTHENTICATION_FAILED, Stage.CREDENTIALS, "The key has expired.")
    gate = make_gate(credentials=lambda arrival, at: key)
    wrong = {"source": "EVIL", "website": "x", "email": "", "arrival": {"size_bytes": 300_000}}
    found = []
    for mended in ({}, {"arrival": {}}, {"source": "PARTNER_API"}):
        wrong |= mended
        found.append(gate.admit([arrive(**wrong)])[0].stage)
    assert found == [Stage.SIZE, Stage.SOURCE, Stage.CREDENTIALS]


def test_a_strangers_text_is_never_stored_in_the_log(gate, log, arrive) -> None:
    """Not as source, page, reason, context, user agent or utm; names and e-mails only in leads and payloads."""
    text = "<img src=x onerror=alert(1)>"
    gate.admit(
        [
            arrive(
                source=text, page=f"/demo?{text}", email=f"{text}@x.org", name=text, user_id=text, utm_source=text,
                idempotency_key=text, arrival={"user_agent": text, "client": text},
            ),
            arrive(2, page=f"/{text}", name=text),
        ]
    )  # fmt: skip
    for row in stored(log):
        assert "onerror" not in str(row)
    assert {row["page"] for row in stored(log)} == {"/demo", UNKNOWN}


@pytest.mark.parametrize(
    ("after_s", "changed", "kind"),
    [
        (1, {}, DuplicateKind.DOUBLE_CLICK),
        (60, {}, DuplicateKind.CLIENT_RETRY),
        (60, {"message": "again"}, DuplicateKind.TRUE_DUPLICATE),
    ],
)
def test_a_second_submission_of_a_person_is_a_duplicate_of_a_kind(gate, log, arrive, after_s, changed, kind) -> None:
    """Same payload within 2 s, same payload later, another payload."""
    gate.admit([arrive()])
    (verdict,) = gate.admit([arrive(after_s=after_s, **changed)])
    assert (verdict.category, verdict.duplicate_kind) == (Category.DUPLICATE_LEAD, kind)
    assert count(log, leads) == 1


def test_after_a_day_or_from_another_source_the_same_person_is_no_duplicate(gate, log, arrive) -> None:
    """The window is 24 hours and one source; refused attempts do not count as leads."""
    gate.admit([arrive(name="")])
    assert gate.admit([arrive()])[0].outcome is Outcome.SUCCESS
    assert gate.admit([arrive(source="LANDING_PAGE")])[0].outcome is Outcome.SUCCESS
    assert gate.admit([arrive(after_s=86_400)])[0].outcome is Outcome.SUCCESS
    assert count(log, leads) == 3


def test_one_batch_is_judged_in_order(gate, arrive) -> None:
    """Three copies in one batch: one lead, two duplicates."""
    verdicts = gate.admit([arrive(), arrive(), arrive(2), arrive()])
    assert [one.outcome for one in verdicts] == [Outcome.SUCCESS, Outcome.FAILED, Outcome.SUCCESS, Outcome.FAILED]


def test_simultaneous_copies_become_one_lead(make_gate, log, arrive) -> None:
    """Two gates and eight threads over one database: the check is repeated in the transaction."""
    gates = [make_gate(), make_gate()]
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: gates[n % 2].admit([arrive()])[0], range(8)))
    assert sum(one.outcome is Outcome.SUCCESS for one in verdicts) == 1
    assert count(log, leads) == 1


def test_a_replayed_key_gives_the_first_answer_and_no_second_lead(gate, log, arrive) -> None:
    """It is kept as a replay row outside attempts, counted as a client retry."""
    first, second = (gate.admit([arrive(idempotency_key="k", after_s=s)])[0] for s in (0, 30))
    assert second.kind is Kind.REPLAY
    assert (second.lead_id, second.outcome) == (first.lead_id, Outcome.SUCCESS)
    assert second.duplicate_kind is DuplicateKind.CLIENT_RETRY
    assert [row["kind"] for row in stored(log)] == ["attempt", "replay"]
    assert count(log, leads) == 1


def test_a_key_with_another_payload_is_refused(gate, arrive) -> None:
    """A key stands for one payload for 24 hours; then it is free again."""
    gate.admit([arrive(idempotency_key="k")])
    reused = gate.admit([arrive(2, after_s=5, idempotency_key="k")])[0]
    assert reused.category is Category.IDEMPOTENCY_KEY_REUSED
    assert gate.admit([arrive(3, after_s=86_400, idempotency_key="k")])[0].outcome is Outcome.SUCCESS


def test_a_key_may_try_again_after_a_refusal_that_is_not_kept(gate, log, arrive) -> None:
    """422 and 5xx leave the key free; the answer to spam is kept."""
    gate.admit([arrive(idempotency_key="k", name="")])
    assert count(log, idempotency) == 0
    assert gate.admit([arrive(idempotency_key="k", after_s=1)])[0].outcome is Outcome.SUCCESS
    gate.admit([arrive(2, idempotency_key="s", website="x")])
    replay = gate.admit([arrive(2, idempotency_key="s", website="x", after_s=9)])[0]
    assert (replay.kind, replay.category) == (Kind.REPLAY, Category.SPAM_SUSPECTED)


def test_an_eleventh_attempt_in_a_minute_exceeds_the_users_limit(gate, arrive) -> None:
    """Every attempt consumes, refused ones too; a minute later there is room."""
    verdicts = gate.admit([arrive(after_s=n, message=str(n)) for n in range(11)])
    assert verdicts[-1].category is Category.RATE_LIMIT_EXCEEDED
    assert verdicts[-1].context == {"limit": 10, "window_s": 60, "scope": "user"}
    assert gate.admit([arrive(after_s=70, message="x")])[0].category is Category.DUPLICATE_LEAD


def test_many_people_behind_one_client_exceed_the_clients_limit(gate, arrive) -> None:
    """The 101st of a shared address is refused by the client's limit, and the row says so."""
    office = {"client": "192.0.2.7"}
    verdicts = gate.admit([arrive(n, after_s=n / 10, arrival=office) for n in range(101)])
    assert [one.outcome for one in verdicts[:100]] == [Outcome.SUCCESS] * 100
    assert verdicts[100].context == {"limit": 100, "window_s": 60, "scope": "client"}


def test_the_twelfth_and_later_like_refusals_of_a_second_become_one_row_with_a_count(gate, log, arrive, clock) -> None:
    """Ten rows apart, then one row that stands for the rest, written at the second's end."""
    flood = [Arrival(None, Channel.API, at=clock(), client="192.0.2.7") for _ in range(50)]
    verdicts = gate.admit(flood)
    assert {one.category for one in verdicts} == {Category.MALFORMED_REQUEST}
    assert len(stored(log)) == 10
    gate.tick(clock() + timedelta(seconds=1))
    rows = stored(log)
    assert len(rows) == 11
    assert sum(row["repeat_count"] for row in rows) == 50
    assert verdicts[-1].attempt_id == rows[-1]["attempt_id"]


def test_floods_of_another_client_source_category_or_second_stay_apart(gate, log, clock) -> None:
    """Only like refusals are put together."""
    for client, after in (("a", 0), ("b", 0), ("a", 1)):
        at = clock() + timedelta(seconds=after)
        gate.admit([Arrival(None, Channel.API, at=at, client=client) for _ in range(10)])
    gate.close()
    assert [row["repeat_count"] for row in stored(log)] == [1] * 30


def test_a_flood_of_replays_is_coalesced_with_its_exact_count(gate, log, arrive) -> None:
    """In one batch and one by one: the sum of repeat_count is what came."""
    gate.admit([arrive(idempotency_key="k")] * 9)
    for _ in range(3):
        gate.admit([arrive(idempotency_key="k", after_s=61)] * 2)
    for round_s in range(1, 4):
        gate.admit([arrive(idempotency_key="k", after_s=61 * (1 + round_s))] * 9)
    gate.close()
    replays = [row for row in stored(log) if row["kind"] == "replay"]
    assert sum(row["repeat_count"] for row in replays) == 8 + 6 + 27


def test_closing_the_gate_writes_what_is_held(gate, log, clock) -> None:
    """A clean stop loses no count."""
    gate.admit([Arrival(None, Channel.API, at=clock(), client="x") for _ in range(30)])
    gate.close()
    gate.close()
    assert sum(row["repeat_count"] for row in stored(log)) == 30


def test_a_runs_gate_writes_segments_of_its_own_with_the_rows_time_and_no_payloads(make_gate, log, arrive) -> None:
    """Backfilled rows belong to the run in the catalog and never pass through the journal."""
    gate = make_gate(run_id="r1")
    gate.admit([arrive(n, after_s=-86_400 + n) for n in range(5)] + [arrive(9, after_s=-80_000, name="")])
    (day,) = log.view().days
    assert day.journal is None
    assert day.day.isoformat() == "2026-11-19"
    assert {one.run_id for one in log.view().segments} == {"r1"}
    assert count(log, payloads) == 0


def test_a_run_and_live_traffic_at_the_same_time_make_no_lead_twice(make_gate, log, arrive) -> None:
    """A bulk append that was overtaken looks again instead of trusting what it saw."""
    live, run = make_gate(), make_gate(run_id="r1")
    people = [arrive(n) for n in range(300)]
    with ThreadPoolExecutor(2) as pool:
        bulk = pool.submit(run.admit, people)
        single = [live.admit([one])[0] for one in people[::3]]
        both = bulk.result()
    accepted = sum(one.outcome is Outcome.SUCCESS for one in (*both, *single))
    assert accepted == count(log, leads) == 300


def test_warming_consumes_the_limits_and_stores_nothing(make_gate, log, arrive) -> None:
    """A resumed run judges the rest as if it had never been interrupted."""
    gate = make_gate(run_id="r1")
    gate.warm([arrive(after_s=n, message=str(n)) for n in range(10)])
    assert log.view().rows == 0
    assert gate.admit([arrive(after_s=10, message="x")])[0].category is Category.RATE_LIMIT_EXCEEDED


def test_the_stores_refusal_comes_last_and_leaves_no_lead(make_gate, log, arrive) -> None:
    """An outage behind the gate is UPSTREAM_ERROR at stage store, and only for what would have been accepted."""
    down = Refusal(Category.UPSTREAM_ERROR, Stage.STORE, "The lead store did not answer.")
    gate = make_gate(store=lambda arrival, at: down)
    assert [one.category for one in gate.admit([arrive(), arrive(2, name="")])] == [
        Category.UPSTREAM_ERROR,
        Category.VALIDATION_FAILED,
    ]
    assert count(log, leads) == 0


def test_what_refused_live_submissions_said_is_kept_for_erasure_and_recheck(make_gate, log, arrive) -> None:
    """Beside the log, under the attempt's id; not at all when payloads are not kept."""
    make_gate(keep_payloads=False).admit([arrive(name="")])
    assert count(log, payloads) == 0
    make_gate().admit([arrive(name="")])
    assert count(log, payloads) == 1


def test_a_flood_that_could_not_be_written_is_held_until_it_can(gate, log, clock, monkeypatch) -> None:
    """The disk refuses at the second's end: the exact count is written once it recovers."""
    gate.admit([Arrival(None, Channel.API, at=clock(), client="x") for _ in range(50)])
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", _refuse)
        with pytest.raises(StorageFailed):
            gate.tick(clock() + timedelta(seconds=1))
    gate.tick(clock() + timedelta(seconds=1))
    assert sum(row["repeat_count"] for row in stored(log)) == 50


def test_a_refused_batch_leaves_no_trace_and_its_retry_counts_once(gate, log, clock, arrive, monkeypatch) -> None:
    """Neither in the floods nor in the limits."""
    flood = [Arrival(None, Channel.API, at=clock(), client="x") for _ in range(50)]
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", _refuse)
        for _ in range(12):
            with pytest.raises(StorageFailed):
                gate.admit([*flood, arrive()])
    verdicts = gate.admit([*flood, arrive()])
    gate.close()
    assert verdicts[-1].outcome is Outcome.SUCCESS
    assert sum(row["repeat_count"] for row in stored(log)) == 51


def _refuse(*_: object) -> None:
    raise StorageFailed("full")


@pytest.mark.parametrize("field", ["email", "name", "phone", "company", "message", "user_id", "utm_source", "page"])
def test_half_a_character_costs_nobody_else_their_verdict(gate, log, arrive, field) -> None:
    """A lone surrogate, as broken clients send, in any field: the batch is stored and read back."""
    verdicts = gate.admit([arrive(1), arrive(2, **{field: "a\ud800b@x.org"}), arrive(3)])
    assert [verdicts[0].outcome, verdicts[2].outcome] == [Outcome.SUCCESS] * 2
    assert len(stored(log)) == 3


def test_a_trace_id_is_a_token_or_nothing(gate, log, arrive) -> None:
    """It comes from a stranger's header."""
    gate.admit([arrive(1, arrival={"trace_id": "4bf92f35-77b3"}), arrive(2, arrival={"trace_id": "<img src=x>" * 9})])
    assert [row["trace_id"] for row in stored(log)] == ["4bf92f35-77b3", None]


def test_an_instant_no_calendar_reaches_is_not_kept(gate, log, arrive) -> None:
    """What a client claims may be nonsense; the row must still be readable."""
    far = [datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)]  # noqa: DTZ001
    gate.admit([arrive(n, occurred_at=at) for n, at in enumerate(far)])
    assert [row["occurred_at"] for row in stored(log)] == [None, None, datetime(2026, 1, 1, tzinfo=UTC)]


def test_live_traffic_does_not_starve_a_bulk_append(make_gate, log, arrive, monkeypatch) -> None:
    """Somebody else's rows before every commit are no reason to look again, unless they are the same people's."""
    live, run = make_gate(), make_gate(run_id="r1")
    real, written = log.append_table, []

    def meanwhile(stream, table, **rest):
        live.admit([arrive(1_000 + len(written))])
        written.append(table.num_rows)
        return real(stream, table, **rest)

    monkeypatch.setattr(log, "append_table", meanwhile)
    run.admit([arrive(n) for n in range(20)])
    assert written == [20]


def test_copies_that_commit_in_another_order_than_they_came_are_one_lead(gate, log, arrive) -> None:
    """Two processes are not in step: the copy that commits second may carry the earlier instant."""
    gate.admit([arrive(1, after_s=0.5), arrive(2, after_s=0.5, idempotency_key="k")])
    late, replay = gate.admit([arrive(1), arrive(2, idempotency_key="k")])
    assert (late.category, replay.kind) == (Category.DUPLICATE_LEAD, Kind.REPLAY)
    assert count(log, leads) == 2
