"""What may come out of a run: a receipt, or what the host itself has asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from ..core.errors import Charge, PackError, step

T = TypeVar("T")


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
