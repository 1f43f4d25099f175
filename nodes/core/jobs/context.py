"""One run of a node: who watches it, what it works with, and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import random
from typing import TypeVar

import torch

from .. import threads
from ..api.client import Client
from ..api.rate_limit import Limit
from ..api.retry import What, delay_after
from ..errors import PackError, RateLimited
from ..http.download import Downloader
from ..media.buffers import Memory
from ..store.file_cache import Kept
from ..store.job import Order
from ..store.journal import Journal
from .progress import Progress, Stage
from .waiting import Clock, Observer, Watch

T = TypeVar("T")

WORTH_TELLING_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A request ready to be posted, and a line for each reference on how it travels."""

    body: bytes
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What is to be run. ``prepare`` is blocking and called only where a job has to be submitted.

    ``pixels_expected`` is how many its pictures are expected to have together, 0 where nothing tells.
    """

    order: Order
    images_wanted: int
    pixels_expected: int
    prepare: Callable[[], Prepared]


@dataclass(frozen=True)
class Delivery:
    """The pictures of a job: float32 ``[N,H,W,3]`` in 0..1, one batch for each size, and their hosted URLs."""

    request_id: str
    batches: list[torch.Tensor]
    urls: tuple[str, ...]
    progress: Progress


class Means:
    """What every run of an account works with. Holds no event loop: each prompt of the host has its own."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        kept: Kept,
        downloader: Downloader,
        *,
        budget: float | None = None,
        deadline: float = 1800.0,
        clock: Clock | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.kept = kept
        self.downloader = downloader
        self.budget = budget
        self.deadline = deadline
        self.clock = clock or Clock()
        self.limit = Limit()
        self.memory = Memory()


class Run:
    """Calls in threads, repeats as the retry rule says, and reports to the observer."""

    def __init__(self, means: Means, observer: Observer) -> None:
        self.means = means
        self.observer = observer
        self.begin_anew()
        self.progress = Progress(Stage.PREPARING)
        self._notes: tuple[str, ...] = ()

    def begin_anew(self) -> None:
        """Give the run its whole time again."""
        self.watch = Watch(self.observer, self.means.clock, self.means.deadline)

    async def blocking(self, function: Callable[..., T], *values: object) -> T:
        """Call a function in a thread."""
        return await self.watch.result(threads.start(function, *values))

    async def read(self, what: What, call: Callable[[], T]) -> T:
        """Make a reading call in a thread, and repeat it as the retry rule says."""
        return await self.repeat("GET", what, call)

    async def repeat(self, method: str, what: What, call: Callable[[], T]) -> T:
        """Make a call in a thread, and repeat it as the retry rule says.

        Raises:
            PackError: of the last try. Stopped, JobTimedOut.
        """
        attempt = 0
        # The files lie on another host, which knows nothing of the account.
        limit = Limit() if what is What.FILE else self.means.limit
        while True:
            await self._pause(limit.wait(self.means.clock.now(), random()), "RunComfy asks for fewer calls")
            try:
                return await self.blocking(call)
            except PackError as error:
                delay = delay_after(method, what, attempt, error, random())
                if delay is None:
                    raise
                log.info("%s is repeated in %.1f s: %s", what.value, delay, error.message)
                if isinstance(error, RateLimited):
                    limit.hold(self.means.clock.now() + delay)
                reason = error.message.rstrip(".")
            await self._pause(delay, reason)
            attempt += 1

    def note(self, sentence: str) -> None:
        """Show a sentence from now on."""
        self._notes += (sentence,)

    def report(self, **changes: object) -> None:
        """Show how far the run is."""
        self.progress = replace(self.progress, notes=self._notes, **changes)  # type: ignore[arg-type]
        self.observer.report(self.progress)

    async def _pause(self, seconds: float, reason: str) -> None:
        if seconds >= WORTH_TELLING_SECONDS:
            told = f"{reason}. The next try is in {seconds:.0f} s."
            self.observer.report(replace(self.progress, notes=(*self.progress.notes, told)))
        if seconds > 0:
            await self.watch.sleep(seconds)
