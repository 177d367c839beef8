"""The prompt: facts only, within its budget, and a schema that the answer is held to."""

import pytest
from pydantic import ValidationError

from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import Facts, RuleAnalyst, build_facts
from lab.report.prompt import BUDGET_TOKENS, ModelAnswer, answer_schema, build_prompt
from tests.report.conftest import Fill
from tests.report.states import FRIDAY, bad_day


@pytest.fixture
def facts(lab: Lab, fill: Fill, after_friday: object) -> Facts:
    fill(bad_day(FRIDAY))
    return build_facts(lab.metrics, FRIDAY, Traffic.ALL, lab.clock())


def test_the_prompt_keeps_its_budget_and_shows_the_most_important_facts(facts: Facts) -> None:
    """What does not fit is left out from the end, and counted."""
    whole, small = build_prompt(facts), build_prompt(facts, 900)
    assert whole.tokens <= BUDGET_TOKENS
    assert whole.left_out == 0
    assert small.tokens <= 900
    assert small.shown == whole.shown[: len(small.shown)]
    assert small.left_out == len(whole.shown) - len(small.shown) > 0


def test_even_a_tiny_budget_shows_ten_facts(facts: Facts) -> None:
    """Without facts there is nothing to write about."""
    assert len(build_prompt(facts, 1).shown) == 10


def test_instructions_come_first_and_facts_one_a_line(facts: Facts) -> None:
    """Each line is an id, a label, a value, and what it is held against."""
    system, user = build_prompt(facts).messages
    assert (system["role"], user["role"]) == ("system", "user")
    assert "F2 attempts: 280\n" in user["content"]
    assert "signal, failures naming the field phone from Mobile app: 60" in user["content"]


def test_the_schema_asks_for_statements_with_references_and_forbids_the_rest() -> None:
    """The same model makes the schema and validates the answer."""
    schema = answer_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(ModelAnswer.model_fields)


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_a_statement_is_a_line_of_bounded_length(text: str) -> None:
    """Empty and endless statements make the whole answer invalid."""
    said = {"text": text, "facts": []}
    with pytest.raises(ValidationError):
        ModelAnswer.model_validate({key: [said] for key in ModelAnswer.model_fields} | {"headline": said})


def test_line_breaks_and_control_marks_are_flattened(facts: Facts) -> None:
    """An answer cannot smuggle structure into a sentence."""
    said = {"text": "One\n\n# two\x07 three", "facts": ["{F2}", "F2"]}
    answer = ModelAnswer.model_validate({key: [said] for key in ModelAnswer.model_fields} | {"headline": said})
    draft = answer.draft(RuleAnalyst().write(facts)[0])
    assert draft.headline.text == "One # two three"
    assert draft.headline.facts == ("F2",)
