"""The rate limit of an account, shared by all of its jobs: when one is told to wait, all wait."""

from __future__ import annotations

import threading

SPREAD = 0.5


class RateLimiter:
    """When the next call may be made, in a clock's seconds. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opens = 0.0

    def hold(self, until: float) -> None:
        """Make no call before ``until``; a later time that is known already stays."""
        with self._lock:
            self._opens = max(self._opens, until)

    def delay(self, now: float, random: float) -> float:
        """Return the seconds until the next call; ``random`` in 0..1 spreads the calls that waited together."""
        with self._lock:
            left = self._opens - now
        return left * (1 + SPREAD * random) if left > 0 else 0.0
