"""What a model is asked: facts as numbered lines, rules, and a schema for the answer.

The trap it avoids: a window that cuts a long prompt silently, from the front, where the instructions are. The
prompt has a budget; facts are left out on purpose, the least important first, and counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lab.report.analyst import Draft, Section, Statement
from lab.report.fact import Fact, Facts

BUDGET_TOKENS = 2_500
CHARACTERS_A_TOKEN = 3.3
"""Of English with many figures; lower than plain prose, so that the estimate errs on the long side."""
MAX_STATEMENTS = 6
MAX_CHARACTERS = 500

SYSTEM = """\
You write the daily report of a lab that records every attempt to submit a lead form, accepted or refused.
You are given numbered facts of one day. Rules:
- Use only these facts. Copy figures exactly as written, such as 1,204 or 20.0% or 38 ms or 13:53. Never compute.
- In "facts" list the ids (F1, F2, ...) of the facts each statement rests on. Put no ids into the text.
- Name sources, pages, categories and fields exactly as the facts do; name people only as U1, U2, ... or as counts.
- Describe what happened. Give no advice and claim no cause; a possible cause is told as "may".
- Plain English, short complete sentences, two to four statements a section, the most important first.
- "headline" is a single line of at most 90 characters.
- executive_summary: volume, outcome, what stands out. user_behaviour: users, concentration, duplicates.
  system_behaviour: busiest minute, bursts, answer times, what was refused where.
  misconfiguration_signals: facts that begin with "signal"; when there are none, say that none
  was found, citing the fact "attempts".
Answer with JSON of the given schema and nothing else."""


class Said(BaseModel):
    """One statement of the answer."""

    model_config = ConfigDict(extra="forbid")
    text: str
    facts: list[str] = Field(default_factory=list)

    @field_validator("text")
    @classmethod
    def _one_line(cls, text: str) -> str:
        flat = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
        if not flat or len(flat) > MAX_CHARACTERS:
            raise ValueError(f"a text has 1 to {MAX_CHARACTERS} characters, this one has {len(flat)}")
        return flat

    def statement(self) -> Statement:
        return Statement(self.text, tuple(dict.fromkeys(one.strip().strip("{}[]") for one in self.facts)))


class ModelAnswer(BaseModel):
    """The answer. Confidence and scope are not asked of a model: code knows them and a model would guess."""

    model_config = ConfigDict(extra="forbid")
    headline: Said
    executive_summary: list[Said]
    user_behaviour: list[Said]
    system_behaviour: list[Said]
    misconfiguration_signals: list[Said]

    def draft(self, own: Draft) -> Draft:
        """As a draft, with the confidence and scope notes of `own`."""
        parts = {
            "summary": self.executive_summary, "users": self.user_behaviour,
            "system": self.system_behaviour, "misconfiguration": self.misconfiguration_signals,
        }
        sections = [
            Section(key, tuple(one.statement() for one in said[:MAX_STATEMENTS])) for key, said in parts.items()
        ]
        return Draft(self.headline.statement(), (*sections, own.section("confidence"), own.section("scope")))


@dataclass(frozen=True)
class Prompt:
    """Messages ready to send. `tokens` is an estimate; `left_out` counts the facts that did not fit."""

    messages: tuple[dict[str, str], ...]
    tokens: int
    shown: tuple[str, ...]
    left_out: int

    def again(self, answer: str, error: str) -> list[dict[str, str]]:
        """The messages once more, with the answer that failed and why."""
        mend = f"That answer cannot be used: {error} Answer again with JSON of the schema and nothing else."
        said = {"role": "assistant", "content": answer[:2_000] or "(nothing)"}
        return [*self.messages, said, {"role": "user", "content": mend}]


def answer_schema() -> dict[str, Any]:
    """The JSON schema sent as `format`."""
    return ModelAnswer.model_json_schema()


def estimate_tokens(text: str) -> int:
    """A cautious guess at the tokens of a text."""
    return math.ceil(len(text) / CHARACTERS_A_TOKEN)


def build_prompt(facts: Facts, budget_tokens: int = BUDGET_TOKENS) -> Prompt:
    """The prompt of a day's facts, within the budget; at least the ten most important facts are shown."""
    head = "An open day, counted so far. Facts:\n" if facts.open else "A whole day. Facts:\n"
    room = budget_tokens - estimate_tokens(SYSTEM + head)
    lines: list[str] = []
    shown: list[str] = []
    for fact in facts.items:
        line = _line(fact)
        room -= estimate_tokens(line + "\n")
        if room < 0 and len(shown) >= 10:
            break
        lines.append(line)
        shown.append(fact.id)
    user = head + "\n".join(lines)
    messages = ({"role": "system", "content": SYSTEM}, {"role": "user", "content": user})
    return Prompt(messages, estimate_tokens(SYSTEM + user), tuple(shown), len(facts.items) - len(shown))


def _line(fact: Fact) -> str:
    return fact.line.replace(f"{fact.id} ", f"{fact.id} signal, ", 1) if fact.topic == "signals" else fact.line
