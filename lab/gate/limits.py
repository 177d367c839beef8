"""A sliding-window limiter that is told the instant.

The trap it avoids: limiters that read the wall clock (useless for simulated and replayed time) and that keep
every key they ever saw (a robot with fresh addresses fills the memory). This one remembers at most `keys`
keys, forgetting the one unused for longest, and for each only as many instants as its limit.
"""

from __future__ import annotations

from collections import OrderedDict, deque


class SlidingWindow:
    """At most `limit` attempts a key in any `window_us` microseconds; every attempt consumes, refused ones too."""

    def __init__(self, limit: int, window_us: int = 60_000_000, keys: int = 50_000) -> None:
        self.limit = limit
        self.window_us = window_us
        self._keys = keys
        self._instants: OrderedDict[str, deque[int]] = OrderedDict()

    def consume(self, key: str, at_us: int) -> bool:
        """Count one attempt at that instant; True while the key is within its limit."""
        instants = self._instants.get(key)
        if instants is None:
            instants = self._instants[key] = deque(maxlen=max(self.limit, 1))
            if len(self._instants) > self._keys:
                self._instants.popitem(last=False)
        else:
            self._instants.move_to_end(key)
        within = self.limit > 0 and (len(instants) < self.limit or at_us - instants[0] >= self.window_us)
        instants.append(at_us)
        return within

    def give_back(self, key: str, at_us: int) -> None:
        """Take back one attempt that was counted at that instant and then not stored."""
        instants = self._instants.get(key)
        if instants is not None and at_us in instants:
            instants.remove(at_us)

    def __len__(self) -> int:
        return len(self._instants)
