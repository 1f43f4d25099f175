"""The pack's own threads. The host's executor is not used: Stop would wait for its slowest thread."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Calls wait for the network and for coding; a job between two calls is a coroutine and holds no thread.
# What runs in CODING waits for nothing, so that calls may wait for it.
CALLS = ThreadPoolExecutor(32, "runcomfy-call")
CODING = ThreadPoolExecutor(max(2, os.cpu_count() or 2), "runcomfy-coding")


def start(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Run a blocking function in a thread, in the caller's context: the host keeps the current node there."""
    context = contextvars.copy_context()
    return CALLS.submit(lambda: context.run(function, *args, **kwargs))
