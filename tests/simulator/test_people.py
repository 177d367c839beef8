"""People who do not exist."""

from __future__ import annotations

from lab.simulator.people import LOCALES, pool


def test_a_seed_always_gives_the_same_people() -> None:
    """Names belong to the seed; another seed has others."""
    assert pool(3, 40) == pool.__wrapped__(3, 40)
    assert pool(3, 40) != pool(4, 40)


def test_no_address_can_reach_a_real_person() -> None:
    """Every domain is one that RFC 2606 keeps for examples."""
    for person in pool(42):
        assert person.domain.endswith((".example", "example.com", "example.net", "example.org"))
        assert person.local.isascii()
        assert person.local


def test_people_come_from_several_locales() -> None:
    """Numbers begin with each country's code, and some names are not Latin."""
    people = pool(42)
    assert len({person.phone[:4] for person in people}) >= len(LOCALES) - 1
    assert any(not person.name.isascii() for person in people)
    assert len({person.name for person in people}) > len(people) * 0.8
