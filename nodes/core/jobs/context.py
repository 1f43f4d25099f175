"""One run of a node: who watches it, what it works with, and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import random
from typing import Any, TypeVar

from .. import threads
from ..api.client import Client
from ..api.rate_limit import RateLimiter
from ..api.retry import Operation, delay_after
from ..errors import PackError, RateLimited
from ..http.download import Downloader
from ..media.buffers import BufferPool
from ..media.host import MediaHost
from ..store.budget import Budget
from ..store.file_cache import FileCache
from ..store.journal import Journal
from ..texts import Note, note
from .progress import Progress, Stage
from .waiting import CancellableWait, Clock, RunHost

T = TypeVar("T")

WORTH_TELLING_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """What a job brought, as its kind of ``output`` hands it on, and the hosted URLs.

    Images are float32 ``[N,H,W,3]`` in 0..1, one batch for each size; of videos and sounds there is one for each
    file. ``files`` are the whole files as they came, in the host's own folder, in order. ``missing`` is how many of
    the result could not be had: the next run of the same inputs fetches them.
    """

    request_id: str
    output: str
    batches: list[Any]
    urls: tuple[str, ...]
    progress: Progress
    missing: int = 0
    files: tuple[Path, ...] = ()


class JobDependencies:
    """What every run of an account works with. Holds no event loop: each prompt of the host has its own.

    ``account`` stands for the account's token in the journal.
    """

    def __init__(
        self,
        client: Client,
        journal: Journal,
        file_cache: FileCache,
        downloader: Downloader,
        *,
        account: str,
        budget: Budget | None = None,
        deadline: float = 1800.0,
        clock: Clock | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.file_cache = file_cache
        self.downloader = downloader
        self.account = account
        self.budget = budget
        self.deadline = deadline
        self.clock = clock or Clock()
        self.rate_limiter = RateLimiter()
        self.buffers = BufferPool()


class RunContext:
    """Calls in threads, repeats as the retry rule says, and reports to the observer.

    ``media_host`` takes the files; without one, images alone can be delivered.
    """

    def __init__(
        self, dependencies: JobDependencies, run_host: RunHost, media_host: MediaHost | None = None
    ) -> None:
        self.dependencies = dependencies
        self.run_host = run_host
        self.media_host = media_host
        self.begin_anew()
        self.progress = Progress(Stage.PREPARING)
        self._notes: tuple[Note, ...] = ()

    def begin_anew(self) -> None:
        """Give the run its whole time again."""
        self.wait = CancellableWait(self.run_host, self.dependencies.clock, self.dependencies.deadline)

    async def blocking(self, function: Callable[..., T], *values: object) -> T:
        """Call a function in a thread that may be abandoned."""
        return await self.wait.result(threads.start_abandonable(function, *values))

    async def finishing(self, function: Callable[..., T], *values: object) -> T:
        """Call a function in a thread that ends its work even where the run is stopped, or the process ends."""
        return await self.wait.result(threads.start(function, *values))

    async def read(self, what: Operation, call: Callable[[], T]) -> T:
        """Make a reading call in a thread, and repeat it as the retry rule says."""
        return await self.repeat("GET", what, call)

    async def repeat(self, method: str, what: Operation, call: Callable[[], T]) -> T:
        """Make a call in a thread, and repeat it as the retry rule says. A POST is finished even after Stop.

        Raises:
            PackError: of the last try. Stopped, JobTimedOut.
        """
        attempt = 0
        pool = threads.SUBMISSIONS if method == "POST" else threads.READS
        # The files lie on another host, which knows nothing of the account.
        rate_limiter = RateLimiter() if what is Operation.FILE else self.dependencies.rate_limiter
        while True:
            held = rate_limiter.delay(self.dependencies.clock.now(), random())
            await self._pause(held, note("note.fewer_calls"))
            try:
                return await self.wait.result(pool.start(call))
            except PackError as error:
                delay = delay_after(method, what, attempt, error, random())
                if delay is None:
                    raise
                log.info("%s is repeated in %.1f s: %s", what.value, delay, error.message)
                if isinstance(error, RateLimited):
                    rate_limiter.hold(self.dependencies.clock.now() + delay)
                cause = error.note
            await self._pause(delay, cause)
            attempt += 1

    def note(self, told: Note) -> None:
        """Show a note from now on."""
        self._notes += (told,)

    def show(self, told: Note) -> None:
        """Show a note until the next report."""
        self.run_host.report(replace(self.progress, notes=(*self.progress.notes, told)))

    def report(self, **changes: object) -> None:
        """Show how far the run is."""
        self.progress = replace(self.progress, notes=self._notes, **changes)  # type: ignore[arg-type]
        self.run_host.report(self.progress)

    async def _pause(self, seconds: float, cause: Note) -> None:
        if seconds >= WORTH_TELLING_SECONDS:
            self.show(note("note.next_try", cause=cause, seconds=round(seconds)))
        if seconds > 0:
            await self.wait.sleep(seconds)
