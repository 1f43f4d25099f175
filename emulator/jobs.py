"""One job's life as a function of time, and what it costs."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .asked import Asked
from .faults import Fault
from .plans import make_plans

Body = dict[str, Any]
Pace = float | Callable[[Body], float]
Clock = Callable[[], float]

IN_QUEUE, IN_PROGRESS, COMPLETED, FAILED, CANCELLED = "in_queue", "in_progress", "completed", "failed", "cancelled"
AHEAD_AT_FIRST = 4
NOTHING_ASKED = Asked()


@dataclass
class Gate:
    """Lets jobs pass, or holds them back."""

    held: bool = False
    opened_at: float = -math.inf


@dataclass(eq=False)
class Job:
    """One accepted job. Its state is worked out from the clock whenever somebody looks.

    Seconds throughout; `created_at` and `finished_at` are Unix times.
    """

    request_id: str
    index: int
    model_id: str
    body: Body = field(repr=False)
    asked: Asked = field(repr=False)
    queue_seconds: float
    run_seconds: float
    base_price: float
    outcome: Fault | None = field(repr=False)
    created_at: float
    _accepted: float = field(repr=False)
    _book: JobBook = field(repr=False)
    _started: float | None = field(default=None, repr=False)
    _ended: float | None = field(default=None, repr=False)
    _cancelled: bool = field(default=False, repr=False)
    costs_asked: int = field(default=0, repr=False)

    @property
    def state(self) -> str:
        """One of in_queue, in_progress, completed, failed, cancelled: now."""
        self._book.look(self)
        if self._cancelled:
            return CANCELLED
        if self._ended is not None:
            return FAILED if self.outcome and self.outcome.fails is not None else COMPLETED
        return IN_QUEUE if self._started is None else IN_PROGRESS

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def finished_at(self) -> float | None:
        """When it ended in any way; None before that."""
        self._book.look(self)
        return None if self._ended is None else self.created_at + self._ended - self._accepted

    @property
    def queue_position(self) -> int:
        """How many are ahead: from 4 down to 0 over the seconds in the queue."""
        if self.queue_seconds <= 0:
            return 0
        left = self._accepted + self.queue_seconds - self._book.clock()
        return max(0, math.floor(AHEAD_AT_FIRST * left / self.queue_seconds))

    @property
    def billed(self) -> bool:
        """Whether the work is charged: always, unless it was cancelled in the queue or failed."""
        return self.state not in (CANCELLED, FAILED)

    @property
    def cost(self) -> float:
        """Made-up USD: the base price for each output (one at least) or second of a video, double at 4K."""
        if not self.billed:
            return 0.0
        blocked = self.outcome is not None and self.outcome.blocked
        count = self.asked.count if blocked else len(make_plans(self.asked, self.outcome))
        factor = 2.0 if self.asked.size == "4K" else 1.0
        seconds = self.asked.seconds if self.asked.output == "video" else 1.0
        return round(self.base_price * max(1, count) * factor * seconds, 4)


class JobBook:
    """All jobs, in order of acceptance. Safe to use from several threads."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.queue_gate = Gate()
        self.run_gate = Gate()
        self._jobs: dict[str, Job] = {}

    def accept(
        self,
        model_id: str,
        body: Body,
        asked: Asked = NOTHING_ASKED,
        *,
        queue: Pace,
        run: Pace,
        base_price: float,
        outcome: Fault | None,
    ) -> Job:
        """Enter a new job; paces that are functions are asked now, once."""
        queue_seconds, run_seconds = (pace(body) if callable(pace) else pace for pace in (queue, run))
        with self.lock:
            job = Job(
                request_id=str(uuid.uuid4()), index=len(self._jobs), model_id=model_id, body=body, asked=asked,
                queue_seconds=queue_seconds, run_seconds=run_seconds, base_price=base_price, outcome=outcome,
                created_at=time.time(), _accepted=self.clock(), _book=self,
            )  # fmt: skip
            self._jobs[job.request_id] = job
            return job

    def all(self) -> list[Job]:
        with self.lock:
            return list(self._jobs.values())

    def find(self, request_id: str) -> Job | None:
        return self._jobs.get(request_id)

    def look(self, job: Job) -> None:
        """Move the job to where it is by now."""
        with self.lock:
            now = self.clock()
            if job._started is None and job._ended is None and not self.queue_gate.held:
                due = max(job._accepted + job.queue_seconds, self.queue_gate.opened_at)
                job._started = due if due <= now else None
            if job._started is not None and job._ended is None and not self.run_gate.held:
                due = max(job._started + job.run_seconds, self.run_gate.opened_at)
                job._ended = due if due <= now else None

    def hold(self, gate: Gate, held: bool) -> None:
        """Close or open a gate; what has passed it already stays where it is."""
        with self.lock:
            for job in self._jobs.values():
                self.look(job)
            if gate.held and not held:
                gate.opened_at = self.clock()
            gate.held = held

    def cancel(self, job: Job) -> bool:
        """Cancel the job if it is still queued; return whether it is cancelled now."""
        with self.lock:
            if job.state == IN_QUEUE:
                job._ended, job._cancelled = self.clock(), True
            return job._cancelled

    def finish(self, request_id: str) -> None:
        """End the job now, whatever holds it. Raises: KeyError for an unknown id."""
        with self.lock:
            job = self._jobs[request_id]
            self.look(job)
            if job._ended is None:
                job._ended = self.clock()
                job._started = job._ended if job._started is None else job._started


def iso_time(seconds: float | None) -> str | None:
    """Write a Unix time as the API does, in UTC with milliseconds."""
    if seconds is None:
        return None
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
