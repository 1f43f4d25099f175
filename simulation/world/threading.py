"""What the pack knows of threads, made of fibers: locks, futures and executors of the world's one scheduler."""

from __future__ import annotations

import threading as real
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from itertools import count
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

from .scheduler import Fiber, Owner, Scheduler

_NUMBERS = count()

P = ParamSpec("P")
T = TypeVar("T")


class Stage(Protocol):
    """Where the scheduler of the history that is being played is found."""

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler."""


class FiberLock:
    """A lock that fibers wait for; with ``reentrant``, its holder may take it again."""

    def __init__(self, stage: Stage, reentrant: bool) -> None:
        self._stage = stage
        self._reentrant = reentrant
        self._holder: Fiber | None = None
        self._depth = 0
        self._waiting: deque[Fiber] = deque()

    def another(self) -> FiberLock:
        """Return a free lock of the same kind."""
        return FiberLock(self._stage, self._reentrant)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it."""
        scheduler = self._stage.scheduler
        me = scheduler.current
        if self._reentrant and self._depth and self._holder is me:
            self._depth += 1
            return True
        while self._depth:
            if not blocking or me is None:
                return False
            self._waiting.append(me)
            if not scheduler.park(timeout if timeout >= 0 else None):
                return False
        self._holder, self._depth = me, 1
        return True

    def release(self) -> None:
        """Give it back."""
        self._depth -= 1
        while not self._depth and self._waiting:
            self._stage.scheduler.wake(self._waiting.popleft())

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return self._depth > 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class FiberEvent:
    """An event that fibers wait for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._set = False
        self._waiting: list[Fiber] = []

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._set

    def set(self) -> None:
        """Let it happen."""
        self._set = True
        waiting, self._waiting = self._waiting, []
        for fiber in waiting:
            self._stage.scheduler.wake(fiber)

    def clear(self) -> None:
        """Let it not have happened."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it, and return whether it has happened."""
        me = self._stage.scheduler.current
        if not self._set and me is not None:
            self._waiting.append(me)
            self._stage.scheduler.park(timeout)
        return self._set


class Threading:
    """Stands for the module ``threading`` in the pack's modules."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def Lock(self) -> FiberLock:
        """Return a lock."""
        return FiberLock(self._stage, reentrant=False)

    def RLock(self) -> FiberLock:
        """Return a lock that its holder may take again."""
        return FiberLock(self._stage, reentrant=True)

    def Event(self) -> FiberEvent:
        """Return an event."""
        return FiberEvent(self._stage)

    def __getattr__(self, name: str) -> Any:
        return getattr(real, name)


class FiberFuture(Future[T]):
    """A future whose result is waited for by a fiber."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        # A set of futures has no order, and a history needs one.
        self.number = next(_NUMBERS)

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result."""
        self.join(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end, and return its error."""
        self.join(timeout)
        return super().exception(0)

    def join(self, timeout: float | None) -> None:
        """Wait for the end."""
        scheduler = self._stage.scheduler
        me = scheduler.current
        if me is not None and not self.done():
            self.add_done_callback(lambda _: scheduler.wake(me))
            while not self.done() and scheduler.park(timeout):
                continue


def wait(futures: Iterable[Future[Any]], timeout: float | None = None) -> None:
    """Stands for ``concurrent.futures.wait``: wait until all have ended."""
    ours = [future for future in futures if isinstance(future, FiberFuture)]
    for future in sorted(ours, key=lambda future: future.number):
        future.join(timeout)


class FiberExecutor(Executor):
    """Runs work in fibers of the calling process, so many at a time for each process."""

    def __init__(self, stage: Stage, workers: int, name: str) -> None:
        self._stage = stage
        self._workers = workers
        self._name = name
        self._busy: dict[Owner | None, int] = {}
        self._waiting: dict[Owner | None, deque[Callable[[], None]]] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start work; in a dead process, nothing starts any more."""
        future: FiberFuture[T] = FiberFuture(self._stage)
        owner = self._stage.scheduler.owner

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = fn(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 (the future's to tell)
                    future.set_exception(error)
                else:
                    future.set_result(result)

        if owner is None or owner.alive:
            self._begin(owner, work)
        return future

    def forget(self) -> None:
        """Forget the work of processes that are gone."""
        self._busy.clear()
        self._waiting.clear()

    def _begin(self, owner: Owner | None, work: Callable[[], None]) -> None:
        if self._busy.get(owner, 0) >= self._workers:
            self._waiting.setdefault(owner, deque()).append(work)
            return
        self._busy[owner] = self._busy.get(owner, 0) + 1

        def live() -> None:
            work()
            self._busy[owner] -= 1
            if waiting := self._waiting.get(owner):
                self._begin(owner, waiting.popleft())

        self._stage.scheduler.spawn(live, owner, self._name)
