"""The live base prices of the models: each asked for by one call at a time, whoever wants to know it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from ..core import threads
from ..core.errors import PackError
from ..core.money import Price

GOOD_SECONDS = 600.0
# A price that could not be read is asked for again soon: a budget needs it.
NOT_KNOWN_SECONDS = 5.0


class Prices:
    """Base prices, at most ten minutes old. ``ask`` gets one by a model's id. Thread-safe."""

    def __init__(self, ask: Callable[[str], Price | None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: dict[str, Future[Price | None]] = {}
        self._good_until: dict[str, float] = {}

    def of(self, model_id: str) -> Future[Price | None]:
        """Return the price of a model, as soon as it is told; None where it is not."""
        with self._lock:
            answer = self._answers.get(model_id)
            if answer is None or (answer.done() and time.monotonic() >= self._good_until[model_id]):
                answer = self._answers[model_id] = threads.PRICES.start(self._look_up, model_id)
            return answer

    def _look_up(self, model_id: str) -> Price | None:
        try:
            price = self._ask(model_id)
        except PackError:
            price = None
        self._good_until[model_id] = time.monotonic() + (NOT_KNOWN_SECONDS if price is None else GOOD_SECONDS)
        return price
