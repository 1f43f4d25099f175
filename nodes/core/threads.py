"""The pack's own threads. The host's executor is not used: Stop would wait for its slowest thread.

There are two kinds of call. What must not be lost (a submission, a cancel, a record in the journal) is finished:
closing and the end of the process wait for it. What can be done again (a poll, a download, coding) may be
abandoned: only its caller waits for it. Within each kind, what may hang has threads of its own, so that a new run
never waits behind the hanging cancels of the one before, nor behind slow answers to the page.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from .errors import PackError

P = ParamSpec("P")
T = TypeVar("T")

THREADS_OF_A_KIND = 32


class DaemonPool(Executor):
    """Up to ``size`` daemon threads, started when they are needed.

    The end of the process waits for the threads of a ``ThreadPoolExecutor``, and not for these.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._lock = threading.Lock()

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function as soon as a thread is idle."""
        future: Future[T] = Future()
        self._calls.put(partial(_fulfil, future, partial(function, *args, **kwargs)))
        if not self._idle.acquire(blocking=False):
            self._add_thread()
        return future

    def _add_thread(self) -> None:
        with self._lock:
            if self._started == self._size:
                return
            self._started += 1
            name = f"{self._name}_{self._started}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            call()
            # An idle thread must not hold the images of its last call.
            del call
            self._idle.release()


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 (the caller gets it)
        future.set_exception(error)
        # The error knows this frame, and would be kept alive by it.
        del future


_unfinished: set[Future[Any]] = set()


class Abandonable:
    """Threads for what can be done again: where its caller has gone, nothing waits for it."""

    def __init__(self, name: str, size: int = THREADS_OF_A_KIND) -> None:
        self._pool: Executor = DaemonPool(size, f"runcomfy-{name}")

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a blocking function in a thread, in the caller's context: the host keeps the current node there.

        An error of the pack leaves the thread without the errors it was made from: those can hold headers and raw
        bodies.
        """
        context = contextvars.copy_context()

        def call() -> T:
            try:
                return context.run(function, *args, **kwargs)
            except PackError as error:
                error.__cause__ = error.__context__ = None
                raise

        return self._pool.submit(call)


class Finished(Abandonable):
    """Threads for what must not be lost: closing and the end of the process wait for it."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(THREADS_OF_A_KIND, f"runcomfy-{name}")

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a blocking function in a thread, as the other kind does, and keep the process until it has ended."""
        future = super().start(function, *args, **kwargs)
        _unfinished.add(future)
        future.add_done_callback(_unfinished.discard)
        return future


# Calls wait for the network and the disk; a job between two calls is a coroutine and holds no thread.
RECORDS = Finished("records")
SUBMISSIONS = Finished("submissions")
CANCELS = Finished("cancels")
READS = Abandonable("reads")
PAGE = Abandonable("page")
# What the page asks of the catalogue, a few at once, and what a run asks, which waits behind none of that.
PRICES = Abandonable("prices", 4)
ENTRIES = Abandonable("entries")
# What runs in CODING waits for nothing, so that calls may wait for it.
CODING = DaemonPool(max(2, os.cpu_count() or 2), "runcomfy-coding")

start = RECORDS.start
start_abandonable = READS.start


def finish() -> None:
    """Wait for everything that must not be lost, also for what a stopped run has left behind."""
    while futures := list(_unfinished):
        wait(futures)
