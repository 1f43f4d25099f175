"""Two kinds of threads: what must not be lost is finished, what can be done again is waited for by nobody."""

from __future__ import annotations

import contextvars
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from support import ROOT

from nodes.core import threads
from nodes.core.errors import PackError
from nodes.core.threads import THREADS_OF_A_KIND, DaemonPool

Start = Callable[..., Future[Any]]
BOTH = pytest.mark.parametrize("start", [threads.start, threads.start_abandonable], ids=["finished", "abandonable"])


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What calls hang at until the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_what_must_not_be_lost_is_waited_for_also_what_it_starts(gate: threading.Event) -> None:
    done: list[str] = []

    def last() -> None:
        time.sleep(0.1)
        done.append("last")

    def first() -> None:
        gate.wait()
        threads.start(last)
        done.append("first")

    threads.start(first)
    threading.Timer(0.1, gate.set).start()
    threads.finish()
    assert done == ["first", "last"]


def test_nothing_waits_for_or_behind_what_can_be_done_again(gate: threading.Event) -> None:
    hanging = [threads.start_abandonable(gate.wait) for _ in range(THREADS_OF_A_KIND + 8)]
    assert threads.start(lambda: "cancelled").result(10) == "cancelled"
    threads.finish()
    assert not any(future.done() for future in hanging)
    gate.set()
    assert all(future.result(10) for future in hanging), "those that found no thread come later"


def test_what_may_hang_has_threads_of_its_own(gate: threading.Event) -> None:
    """A new run claims, submits and polls at once, whatever hangs that a run before it left behind."""
    pools = (
        threads.CANCELS,
        threads.SUBMISSIONS,
        threads.READS,
        threads.PAGE,
        threads.PRICES,
        threads.ENTRIES,
        threads.RECORDS,
    )
    hanging: list[Future[Any]] = []
    for pool in pools:
        assert pool.start(lambda: "at once").result(10) == "at once"
        hanging += [pool.start(gate.wait) for _ in range(THREADS_OF_A_KIND + 8)]
    gate.set()
    assert all(future.result(10) for future in hanging)
    threads.finish()


AT_THE_END = """
import threading, time
from nodes.core import threads

def record():
    time.sleep(0.3)
    print("recorded", flush=True)

running = threading.Event()

def download():
    running.set()
    time.sleep(600)

for call in (threads.start_abandonable, threads.CODING.submit):
    running.clear()
    call(download)
    running.wait()
threads.start(record)
"""


def test_the_end_of_the_process_waits_for_a_record_and_not_for_a_download() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", AT_THE_END], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "recorded\n", "")


@BOTH
def test_a_call_runs_in_the_context_of_its_caller(start: Start) -> None:
    node = contextvars.ContextVar("node", default="")
    node.set("7")
    assert start(node.get).result(10) == "7"


@BOTH
def test_an_error_of_the_pack_leaves_without_what_it_was_made_from(start: Start) -> None:
    def fail() -> None:
        try:
            raise ValueError("Authorization: Bearer token")
        except ValueError as cause:
            raise PackError("The answer cannot be read.") from cause

    error = start(fail).exception(10)
    assert isinstance(error, PackError)
    assert error.__cause__ is None and error.__context__ is None


# The pool of daemon threads


def test_an_idle_thread_is_used_again() -> None:
    pool = DaemonPool(20, "reused")
    seen = set()
    for _ in range(20):
        seen.add(pool.submit(threading.get_ident).result(10))
        # A thread says that it is idle just after its result.
        time.sleep(0.01)
    assert len(seen) < 20


def test_a_pool_has_as_many_threads_as_it_needs_up_to_its_size() -> None:
    pool = DaemonPool(3, "bounded")
    barrier = threading.Barrier(3)
    for future in [pool.submit(barrier.wait, 10) for _ in range(30)]:
        future.result(10)
    assert {pool.submit(len, "abc").result(10) for _ in range(100)} == {3}
    assert sum(thread.name.startswith("bounded_") for thread in threading.enumerate()) == 3


def test_a_pool_keeps_the_order_and_raises_what_was_raised() -> None:
    pool = DaemonPool(2, "test")
    assert list(pool.map(lambda number: number * 2, range(50))) == list(range(0, 100, 2))
    error = ValueError("no")

    def fail() -> None:
        raise error

    assert pool.submit(fail).exception(10) is error


def test_a_call_that_is_cancelled_in_time_is_not_made(gate: threading.Event) -> None:
    pool = DaemonPool(1, "test")
    made: list[int] = []
    pool.submit(gate.wait)
    waiting = pool.submit(made.append, 1)
    assert waiting.cancel()
    gate.set()
    assert pool.submit(lambda: "next").result(10) == "next"
    assert made == []


@pytest.mark.parametrize("fails", [False, True])
def test_an_idle_thread_holds_nothing_of_its_last_call(fails: bool) -> None:
    class Image:
        pass

    def use(_: Image) -> None:
        if fails:
            raise ValueError("no")

    pool = DaemonPool(1, "test")
    image = Image()
    alive = weakref.ref(image)
    gc.disable()
    try:
        future = pool.submit(use, image)
        future.exception(10)
        del image, future
        ends = time.monotonic() + 10
        while alive() is not None and time.monotonic() < ends:
            time.sleep(0.01)
        assert alive() is None
    finally:
        gc.enable()
