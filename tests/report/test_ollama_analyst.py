"""The Ollama analyst against a real server: a draft when all goes well, a named failure otherwise."""

import threading
from typing import Any

import pytest

from lab.errors import Cancelled, ModelFailed
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import Facts, OllamaAnalyst, build_facts, ground
from lab.report.ollama_analyst import Generation, Patience
from lab.report.rules import RuleAnalyst
from tests.fake_ollama import FakeOllama
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, bad_day

PATIENT = Patience(status_s=5.0, poll_s=0.02)
SHORT = Patience(status_s=5.0, first_token_s=0.2, between_tokens_s=0.2, poll_s=0.02)


@pytest.fixture
def facts(lab: Lab, fill: Fill, after_friday: object) -> Facts:
    fill(bad_day(FRIDAY))
    return build_facts(lab.metrics, FRIDAY, Traffic.ALL, lab.clock())


class Told:
    """A `tell` that keeps what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.details: list[dict[str, Any]] = []

    def __call__(self, stage: str | None = None, done: int = 0, total: int = 0, **detail: Any) -> None:
        if stage and stage not in self.stages:
            self.stages.append(stage)
        self.details.append(detail)


def analyst(server: FakeOllama, patience: Patience = PATIENT, **more: Any) -> OllamaAnalyst:
    return OllamaAnalyst(server.url, patience=patience, **more)


def test_a_good_answer_becomes_a_draft_whose_figures_all_check(ollama: FakeOllama, facts: Facts) -> None:
    """Every section is there; confidence and scope are code's own."""
    told = Told()
    draft, effort = analyst(ollama).write(facts, told)
    own, _ = RuleAnalyst().write(facts)
    assert ground(draft, facts, own)[1].dropped == ()
    assert draft.section("confidence") == own.section("confidence")
    assert told.stages == ["waiting", "loading", "writing"]
    assert told.details[-1]["tokens"] > 10
    assert (effort.model, effort.pick, effort.retries) == ("llama3.1:8b", "the preferred model", 0)
    assert (effort.digest or "")[:12] == "46e0c10c039e"
    assert (effort.load_ms, effort.tokens_out, effort.tokens_per_s) == (400.0, 100, 50.0)


def test_the_request_is_streamed_seeded_and_bounded_with_the_schema(ollama: FakeOllama, facts: Facts) -> None:
    """Nothing that shapes the answer is left to a server's default."""
    analyst(ollama).write(facts, Told())
    [request] = ollama.history
    assert request["stream"] is True
    assert request["format"]["additionalProperties"] is False
    assert request["options"] == {"temperature": 0.0, "seed": 7, "num_ctx": 8192, "num_predict": 1400}


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("status_500", "server_error"), ("status_500_list", "server_error"), ("status_503", "server_error"),
        ("html", "server_error"), ("error_in_stream", "server_error"), ("missing", "model_missing"),
        ("reset", "cut"), ("cut", "cut"), ("hang", "timeout"), ("hang_within", "timeout"),
        ("truncated", "truncated_prompt"), ("huge", "invalid"),
    ],
)  # fmt: skip
def test_each_failure_has_its_class_and_a_sentence_with_a_remedy(
    ollama: FakeOllama, facts: Facts, behaviour: str, kind: str
) -> None:
    """Whatever the library raised, or did not raise."""
    ollama.behave(behaviour)
    with pytest.raises(ModelFailed) as caught:
        analyst(ollama, SHORT if kind == "timeout" else PATIENT).write(facts, Told())
    assert caught.value.kind == kind
    assert len(str(caught.value)) > 20
    assert len(ollama.history) == 1


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [("invalid_json", "invalid"), ("wrong_schema", "invalid"), ("empty", "invalid"), ("length", "cut"), ("no_done", "cut")],
)  # fmt: skip
def test_an_unusable_answer_is_asked_for_once_more_with_its_error(
    ollama: FakeOllama, facts: Facts, behaviour: str, kind: str
) -> None:
    """A second good answer is taken; a second bad one is a failure."""
    ollama.behave(behaviour)
    _, effort = analyst(ollama).write(facts, Told())
    assert effort.retries == 1
    assert ollama.history[1]["messages"][-1]["content"].startswith("That answer cannot be used:")
    ollama.behave(behaviour, behaviour)
    with pytest.raises(ModelFailed) as caught:
        analyst(ollama).write(facts, Told())
    assert caught.value.kind == kind


def test_a_dripping_answer_ends_at_the_total_deadline(ollama: FakeOllama, facts: Facts) -> None:
    """Each byte restarts a read timeout; the deadline does not move."""
    ollama.behave("drip")
    patience = Patience(status_s=5.0, total_s=0.5, poll_s=0.02)
    with pytest.raises(ModelFailed, match="did not finish within") as caught:
        analyst(ollama, patience).write(facts, Told())
    assert caught.value.kind == "timeout"
    assert ollama.hung_up.wait(2)


def test_a_slow_load_is_waited_for_and_told_apart(ollama: FakeOllama, facts: Facts) -> None:
    """Loading is its own stage and its own duration."""
    ollama.behave("slow_load")
    told, done = Told(), []
    writer = threading.Thread(target=lambda: done.append(analyst(ollama).write(facts, told)))
    writer.start()
    assert ollama.asked.wait(5)
    ollama.released.set()
    writer.join(10)
    assert done[0][1].load_ms == 12_500.0
    assert told.stages == ["waiting", "loading", "writing"]


@pytest.mark.parametrize("behaviour", ["hang", "hang_within", "drip"])
def test_stopping_cuts_the_connection_at_once(ollama: FakeOllama, facts: Facts, behaviour: str) -> None:
    """Before the first word as well as within the answer; Ollama sees the caller hang up."""
    ollama.behave(behaviour)

    def tell(stage: str | None = None, *_: Any, **__: Any) -> None:
        if ollama.asked.is_set():
            raise Cancelled("Stopped as asked.")

    with pytest.raises(Cancelled):
        analyst(ollama).write(facts, tell)
    assert ollama.hung_up.wait(2)


@pytest.mark.parametrize(("model", "wanted"), [(None, "llama3.1:8b"), ("qwen2.5:7b", "qwen2.5:7b")])
def test_a_model_that_went_meanwhile_is_named_in_the_remedy(
    ollama: FakeOllama, facts: Facts, model: str | None, wanted: str
) -> None:
    """The command can be copied as it stands: the model asked for, else the preferred one."""
    ollama.models[0]["name"] = wanted
    ollama.behave("missing")
    with pytest.raises(ModelFailed, match=f"run: ollama pull {wanted}$"):
        analyst(ollama, model=model).write(facts, Told())


def test_a_model_asked_for_by_name_must_be_installed(ollama: FakeOllama, facts: Facts) -> None:
    """The sentence says how to get it, and no other model answers in its name."""
    with pytest.raises(ModelFailed, match="ollama pull mistral:7b") as caught:
        analyst(ollama, model="mistral:7b").write(facts, Told())
    assert caught.value.kind == "model_missing"
    assert ollama.history == []


def test_a_prompt_beyond_the_window_is_never_sent(ollama: FakeOllama, facts: Facts) -> None:
    """Ollama would cut it without a word."""
    with pytest.raises(ModelFailed) as caught:
        analyst(ollama, generation=Generation(num_ctx=2_048)).write(facts, Told())
    assert caught.value.kind == "truncated_prompt"
    assert ollama.history == []


def test_no_thread_is_left_behind(ollama: FakeOllama, facts: Facts) -> None:
    """The stream's reader ends with its stream, however that ended."""
    ollama.behave("hang", "good")
    with pytest.raises(ModelFailed):
        analyst(ollama, SHORT).write(facts, Told())
    analyst(ollama).write(facts, Told())
    assert not [one for one in threading.enumerate() if one.name == "ollama-stream"]
