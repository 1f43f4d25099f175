"""What the catalogue tells of the models now: each entry asked for by one call at a time, whoever wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from functools import cached_property

from ...core import threads
from ...core.api.responses import parse_price
from ...core.errors import Failure, PackError
from ...core.money import Price
from ...core.schema.document import JSON
from ...core.schema.live.structure import Structure, read_structure

GOOD_SECONDS = 600.0
# A price that could not be read is asked for again soon: a budget needs it.
NOT_KNOWN_SECONDS = 5.0
# A catalogue that is slow holds up no run, and a person for a while only.
WAIT_SECONDS = 5.0
PERSON_WAITS_SECONDS = 20.0


@dataclass(frozen=True)
class LiveEntry:
    """The entry of a model as the catalogue writes it; {} where it could not be read, and ``failure`` says why."""

    entry: Mapping[str, JSON] = field(default_factory=dict)
    failure: Failure | None = None

    @cached_property
    def price(self) -> Price | None:
        """The base price; None where it is not told."""
        return parse_price(self.entry)

    @cached_property
    def structure(self) -> Structure | None:
        """The structure of its input schema; None where there is none that can be read."""
        return read_structure(self.entry.get("input_schema"))


class LiveEntries:
    """Entries, at most ten minutes old. ``ask`` gets one by a model's id. Thread-safe."""

    def __init__(self, ask: Callable[[str], Mapping[str, JSON]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: dict[str, Future[LiveEntry]] = {}
        self._asked_at: dict[str, float] = {}
        self._good_until: dict[str, float] = {}
        self._pools: dict[str, threads.Abandonable] = {}

    def for_run(self, model_id: str) -> Future[LiveEntry]:
        """Return the entry of a model, as soon as it is told: at once, however much the page is asking for."""
        return self._asked(model_id, threads.ENTRIES)

    def in_time(self, model_id: str, seconds: float | None = None) -> LiveEntry:
        """Return the entry of a model for a run; {} where it is not told in so many seconds. Blocking.

        Without ``seconds``, in five since it was asked for.
        """
        answer = self.for_run(model_id)
        left = self._asked_at[model_id] + WAIT_SECONDS - time.monotonic() if seconds is None else seconds
        return _told(answer, left) or LiveEntry()

    def told(self, model_ids: Iterable[str]) -> dict[str, LiveEntry]:
        """Return the entries of models; together they are waited for twenty seconds at most. Blocking."""
        answers = {model_id: self._asked(model_id, threads.PRICES) for model_id in model_ids}
        ends = time.monotonic() + PERSON_WAITS_SECONDS
        late = LiveEntry(failure=PackError("answer_late").failure)
        return {model_id: _told(answer, ends - time.monotonic()) or late for model_id, answer in answers.items()}

    def forget(self, model_id: str) -> None:
        """Ask for an entry anew the next time."""
        with self._lock:
            self._good_until[model_id] = 0.0

    def _asked(self, model_id: str, pool: threads.Abandonable) -> Future[LiveEntry]:
        with self._lock:
            answer = self._answers.get(model_id)
            if answer is None or self._is_old(model_id, answer) or self._is_behind(model_id, answer, pool):
                self._asked_at[model_id], self._pools[model_id] = time.monotonic(), pool
                answer = self._answers[model_id] = pool.start(self._look_up, model_id)
            return answer

    def _is_old(self, model_id: str, answer: Future[LiveEntry]) -> bool:
        return answer.done() and time.monotonic() >= self._good_until.get(model_id, 0.0)

    def _is_behind(self, model_id: str, answer: Future[LiveEntry], pool: threads.Abandonable) -> bool:
        """Whether a run would wait for a call that waits for a thread of the page."""
        waits = not answer.done() and not answer.running()
        return waits and pool is threads.ENTRIES and self._pools[model_id] is not pool

    def _look_up(self, model_id: str) -> LiveEntry:
        with self._lock:
            newest = self._answers[model_id]
        if newest.done():
            # A run has overtaken this call.
            return newest.result()
        try:
            found = LiveEntry(self._ask(model_id))
        except PackError as error:
            found = LiveEntry(failure=error.failure)
        good = NOT_KNOWN_SECONDS if found.price is None else GOOD_SECONDS
        self._good_until[model_id] = time.monotonic() + good
        return found


def _told(answer: Future[LiveEntry], seconds: float) -> LiveEntry | None:
    try:
        return answer.result(max(0.0, seconds))
    except TooLate:
        return None
