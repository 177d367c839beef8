from hypothesis import given
from hypothesis import strategies as st

from lab.gate.limits import SlidingWindow

SECOND = 1_000_000


@given(st.lists(st.integers(0, 200), min_size=1, max_size=80), st.integers(1, 12))
def test_an_attempt_is_within_when_fewer_than_the_limit_lie_in_the_minute_before(gaps: list[int], limit: int) -> None:
    """The window slides: compared with a count by hand at every instant, refused attempts included."""
    window, at, seen = SlidingWindow(limit), 0, []
    for gap in gaps:
        at += gap * SECOND // 10
        by_hand = sum(1 for one in seen if at - one < 60 * SECOND) < limit
        assert window.consume("a", at) == by_hand
        seen.append(at)


def test_keys_have_limits_of_their_own() -> None:
    """One user's storm does not refuse another."""
    window = SlidingWindow(1)
    assert window.consume("a", 0)
    assert not window.consume("a", 1)
    assert window.consume("b", 1)


def test_memory_is_bounded_and_the_oldest_key_is_forgotten() -> None:
    """A robot with a new address each time cannot fill it."""
    window = SlidingWindow(1, keys=100)
    for index in range(1_000):
        window.consume(str(index), index)
    assert len(window) == 100
    assert not window.consume("999", 1_000)
    assert window.consume("0", 1_000)


def test_a_limit_of_zero_lets_nothing_in() -> None:
    """Zero means none, not unlimited."""
    assert not SlidingWindow(0).consume("a", 0)
