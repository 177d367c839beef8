import stat
from pathlib import Path

import pytest

from lab.errors import DataFolderError
from lab.pseudonyms import Pseudonyms, read_or_make_key


def test_the_same_text_is_another_pseudonym_in_another_meaning_and_under_another_key() -> None:
    """A user cannot be matched with a client, nor one lab's log with another's."""
    ours, theirs = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)
    assert ours.user("x") == ours.user("x")
    assert ours.user("x")[2:] != ours.client("x")[2:]
    assert ours.email("x") != ours.key("x")
    assert ours.user("x") != theirs.user("x")


def test_two_payloads_cut_differently_are_two_payloads() -> None:
    """Parts carry their length, so moving a character across a boundary changes the hash."""
    made = Pseudonyms(b"a" * 32)
    assert len({made.payload(parts) for parts in (["ab", "c"], ["a", "bc"], ["abc"], ["a\0", "bc"], ["", "abc"])}) == 5


def test_the_key_is_made_once_readable_by_its_owner_only(tmp_path: Path) -> None:
    """The second reader finds the first one's key."""
    file = tmp_path / "hash.key"
    key = read_or_make_key(file)
    assert read_or_make_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_key_of_the_wrong_length_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A cut key would silently make everybody a new person."""
    file = tmp_path / "hash.key"
    file.write_bytes(b"short")
    with pytest.raises(DataFolderError, match="restore it from a backup"):
        read_or_make_key(file)
