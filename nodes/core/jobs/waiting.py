"""Awaits threads and time while looking for Stop and for the job's deadline."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from ..errors import JobTimedOut
from .progress import Progress

T = TypeVar("T")

LOOK_SECONDS = 0.1
REPORT_SECONDS = 1.0


class Stopped(Exception):
    """A person asked for Stop. It is not an error; the host's own interrupt takes its place."""


class RunHost(Protocol):
    """Who watches a run: it hears the progress, from any thread, and knows whether Stop was asked for."""

    def stopped(self) -> bool:
        """Whether Stop was asked for; asking does not consume it."""

    def report(self, progress: Progress) -> None:
        """Show the progress."""


class Clock:
    """Monotonic seconds and sleep; tests put their own in its place."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class CancellableWait:
    """The waiting of one run. Everything it awaits ends within a tenth of a second of Stop."""

    def __init__(self, run_host: RunHost, clock: Clock, deadline: float) -> None:
        self.run_host = run_host
        self.clock = clock
        self._ends = clock.now() + deadline

    def check(self) -> None:
        """Raises: Stopped, JobTimedOut."""
        if self.run_host.stopped():
            raise Stopped
        if self.clock.now() > self._ends:
            raise JobTimedOut("job_takes_too_long")

    async def sleep(self, seconds: float, tick: Callable[[], None] | None = None) -> None:
        """Sleep, and call ``tick`` about once a second.

        Raises:
            Stopped, JobTimedOut.
        """
        ends = self.clock.now() + seconds
        next_tick = self.clock.now() + REPORT_SECONDS
        self.check()
        while (left := ends - self.clock.now()) > 0:
            await self.clock.sleep(min(left, LOOK_SECONDS))
            self.check()
            if tick is not None and self.clock.now() >= next_tick:
                next_tick += REPORT_SECONDS
                tick()

    async def result(self, future: Future[T]) -> T:
        """Return the result of a thread. The thread is left to itself on Stop and on the deadline.

        Raises:
            Stopped, JobTimedOut, and whatever the thread raises.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def wake(_: Future[T]) -> None:
            # The thread may outlive the prompt, and with it the loop.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(finish)

        future.add_done_callback(wake)
        while not future.done():
            self.check()
            await asyncio.wait({done}, timeout=LOOK_SECONDS)
        return future.result()
