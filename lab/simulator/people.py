"""People who do not exist: names and companies from a seeded Faker pool in several locales.

Faker makes about 5,400 people a second, so a pool is built once and people are told apart by a number: the
same name may belong to many, an address to one. Every address ends in a name reserved for examples (RFC 2606),
so that no letter can ever reach a real person.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import NamedTuple

from faker import Faker

POOL = 2_000
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "ja_JP")
_CALLING = {
    "en_US": "+1 555 01",
    "en_GB": "+44 20 7946 0",
    "de_DE": "+49 30 23125 ",
    "fr_FR": "+33 1 99 00 ",
    "es_ES": "+34 600 12 ",
    "it_IT": "+39 06 555 ",
    "nl_NL": "+31 20 555 ",
    "pl_PL": "+48 22 555 ",
    "pt_BR": "+55 11 5550 ",
    "ja_JP": "+81 3 5550 ",
}
_MAIL = ("example.com", "example.net", "example.org", "mail.example")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


class Person(NamedTuple):
    """A name in its own script, the beginning of an address, and what a form asks for besides."""

    name: str
    local: str
    domain: str
    phone: str
    company: str
    message: str


def seeded(*parts: object) -> Random:
    """Randomness that depends on the parts alone, on no process and no PYTHONHASHSEED."""
    text = "\n".join(str(part) for part in parts)
    return Random(int.from_bytes(sha256(text.encode()).digest(), "big"))


@lru_cache(maxsize=4)
def pool(seed: int, size: int = POOL) -> tuple[Person, ...]:
    """The people of a seed, the same in every process; about 0.7 s the first time."""
    random = seeded("people", seed)
    makers = {}
    for locale in LOCALES:
        makers[locale] = Faker(locale)
        makers[locale].seed_instance(random.getrandbits(63))
    return tuple(_person(random, locale, makers[locale]) for locale in random.choices(LOCALES, k=size))


def _person(random: Random, locale: str, maker: Faker) -> Person:
    name, company = str(maker.name()), str(maker.company())
    firm = plain(company)
    domain = f"{firm[:40].strip('-')}.example" if firm and random.random() < 0.4 else random.choice(_MAIL)
    phone = f"{_CALLING[locale]}{random.randrange(1000, 10_000)}"
    return Person(name, plain(name).replace("-", ".") or "guest", domain, phone, company, str(maker.sentence()))


def plain(text: str) -> str:
    """Lower-case ASCII letters and digits, the rest as single hyphens; empty for a script without Latin letters."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_PLAIN.sub("-", ascii_only.lower()).strip("-")
