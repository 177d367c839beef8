"""References: which fact a figure comes from."""

from lab.report.fact import Fact, Kind
from lab.report.references import cited, marks


def fact(number: int, text: str, share: str | None = None, compare: str | None = None) -> Fact:
    return Fact(f"F{number}", f"k{number}", Kind.COUNT, "volume", "label", 0, "attempts", text, share, compare)


DAY, ATTEMPTS, RATE = fact(1, "Friday 20 November 2026"), fact(2, "850", None, "usual Friday 95"), fact(3, "41.6%")
GROUP, SPEED = fact(4, "403", "47.4% of failures"), fact(5, "106 ms", None, "usual Friday 68 ms")
GIVEN = (SPEED, GROUP)


def test_every_figure_has_a_mark_where_it_ends() -> None:
    """Values, shares and what they are held against alike."""
    text = "403 failures, 47.4% of all; 106 ms, slower than the usual 68 ms."
    assert [one.fact for one in marks(text, GIVEN)] == ["F4", "F4", "F5", "F5"]
    assert [text[: one.end] for one in marks(text, GIVEN)] == [
        "403", "403 failures, 47.4%", "403 failures, 47.4% of all; 106 ms", text.removesuffix("."),
    ]  # fmt: skip


def test_facts_are_cited_in_the_order_of_their_figures_and_idle_ones_not_at_all() -> None:
    """The order in which they were offered does not matter."""
    said = cited("41.6% of attempts failed on Friday 20 November, 850 of them.", DAY, ATTEMPTS, RATE, GROUP, None)
    assert said.facts == ("F3", "F1", "F2")


def test_a_fact_whose_value_it_is_comes_before_one_that_holds_it_beside() -> None:
    """95 attempts here are a value; the usual 95 is another fact's."""
    assert cited("It sent 95.", ATTEMPTS, fact(6, "95")).facts == ("F6",)
    assert cited("850 against a usual 95.", ATTEMPTS, fact(6, "12")).facts == ("F2",)


def test_equal_figures_of_two_facts_cite_both() -> None:
    """Five came, five were accepted."""
    assert cited("5 came, 5 were accepted.", fact(7, "5"), fact(8, "5")).facts == ("F7", "F8")


def test_words_without_a_figure_rest_on_all_that_is_given() -> None:
    """And what a nothing rests on is cited beside figures too."""
    assert cited("None failed.", ATTEMPTS, RATE).facts == ("F2", "F3")
    assert cited("It fell silent on 20 November.", DAY, on=ATTEMPTS).facts == ("F1", "F2")
