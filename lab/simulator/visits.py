"""What one visit sends: personas, from the person who sends a form once to the robot that sends forty.

A visit is an instant, a source and a page; it becomes one arrival or several. Nothing here knows what the gate
will say: a person who mistypes is refused because of what was typed. The trap it avoids: a simulator that
writes outcomes, and so can never find a fault in the gate.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from lab.attempt import Arrival, Category, Channel, Refusal, Stage, Submission
from lab.ids import microseconds
from lab.simulator.forms import BACKENDS, Forms, changed
from lab.simulator.people import Person
from lab.simulator.personas import BATCH, mix_of
from lab.simulator.troubles import CURRENT_KEY, STALE_KEY, UPSTREAM, Fault
from lab.world import World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_S = 1_000_000
_LATENCY_MU, _LATENCY_SIGMA = 3.5, 0.42
_MALFORMED = Refusal(Category.MALFORMED_REQUEST, Stage.PARSE, "The body could not be read as a submission.")
_ROBOTS = ("curl/8.5.0", "python-requests/2.28", "Mozilla/5.0 (compatible; FormBot/1.1)")
_MANGLED = {"phone": "undefined", "email": "[object Object]", "consent": None}
"""What a broken form sends in a field's place, as templates and scripts really do; any other arrives empty."""


class Visits:
    """Collects what visits send, unordered, in `sent` as (instant in microseconds, number, arrival)."""

    def __init__(
        self, random: Random, people: Sequence[Person], world: World, *, run_id: str, identities: int, batch: float
    ) -> None:
        self.sent: list[tuple[int, int, Arrival]] = []
        self.faults: Sequence[Fault] = ()
        self.hurry = 1.0
        self._random = random
        self._forms = Forms(random, people, world, identities)
        self._machine = self._forms.machine
        self._world = world
        self._run_id = run_id
        self._batch_size = batch
        self._number = 0
        mixes = {name: mix_of(name) for name in world.sources}
        self._personas: dict[str, tuple[list[float], list[Callable[[int, str, str], None]]]] = {
            name: (mix.cumulative, [getattr(self, f"_{persona}") for persona in mix.names])
            for name, mix in mixes.items()
        }

    def visit(self, at_us: int, source: str, page: str) -> None:
        """One visit of whoever comes to that source; a fault that strikes there decides what becomes of it."""
        for fault in self.faults:
            if fault.strikes(source, page) and self._struck(fault, at_us, source, page):
                return
        cumulative, personas = self._personas[source]
        personas[min(bisect(cumulative, self._random.random()), len(personas) - 1)](at_us, source, page)

    def one_more(self, fault: Fault, at_us: int, page: str) -> None:
        """One visit that happens only because of a flash crowd, a bot flood or a retry storm."""
        source = fault.source or next(iter(self._world.sources))
        page = fault.page or page
        before = len(self.sent)
        if fault.name == "flash_crowd":
            form, client, agent = self._forms.fill(source, page)
            self._send(at_us, form, client, agent, slow=1.0 + fault.strength / 4, fault_id=fault.fault_id)
        elif fault.name == "bot_flood":
            self._robot(at_us, source, page, fault.fault_id)
        else:
            self._storm(at_us, source, page, fault)
        self._drop_after(fault, before)

    def _struck(self, fault: Fault, at_us: int, source: str, page: str) -> bool:
        random = self._random
        if fault.name not in {"broken_field", "outage", "silent_source"}:
            return False
        at = _EPOCH + timedelta(microseconds=at_us)
        if not fault.start <= at < fault.end or random.random() >= fault.strength:
            return False
        if fault.name == "silent_source":
            return True
        form, client, agent = self._forms.fill(source, page)
        credential = CURRENT_KEY if self._machine[source] else None
        slow = 1.0
        if fault.name == "broken_field":
            form = changed(form, fault.field or "phone", _MANGLED.get(fault.field or "phone", ""))
        else:
            slow = 90.0
        before = len(self.sent)
        tries = 1 + (random.random() < 0.4) + (random.random() < 0.1)
        for _ in range(tries):
            self._send(at_us, form, client, agent, credential=credential, slow=slow, fault_id=fault.fault_id)
            at_us += self._later(8, 60)
        self._drop_after(fault, before)
        return True

    def _drop_after(self, fault: Fault, first: int) -> None:
        """What a fault caused ends with it."""
        end_us = microseconds(fault.end)
        self.sent[first:] = [one for one in self.sent[first:] if one[0] < end_us]

    def _visitor(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        refused = UPSTREAM if self._random.random() < 0.0025 else None
        self._send(at_us, form, client, agent, slow=90.0 if refused else 1.0, refused=refused)

    def _mistaken(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        random = self._random
        credential = CURRENT_KEY if self._machine[source] else None
        fields = [name for name in self._world.sources[source].required if name != "email"]
        if fields and random.random() < 0.55:
            wrong = changed(form, random.choice(fields), None)
        elif random.random() < 0.7:
            wrong = form._replace(email=form.email.replace("@", random.choice((" at ", "", "@@"))))
        else:
            wrong = form._replace(phone="call me")
        self._send(at_us, wrong, client, agent, credential=credential, slow=0.5)
        if random.random() < 0.8:
            self._send(at_us + self._later(8, 60), form, client, agent, credential=credential)

    def _double_clicker(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        self._send(at_us, form, client, agent)
        self._send(at_us + self._later(0.12, 1.4), form, client, agent)

    def _careful_client(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        random = self._random
        credential = CURRENT_KEY if self._machine[source] else None
        form = form._replace(idempotency_key=f"{random.getrandbits(64):016x}")
        self._send(at_us, form, client, agent, credential=credential)
        if random.random() < 0.08:
            form = form._replace(message="Please call in the afternoon.")
        self._send(at_us + self._later(2.5, 30), form, client, agent, credential=credential)

    def _retrier(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        self._send(at_us, form, client, agent)
        for _ in range(1 + (self._random.random() < 0.2)):
            at_us += self._later(4, 50)
            self._send(at_us, form, client, agent)

    def _returner(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        self._send(at_us, form, client, agent)
        again = form._replace(message="Is there any news on my request?")
        self._send(at_us + self._later(600, 7200), again, client, agent)

    def _impatient(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        for _ in range(self._random.randint(11, 15)):
            self._send(at_us, form, client, agent)
            at_us += self._later(0.4, 3.2)

    def _robot(self, at_us: int, source: str, page: str, fault_id: str | None = None) -> None:
        random = self._random
        client = f"203.0.113.{random.randrange(12)}" if fault_id else f"192.0.2.{random.randrange(250)}"
        agent = random.choice(_ROBOTS)
        for _ in range(random.randint(1, 7)):
            form, _, _ = self._forms.fill(source, page)
            kind = random.random()
            if kind < 0.55:
                form = form._replace(website="https://spam.example/")
            elif kind < 0.92:
                form = form._replace(elapsed_ms=random.randint(5, 300))
            self._send(at_us, form, client, agent, slow=0.4, fault_id=fault_id)
            at_us += self._later(0.2, 4)

    def _stray(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        kind = self._random.random()
        if kind < 0.45:
            self._send(at_us, form._replace(source="OLD_FORM"), client, agent, slow=0.3)
        elif kind < 0.85:
            self._send(at_us, None, client, agent, slow=0.2, refused=_MALFORMED)
        else:
            limit = self._world.limits.max_bytes
            reason = f"The body is larger than {limit:,} bytes."
            large = Refusal(Category.PAYLOAD_TOO_LARGE, Stage.SIZE, reason, {"limit_bytes": limit})
            self._send(at_us, None, client, agent, slow=0.2, refused=large, size_bytes=limit * 3)

    def _caller(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        refused = UPSTREAM if self._random.random() < 0.0025 else None
        self._send(at_us, form, client, agent, credential=CURRENT_KEY, refused=refused)

    def _stale_caller(self, at_us: int, source: str, page: str) -> None:
        form, client, agent = self._forms.fill(source, page)
        for _ in range(self._random.randint(1, 4)):
            self._send(at_us, form, client, agent, credential=STALE_KEY, slow=0.2)
            at_us += self._later(3, 40)

    def _batch(self, at_us: int, source: str, page: str) -> None:
        random = self._random
        partner = random.randrange(8)
        client, agent = f"192.0.2.{250 + partner % 5}", BACKENDS[partner % len(BACKENDS)]
        large = self._batch_size >= BATCH and random.random() < 0.03
        size = random.randint(105, 135) if large else 1 + min(int(random.expovariate(1 / self._batch_size)), 90)
        longest_gap = 0.7 if large else 1.6
        for _ in range(size):
            form, _, _ = self._forms.fill(source, page)
            self._send(at_us, form, client, agent, credential=CURRENT_KEY, slow=1.3)
            at_us += self._later(0.05, longest_gap)

    def _storm(self, at_us: int, source: str, page: str, fault: Fault) -> None:
        random = self._random
        form, _, agent = self._forms.fill(source, page)
        client = f"198.51.100.{random.randrange(3)}"
        credential = CURRENT_KEY if self._machine[source] else None
        self._send(at_us, form, client, agent, credential=credential, slow=2.0, fault_id=fault.fault_id)
        for _ in range(random.randint(12, 28)):
            at_us += self._later(0.5, 4)
            self._send(at_us, form, client, agent, credential=credential, slow=2.0, fault_id=fault.fault_id)

    def _later(self, least_s: float, most_s: float) -> int:
        """A wait in microseconds; a short burst is in a hurry."""
        return int((least_s + (most_s - least_s) * self._random.random()) * self.hurry * _S)

    def _send(
        self,
        at_us: int,
        form: Submission | None,
        client: str,
        agent: str,
        *,
        credential: str | None = None,
        slow: float = 1.0,
        refused: Refusal | None = None,
        size_bytes: int | None = None,
        fault_id: str | None = None,
    ) -> None:
        latency_ms = round(self._random.lognormvariate(_LATENCY_MU, _LATENCY_SIGMA) * slow, 1)
        self._number += 1
        arrival = Arrival(
            form,
            Channel.SIMULATOR,
            _EPOCH + timedelta(0, 0, at_us),
            client,
            agent,
            None,
            credential,
            size_bytes,
            latency_ms,
            refused,
            self._run_id,
            fault_id,
        )
        self.sent.append((at_us, self._number, arrival))
