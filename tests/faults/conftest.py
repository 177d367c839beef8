"""How often the fault tests try: few rounds by default, `--fault-rounds 200` in CI, more by hand."""

from __future__ import annotations

import random

import pytest


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A fresh seed; printed, so that a failure can be tried again with `--fault-seed`."""
    given = request.config.getoption("--fault-seed")
    chosen = given if given is not None else random.SystemRandom().randrange(2**32)
    print(f"--fault-seed {chosen}")
    return int(chosen)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--fault-rounds"))
