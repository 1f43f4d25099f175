"""An asyncio event loop in a fiber: its waiting is the scheduler's, its time the world's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from .scheduler import Dying, Fiber, Scheduler

T = TypeVar("T")


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without sockets. What blocks it, blocks its fiber alone, as a thread of its own would be."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._selector = self
        self._selecting: Fiber | None = None
        self._signalled = False

    def time(self) -> float:
        """Return the world's seconds."""
        return self._scheduler.now

    def select(self, timeout: float | None) -> list[object]:
        """Wait for a timer, or for another fiber's call."""
        if timeout == 0 or self._signalled:
            self._scheduler.pause()
        else:
            self._selecting = self._scheduler.current
            self._scheduler.park(timeout)
            self._selecting = None
        self._signalled = False
        return []

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call from another fiber."""
        handle = self.call_soon(callback, *args, context=context)
        self._signalled = True
        if self._selecting is not None:
            self._scheduler.wake(self._selecting)
        return handle

    def _process_events(self, _events: list[object]) -> None:
        """There are none."""


def run(scheduler: Scheduler, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, as ``asyncio.run`` does: what it leaves behind is cancelled."""
    loop = VirtualLoop(scheduler)
    try:
        return _run(loop, main)
    except Dying:
        _abandon(loop)
        raise
    finally:
        loop.close()


def _run(loop: VirtualLoop, main: Coroutine[Any, Any, T]) -> T:
    try:
        return loop.run_until_complete(main)
    finally:
        _cancel_leftovers(loop)


def _cancel_leftovers(loop: VirtualLoop) -> None:
    # In the order in which they were made: the set has none.
    left = sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name()))
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Let the tasks of a dead process's loop end where they are, unheard."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine = task.get_coro()
        try:
            coroutine.close()
        except RuntimeError:
            # It waits in a finally: the process is dead, and so is that.
            continue
