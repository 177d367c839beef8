"""The gate: may this become a lead?

In reading order: `limits` (a window that is told the instant), `screen` (the stages that need no database),
`floods` (many like refusals, one row), `settlement` (duplicate and store, inside the transaction), `rows`
(from decision to stored row), `gate` (the way through).
"""

from lab.gate.gate import Gate, allow
from lab.gate.screen import Check

__all__ = ["Check", "Gate", "allow"]
