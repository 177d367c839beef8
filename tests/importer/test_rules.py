"""Which paths are forms, and what a status means."""

from __future__ import annotations

import json

import pytest

from lab.attempt import Category, Outcome
from lab.errors import BadRequest
from lab.importer.rules import make_rules
from lab.world import World

WORLD = World.default()


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (400, "MALFORMED_REQUEST"), (401, "AUTHENTICATION_FAILED"), (403, "AUTHENTICATION_FAILED"),
        (404, "UNSPECIFIED"), (409, "DUPLICATE_LEAD"), (413, "PAYLOAD_TOO_LARGE"), (415, "MALFORMED_REQUEST"),
        (422, "VALIDATION_FAILED"), (429, "RATE_LIMIT_EXCEEDED"), (500, "INTERNAL_ERROR"), (502, "UPSTREAM_ERROR"),
        (503, "UPSTREAM_ERROR"), (504, "UPSTREAM_ERROR"), (507, "INTERNAL_ERROR"), (100, "UNSPECIFIED"),
    ],
)  # fmt: skip
def test_a_refusal_has_the_category_that_its_status_tells(status: int, category: str) -> None:
    """Where the status does not tell, it is UNSPECIFIED."""
    judged = make_rules(WORLD, {"/a": "WEBSITE_FORM"}).judge("/a", status)
    assert (judged.outcome, judged.category) == (Outcome.FAILED, Category(category))
    assert judged.reason == f"The access log records status {status}."
    assert json.loads(judged.context or "") == {"status": status}


@pytest.mark.parametrize("status", [200, 201, 204, 302, 303, 304])
def test_2xx_and_3xx_are_accepted_with_nothing_to_explain(status: int) -> None:
    """An accepted attempt has no category, reason or context."""
    assert make_rules(WORLD, {"/a": "WEBSITE_FORM"}).judge("/a", status) == (Outcome.SUCCESS, None, None, None)


def test_refused_codes_hold_for_their_path_only() -> None:
    """200 on one path may be a form shown again, on another a success."""
    rules = make_rules(WORLD, ["/a=WEBSITE_FORM", "/b=LANDING_PAGE"], ["/a=200"])
    assert rules.judge("/a", 200).category == Category.UNSPECIFIED
    assert rules.judge("/b", 200).outcome == Outcome.SUCCESS


def test_refused_codes_without_a_path_hold_for_all_and_add_up() -> None:
    """Lists, classes and repeated options all add to the 4xx and 5xx that are refused anyway."""
    rules = make_rules(WORLD, ["/a=WEBSITE_FORM", "/b=LANDING_PAGE"], ["204, 3XX", "/a=200", "/a=201"])
    codes = (200, 201, 204, 302, 422)
    assert [code for code in codes if rules.judge("/a", code).outcome == Outcome.FAILED] == [*codes]
    assert [code for code in codes if rules.judge("/b", code).outcome == Outcome.FAILED] == [204, 302, 422]


@pytest.mark.parametrize(
    ("forms", "refused", "said"),
    [
        (["/a"], [], "is not PATH=SOURCE"),
        (["/a=NOWHERE"], [], "use one of WEBSITE_FORM, LANDING_PAGE"),
        (["a=WEBSITE_FORM"], [], "from its first slash"),
        (["http://x/a=WEBSITE_FORM"], [], "from its first slash"),
        (["/a?b=c=WEBSITE_FORM"], [], "from the question mark on"),
        (["/a b=WEBSITE_FORM"], [], "from the question mark on"),
        (["/a=WEBSITE_FORM", "/a=LANDING_PAGE"], [], "keep one of the two"),
        (["/a=WEBSITE_FORM"], ["/b=200"], "names a path that no form has"),
        (["/a=WEBSITE_FORM"], ["600"], "is no status"),
        (["/a=WEBSITE_FORM"], ["/a="], "is no status"),
        (["/a=WEBSITE_FORM"], ["2x"], "is no status"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_with_the_remedy(forms: list[str], refused: list[str], said: str) -> None:
    """Nothing is guessed at; the sentence says what to write instead."""
    with pytest.raises(BadRequest, match=said) as wrong:
        make_rules(WORLD, forms, refused)
    assert str(wrong.value).endswith(".")


def test_a_path_may_hold_an_equals_sign() -> None:
    """The last one parts path and source."""
    assert make_rules(WORLD, ["/a;v=1=WEBSITE_FORM"]).forms == {"/a;v=1": "WEBSITE_FORM"}
