"""Filled-in forms: a person, what they send from, and where from. Every address is one reserved for examples."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from lab.attempt import Submission
from lab.simulator.people import Person
from lab.simulator.personas import is_machine
from lab.world import World

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/129.0 Mobile Safari/537.36",
)
_APPS = ("LeadApp/4.2 CFNetwork/1498 Darwin/23.6", "okhttp/4.12.0")
BACKENDS = ("python-requests/2.32", "Java/21 Apache-HttpClient/5.3", "Go-http-client/2.0")
_NO_CAMPAIGN = (None, None, None)
_CAMPAIGNS = (
    ("google", "cpc", "autumn"),
    ("newsletter", "email", "product-news"),
    ("linkedin", "social", "launch"),
    ("partner", "referral", "co-marketing"),
)


class Filled(NamedTuple):
    """A form with its sender's address and user agent."""

    form: Submission
    client: str
    agent: str


class Forms:
    """Fills in forms of a world for `identities` different people, whose names come from a pool."""

    def __init__(self, random: Random, people: Sequence[Person], world: World, identities: int) -> None:
        self.machine = {name: is_machine(name) for name in world.sources}
        self._random = random.random
        self._people = people
        self._identities = identities
        self._asked = {name: set(source.required) - {"email", "name"} for name, source in world.sources.items()}
        self._quickest_ms = {name: max(3_000, source.min_fill_ms) for name, source in world.sources.items()}

    def fill(self, source: str, page: str) -> Filled:
        """A person's filled-in form, with their address and browser."""
        random = self._random
        number = int(random() * self._identities)
        person = self._people[number % len(self._people)]
        email = f"{person.local}{number}@{person.domain}"
        asked = self._asked[source]
        chance = random()
        machine = self.machine[source]
        elapsed_ms = None if machine else self._quickest_ms[source] + int(chance * 87_000)
        utm_source, medium, campaign = _CAMPAIGNS[number & 3] if chance < 0.3 else _NO_CAMPAIGN
        company = person.company if chance < 0.5 or machine or "company" in asked else None
        form = Submission(
            source,
            page,
            email,
            person.name,
            person.phone if chance > 0.4 or "phone" in asked else None,
            company,
            person.message if chance < 0.6 or "message" in asked else None,
            True,
            f"m{number}" if source == "MOBILE_APP" else None,
            None,
            utm_source,
            medium,
            campaign,
            None,
            None,
            elapsed_ms,
        )
        client = f"198.{18 + (number >> 16 & 1)}.{number >> 8 & 255}.{number & 255}"
        return Filled(form, client, self._agent(source, number))

    def _agent(self, source: str, number: int) -> str:
        if self.machine[source]:
            return BACKENDS[number % len(BACKENDS)]
        if source == "MOBILE_APP":
            return _APPS[number % len(_APPS)]
        return _BROWSERS[number % len(_BROWSERS)]


def changed(form: Submission, field: str, value: Any) -> Submission:
    """The form with another value in one field."""
    values: list[Any] = list(form)
    values[form._fields.index(field)] = value
    return Submission(*values)
