import uuid
from datetime import UTC, datetime, timedelta

from lab.ids import instant, microseconds, uuid7

AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def test_an_id_is_a_version_7_uuid_that_carries_its_millisecond() -> None:
    """RFC 9562: version 7, variant 10, 48 bits of Unix milliseconds."""
    made = uuid.UUID(uuid7(AT))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == microseconds(AT) // 1000


def test_ids_sort_by_the_instant_they_carry_and_never_meet() -> None:
    """Text order is time order; ten thousand of one instant are distinct."""
    assert uuid7(AT) < uuid7(AT + timedelta(milliseconds=1))
    assert len({uuid7(AT) for _ in range(10_000)}) == 10_000


def test_microseconds_and_instants_are_each_others_inverse() -> None:
    """Exactly, also before 1970."""
    for at in (AT, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)):
        assert instant(microseconds(at)) == at
