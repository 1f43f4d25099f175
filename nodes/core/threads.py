"""The pack's own threads. The host's executor is not used: Stop would wait for its slowest thread."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ParamSpec, TypeVar

from .errors import PackError

P = ParamSpec("P")
T = TypeVar("T")

# Calls wait for the network and for coding; a job between two calls is a coroutine and holds no thread.
# What runs in CODING waits for nothing, so that calls may wait for it.
CALLS = ThreadPoolExecutor(32, "runcomfy-call")
CODING = ThreadPoolExecutor(max(2, os.cpu_count() or 2), "runcomfy-coding")

_under_way: set[Future[Any]] = set()


def start(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Run a blocking function in a thread, in the caller's context: the host keeps the current node there.

    An error of the pack leaves the thread alone: those it was made from can hold headers and raw bodies.
    """
    context = contextvars.copy_context()

    def call() -> T:
        try:
            return context.run(function, *args, **kwargs)
        except PackError as error:
            error.__cause__ = error.__context__ = None
            raise

    future = CALLS.submit(call)
    _under_way.add(future)
    future.add_done_callback(_under_way.discard)
    return future


def wait_for_all() -> None:
    """Wait for everything that was started, and for what a stopped run has left behind."""
    while futures := list(_under_way):
        wait(futures)
