"""What one run left behind, or the page asks for, does not delay the next run, nor stand the event loop still."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from hurry import limit, service
from support import TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner

from emulator import Emulator, Fault
from nodes.core import threads
from nodes.core.threads import THREADS_OF_A_KIND

AT_ONCE = 2.0
"""Seconds; nothing is waited for, and the rest is room for a busy machine."""
MANY = THREADS_OF_A_KIND + 8


async def stopped_in_the_queue(runner: Runner, count: int) -> None:
    """Start jobs, and press Stop once they are all in the queue."""
    runs = [
        asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt=f"job {number}", resolution="0.5K"))
        for number in range(count)
    ]
    while len([job for job in runner.jobs() if job.state == "submitted"]) < count:
        await asyncio.sleep(0.05)
    runner.host.stop_now = True
    ends: list[Any] = await asyncio.gather(*runs, return_exceptions=True)
    assert [type(end) for end in ends] == [Interrupted] * count


def test_a_run_does_not_wait_for_hanging_cancels(runner: Runner, api: Emulator) -> None:
    api.hold = True
    api.fault(Fault("cancel", times=None, hang=4.0))
    asyncio.run(stopped_in_the_queue(runner, MANY))
    api.hold = False
    runner.host = RecordingHost()
    began = time.monotonic()
    runner.text_to_image("the next one", resolution="0.5K")
    assert time.monotonic() - began < AT_ONCE
    threads.finish()


def test_a_claim_does_not_wait_for_hanging_submissions(runner: Runner, api: Emulator) -> None:
    service()
    limit(4.0)
    api.fault(Fault("submit", times=MANY, hang=9.0))

    async def run() -> float:
        runs = [
            asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt=f"job {number}", resolution="0.5K"))
            for number in range(MANY)
        ]
        while api.count("submit") < THREADS_OF_A_KIND:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        await asyncio.wait_for(asyncio.wrap_future(threads.start(service().journal.recent)), 10)
        took = time.monotonic() - began
        runner.host.stop_now = True
        await asyncio.gather(*runs, return_exceptions=True)
        return took

    assert asyncio.run(run()) < AT_ONCE
    threads.finish()
