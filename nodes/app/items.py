"""The items of a list as one run of a node: a bounded number at once, one state, one receipt."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol, TypeAlias, TypeVar

from ..core.errors import Charge, PackError, step
from ..core.jobs.context import Delivery
from ..core.jobs.progress import Progress, Stage
from ..core.jobs.together import ItemState, receipt_of, together
from ..core.jobs.waiting import RunHost, Stopped

T = TypeVar("T")
Arrived: TypeAlias = Callable[[Sequence[Delivery]], None]

AT_ONCE = 10

log = logging.getLogger(__name__)


class Item(Protocol):
    """One item of a list: how a person knows it, its check, which sends nothing, and its run."""

    @property
    def told(self) -> str:
        """What a person knows it by: the start of its prompt; '' where it has none."""

    async def check(self, run_host: RunHost) -> None:
        """Raises: PackError, Stopped."""

    async def deliver(self, run_host: RunHost) -> Delivery:
        """Raises: PackError, Stopped."""


class ListRun:
    """Runs the items of a list. With ``skip``, one that fails leaves the others alone.

    Without, nothing more is submitted after a failure, and the jobs under way are waited for.
    """

    def __init__(self, items: Sequence[Item], run_host: RunHost, arrived: Arrived, *, skip: bool) -> None:
        self._run_host = run_host
        self._arrived = arrived
        self._skip = skip
        self._runs = [_ItemRun(self, item) for item in items]
        self._lock = threading.Lock()
        self._end: Stage | None = None

    async def deliver(self) -> list[Delivery]:
        """Return what the items brought, in their order; those that failed are left out.

        Raises:
            PackError: the receipt of the list, where an item failed, or with ``skip`` each. Stopped.
        """
        for run in self._runs:
            await run.check(self._run_host)
        try:
            await self._all()
        except asyncio.CancelledError:
            self._break_off()
            raise
        if self._run_host.stopped():
            self._break_off()
            raise Stopped
        deliveries = self._deliveries
        if not (self._skip and deliveries):
            self._raise_if_failed()
        self.show(Stage.DELIVERED)
        for run in self._runs:
            if run.state.error:
                run.state.error.was_told()
        return deliveries

    def stops(self, under_way: bool) -> bool:
        """Whether an item is not to go on. ``under_way``: a job stands for it already."""
        halted = not self._skip and any(run.state.error for run in self._runs)
        return self._run_host.stopped() or (halted and not under_way)

    def show(self, stage: Stage = Stage.RUNNING) -> None:
        """Show how far the list is; what became of its jobs after it was broken off, too."""
        with self._lock:
            self._run_host.report(together([run.state for run in self._runs], self._end or stage))

    def arrived(self) -> None:
        """Hand on what is there so far."""
        self._arrived(self._deliveries)

    @property
    def _deliveries(self) -> list[Delivery]:
        return [run.delivery for run in self._runs if run.delivery]

    def _raise_if_failed(self) -> None:
        if receipt := receipt_of([run.state for run in self._runs]):
            raise receipt

    def _break_off(self) -> None:
        """Raise: PackError, where an item had failed by then. What an item records as told must be told."""
        failed = any(run.state.error for run in self._runs)
        self._end = Stage.FAILED if failed else Stage.STOPPED
        self._raise_if_failed()

    async def _all(self) -> None:
        """Run every item to its end; where the host cancels this, none is left behind."""
        places = asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(run.run(places)) for run in self._runs]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        for task in tasks:
            task.result()


class _ItemRun:
    """The run of one item, and who watches it."""

    def __init__(self, of: ListRun, item: Item) -> None:
        self._of = of
        self._item = item
        self.state = ItemState(item.told)
        self.delivery: Delivery | None = None

    async def check(self, run_host: RunHost) -> None:
        """Check the item, also where another one has failed already; its error is kept.

        Raises:
            Stopped.
        """
        try:
            await self._item.check(run_host)
        except PackError as error:
            self.state.error = error

    async def run(self, places: asyncio.Semaphore) -> None:
        """Run the item once there is a place for it; its error is kept."""
        try:
            async with places:
                if not (self.state.error or self.stopped()):
                    self.delivery = await apart(self._item.deliver(self))
        except Stopped:
            return
        except (PackError, MemoryError) as error:
            self.state.error = as_receipt(error)
        if self.delivery:
            self.state.delivered = True
            log.info("%s", self.delivery.progress.text().replace("\n", "; "))
            self._of.arrived()
        self._of.show()

    def stopped(self) -> bool:
        """Whether the item is not to go on."""
        return self._of.stops(self.state.under_way)

    def report(self, progress: Progress) -> None:
        """Take in how far the item is."""
        self.state.progress = progress
        self._of.show()


def as_receipt(error: PackError | MemoryError) -> PackError:
    """Return what a person is told of an error."""
    if isinstance(error, PackError):
        return error
    return PackError("out_of_memory", charge=Charge.UNKNOWN, next=(step("free_memory"), step("run_safely")))


async def apart(work: Coroutine[None, None, T]) -> T:
    """Await ``work`` in a task of its own, so that a CancelledError tells where it comes from.

    ``asyncio.wait`` raises one only where the host cancels the caller: then both end. One that ends ``work`` by
    itself would end the host's prompt worker if it were let out.

    Raises:
        CancelledError: the host ends this node, and ``work`` had not failed by then.
        PackError: a CancelledError came from inside. Besides that, whatever ``work`` raises.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        # Nobody asks any more how it ended.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and isinstance(receipt := task.exception(), PackError):
            # It had ended when the host cancelled it. What it records as told must be told.
            raise receipt from None
        raise
    if task.cancelled():
        raise PackError("broken_off", charge=Charge.UNKNOWN, next=(step("run_safely"),))
    return task.result()
