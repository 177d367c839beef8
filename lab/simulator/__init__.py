"""A seeded world: people, seasons, personas and troubles, sent through the gate like anybody else.

In reading order: `plan` (what is asked for), `troubles` (what goes wrong, where and when), `people`, `seasons`,
`personas`, `forms`, `visits` (what one visit
sends), `stream` (the sequence, a pure function of scenario, seed and start), `ledger`
(what was done, and the ground truth), `run` (backfill of past days) and `burst` (now).
"""

from lab.simulator.burst import burst
from lab.simulator.plan import DEMO, SCENARIOS, Plan, checked, scenario
from lab.simulator.run import backfill
from lab.simulator.stream import expected_curve, run_id_of, submissions
from lab.simulator.troubles import TROUBLES, Trouble

__all__ = [
    "DEMO",
    "SCENARIOS",
    "TROUBLES",
    "Plan",
    "Trouble",
    "backfill",
    "burst",
    "checked",
    "expected_curve",
    "run_id_of",
    "scenario",
    "submissions",
]
