"""Pseudonyms: keyed hashes that stand for people, clients and keys in the log.

The trap it avoids: an unkeyed hash of an e-mail or an IPv4 address is undone by trying them all. The key is a
file in the data folder; who has both the log and the key can still link a known person, so pseudonyms remain
personal data.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from lab.errors import DataFolderError


class Pseudonyms:
    """Keyed BLAKE2b, one domain a meaning, so that the same text as user and as client cannot be matched."""

    def __init__(self, key: bytes) -> None:
        self._user = blake2b(key=key, digest_size=8, person=b"user")
        self._client = blake2b(key=key, digest_size=8, person=b"client")
        self._email = blake2b(key=key, digest_size=16, person=b"email")
        self._key = blake2b(key=key, digest_size=16, person=b"idempotency")
        self._payload = blake2b(key=key, digest_size=16, person=b"payload")
        self._line = blake2b(key=key, digest_size=16, person=b"line")

    def user(self, text: str) -> str:
        """u_ and 16 hexadecimal digits, for a user id or, where there is none, an e-mail."""
        return f"u_{_digest(self._user, text)}"

    def client(self, address: str) -> str:
        """c_ and 16 hexadecimal digits, for a client address."""
        return f"c_{_digest(self._client, address)}"

    def email(self, normalised: str) -> str:
        """32 hexadecimal digits, for a normalised e-mail address; erased together with the lead."""
        return _digest(self._email, normalised)

    def key(self, text: str) -> str:
        """32 hexadecimal digits, for an idempotency key."""
        return _digest(self._key, text)

    def payload(self, parts: Iterable[str]) -> str:
        """32 hexadecimal digits, for a submission's content; parts carry their length, so none can pose as two."""
        return _digest(self._payload, "".join(f"{len(part)}:{part}" for part in parts))

    def line(self, line: bytes) -> bytes:
        """16 bytes, for a line of an imported file; it holds an address, so the hash is keyed too."""
        copy = self._line.copy()
        copy.update(line)
        return copy.digest()


def _digest(keyed: blake2b, text: str) -> str:
    copy = keyed.copy()
    copy.update(text.encode("utf-8", "surrogatepass"))
    return copy.hexdigest()


def read_or_make_key(path: Path) -> bytes:
    """The lab's 32-byte key; made on first use, readable by its owner only."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, key)
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(temporary, path)
            _sync(path.parent)
        except FileExistsError:
            key = path.read_bytes()
        finally:
            temporary.unlink()
    except OSError as error:
        raise DataFolderError(f"{path.name} cannot be read ({error.strerror}); restore it from a backup.") from error
    if len(key) != 32:
        raise DataFolderError(f"{path.name} holds {len(key)} bytes instead of 32; restore it from a backup.")
    return key


def _sync(folder: Path) -> None:
    """Make the new name durable; Windows cannot open folders."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
