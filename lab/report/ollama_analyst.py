"""The analyst that asks a local model through Ollama, and classifies everything that can go wrong on the way.

The trap it avoids: the client library's faith. It has no timeout, its read timeout restarts with each byte, a
stream that ends early raises nothing, and a long prompt is cut without a word. Here the stream is read by a thread
of its own while this one watches the time to the first token, the time between tokens, a total deadline and the
user's wish to stop; whichever comes first cuts the connection, which frees Ollama.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from ollama import ChatResponse, Client, ResponseError
from pydantic import ValidationError

from lab.errors import Cancelled, ModelFailed
from lab.report.analyst import Draft, Effort, Tell
from lab.report.fact import Facts
from lab.report.ollama_status import Installed, ollama_status, pick
from lab.report.prompt import ModelAnswer, Prompt, answer_schema, build_prompt
from lab.report.rules import RuleAnalyst
from lab.report.wire import Wire

MAX_ANSWER_CHARACTERS = 60_000
NANOSECONDS_A_MS = 1e6
_ENDED = object()


@dataclass(frozen=True)
class Patience:
    """How long each part of writing may take, in seconds. `first_token_s` includes loading the model."""

    status_s: float = 1.0
    connect_s: float = 2.0
    first_token_s: float = 240.0
    between_tokens_s: float = 45.0
    total_s: float = 600.0
    poll_s: float = 0.25


@dataclass(frozen=True)
class Generation:
    """How the model is run. The window must hold the prompt, a failed answer, and a second one."""

    num_ctx: int = 8_192
    num_predict: int = 1_400
    seed: int = 7

    def options(self) -> dict[str, Any]:
        return {
            "temperature": 0.0, "seed": self.seed, "num_ctx": self.num_ctx, "num_predict": self.num_predict,
        }


@dataclass
class _Spoken:
    """One answer as it arrives."""

    text: str = ""
    last: ChatResponse | None = None
    pieces: int = 0
    first_token_ms: float | None = None


class OllamaAnalyst:
    """Writes with `model` if given, else with whatever `pick` finds among the installed ones."""

    name = "ollama"

    def __init__(
        self, host: str, model: str | None = None, preferred: str = "llama3.1:8b", patience: Patience | None = None,
        generation: Generation | None = None,
    ) -> None:
        self.host = host
        self.model = model
        self.preferred = preferred
        self.patience = patience or Patience()
        self.generation = generation or Generation()

    def write(self, facts: Facts, tell: Tell) -> tuple[Draft, Effort]:
        """The model's draft, unchecked but of the right shape; ModelFailed says which way it failed."""
        started = time.monotonic()
        tell("waiting")
        chosen, why = self._choose()
        prompt = build_prompt(facts)
        if prompt.tokens + self.generation.num_predict > self.generation.num_ctx:
            raise ModelFailed(
                "truncated_prompt", f"The facts need about {prompt.tokens} tokens, more than the model's window holds "
                "beside its answer; the day was written by rules.",
            )
        effort = Effort(
            model=chosen.name, digest=chosen.digest, pick=why, tokens_estimated=prompt.tokens,
            facts_left_out=prompt.left_out,
        )
        deadline = started + self.patience.total_s
        messages: list[dict[str, str]] = list(prompt.messages)
        tell("waiting" if chosen.loaded else "loading", model=chosen.name)
        for attempt in (0, 1):
            spoken = self._ask(chosen.name, messages, deadline, tell)
            effort = _with(effort, spoken, attempt, started)
            try:
                self._require_whole(spoken, prompt, attempt)
                answer = ModelAnswer.model_validate_json(spoken.text)
            except (ValidationError, ModelFailed) as error:
                if isinstance(error, ModelFailed) and error.kind not in {"invalid", "cut"}:
                    raise
                if attempt:
                    raise _invalid(chosen.name, error) from error
                messages = prompt.again(spoken.text, _reason(error))
                continue
            return answer.draft(RuleAnalyst().write(facts)[0]), effort
        raise AssertionError("the second round returns or raises")

    def _choose(self) -> tuple[Installed, str]:
        status = ollama_status(self.host, self.preferred, self.patience.status_s)
        if status.kind is not None:
            raise ModelFailed(status.kind, status.sentence)
        found = pick(status.models, self.model or self.preferred)
        if found is None or (self.model and found[1] != "the preferred model"):
            names = ", ".join(one.name for one in status.models)
            raise ModelFailed(
                "model_missing", f"{self.model} is not installed in Ollama; run: ollama pull {self.model} "
                f"(installed: {names}).",
            )
        return found

    def _ask(self, model: str, messages: list[dict[str, str]], deadline: float, tell: Tell) -> _Spoken:
        """One streamed answer, however it ends; ModelFailed or Cancelled when it is cut short from this side."""
        wire, patience = Wire(), self.patience
        arrived: queue.SimpleQueue[object] = queue.SimpleQueue()
        client = Client(
            host=self.host, **wire.options(self.host, patience.connect_s, max(1.0, patience.total_s))
        )
        asked = _Request(client, model, messages, self.generation.options())
        reader = threading.Thread(target=_read, args=(asked, arrived), name="ollama-stream", daemon=True)
        reader.start()
        try:
            return self._listen(arrived, deadline, tell)
        finally:
            wire.cut()
            reader.join(timeout=2.0)
            client.close()  # type: ignore[no-untyped-call] # the library leaves its return type out

    def _listen(self, arrived: queue.SimpleQueue[object], deadline: float, tell: Tell) -> _Spoken:
        spoken, patience = _Spoken(), self.patience
        asked_at = heard_at = time.monotonic()
        while True:
            now = time.monotonic()
            quiet_s = patience.between_tokens_s if spoken.pieces else patience.first_token_s
            limit = min(deadline, heard_at + quiet_s)
            if now >= limit:
                raise _too_slow(spoken, now >= deadline, patience)
            try:
                item = arrived.get(timeout=max(0.001, min(patience.poll_s, limit - now)))
            except queue.Empty:
                _told(tell, spoken, asked_at)
                continue
            if item is _ENDED:
                return spoken
            if isinstance(item, BaseException):
                raise _classified(item, self.host, self.model or self.preferred) from item
            if not isinstance(item, ChatResponse):
                continue
            heard_at = time.monotonic()
            spoken.last = item
            if item.message.content:
                spoken.pieces += 1
                spoken.text += item.message.content
                if spoken.first_token_ms is None:
                    spoken.first_token_ms = 1_000 * (heard_at - asked_at)
                _told(tell, spoken, asked_at)
            if len(spoken.text) > MAX_ANSWER_CHARACTERS:
                raise ModelFailed("invalid", "The model's answer ran far beyond a report's length; try another model.")

    def _require_whole(self, spoken: _Spoken, prompt: Prompt, attempt: int) -> None:
        last = spoken.last
        if last is None or not last.done:
            raise ModelFailed("cut", "The model's answer broke off before its end; write the report again.")
        if last.done_reason != "stop":
            raise ModelFailed("cut", "The answer reached its length limit before it was complete; be shorter.")
        seen = last.prompt_eval_count or 0
        lost = 0.1 * prompt.tokens <= seen < 0.5 * prompt.tokens
        if attempt == 0 and (lost or seen >= self.generation.num_ctx):
            raise ModelFailed(
                "truncated_prompt", f"The model read {seen} tokens of a prompt of about {prompt.tokens}, so facts or "
                "rules were cut; choose a model with a larger window.",
            )


@dataclass(frozen=True)
class _Request:
    client: Client
    model: str
    messages: list[dict[str, str]]
    options: dict[str, Any] = field(default_factory=dict)

    def stream(self) -> Iterator[ChatResponse]:
        return self.client.chat(
            model=self.model, messages=self.messages, stream=True, format=answer_schema(), options=self.options
        )


def _read(asked: _Request, arrived: queue.SimpleQueue[object]) -> None:
    """Runs in the reader's thread: every piece, then `_ENDED` or the exception."""
    try:
        for piece in asked.stream():
            arrived.put(piece)
    except Exception as error:
        arrived.put(error)
    else:
        arrived.put(_ENDED)


def _told(tell: Tell, spoken: _Spoken, asked_at: float) -> None:
    """Say how far the answer is; `tell` raises when the user asked to stop."""
    if not spoken.pieces:
        tell()
        return
    since_first = time.monotonic() - asked_at - (spoken.first_token_ms or 0) / 1_000
    rate = round(spoken.pieces / since_first, 1) if since_first > 0.2 else None
    tell("writing", tokens=spoken.pieces, tokens_per_s=rate)


def _classified(error: BaseException, host: str, wanted: str) -> Exception:
    """The class of failure of whatever the client library raised; `wanted` is the model to get when there is none."""
    if isinstance(error, Cancelled | ModelFailed):
        return error
    if isinstance(error, ResponseError):
        if error.status_code == 404:
            return ModelFailed("model_missing", f"Ollama at {host} does not have the model; run: ollama pull {wanted}")
        told = f"status {error.status_code}" if error.status_code > 0 else "an error within its stream"
        return ModelFailed("server_error", f"Ollama at {host} answered with {told}; see its own log.")
    if isinstance(error, ConnectionError | httpx.ConnectError | httpx.ConnectTimeout):
        return ModelFailed("unreachable", f"No Ollama answers at {host}; start it with: ollama serve")
    if isinstance(error, httpx.TimeoutException):
        return ModelFailed("timeout", f"Ollama at {host} did not answer in time; try a smaller model.")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return ModelFailed("cut", "The connection to Ollama broke off within the answer; write the report again.")
    if isinstance(error, json.JSONDecodeError | ValidationError | AttributeError | TypeError):
        return ModelFailed("server_error", f"What answers at {host} does not speak as Ollama does; check the address.")
    if isinstance(error, httpx.HTTPError):
        return ModelFailed("server_error", f"Ollama at {host} could not be used ({type(error).__name__}); see its log.")
    return error if isinstance(error, Exception) else ModelFailed("server_error", str(error))


def _too_slow(spoken: _Spoken, total: bool, patience: Patience) -> ModelFailed:
    if total:
        what = f"did not finish within {patience.total_s:g} s"
    elif spoken.pieces:
        what = f"fell silent for {patience.between_tokens_s:g} s within its answer"
    else:
        what = f"gave no first word within {patience.first_token_s:g} s"
    return ModelFailed("timeout", f"The model {what}; try a smaller model.")


def _invalid(model: str, error: Exception) -> ModelFailed:
    if isinstance(error, ModelFailed):
        return error
    return ModelFailed("invalid", f"{model} gave no usable answer twice ({_reason(error)}); try another model.")


def _reason(error: Exception) -> str:
    """What was wrong, without the answer's own words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) if isinstance(part, int) else part[:40] for part in first["loc"])
        message = "it is not JSON" if first["type"] == "json_invalid" else f"{place or 'it'} is wrong ({first['type']})"
        return f"{message}."
    return str(error)


def _with(effort: Effort, spoken: _Spoken, attempt: int, started: float) -> Effort:
    last = spoken.last
    out = last.eval_count if last else None
    spent = (last.eval_duration or 0) / 1e9 if last else 0
    return replace(
        effort,
        tokens_in=last.prompt_eval_count if last else None,
        tokens_out=(effort.tokens_out or 0) + out if out is not None else effort.tokens_out,
        tokens_per_s=round(out / spent, 1) if out and spent else effort.tokens_per_s,
        load_ms=effort.load_ms if attempt else ((last.load_duration or 0) / NANOSECONDS_A_MS if last else None),
        first_token_ms=effort.first_token_ms if attempt else spoken.first_token_ms,
        total_ms=round(1_000 * (time.monotonic() - started), 1),
        retries=attempt,
    )
