"""What one run left behind, or the page asks for, does not delay the next run, nor stand the event loop still."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hurry import limit, service
from support import PRO_EDIT, TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner, image

from emulator import Emulator, Fault
from nodes.app.account import prices_view
from nodes.core import threads
from nodes.core.errors import SubmissionUnknown
from nodes.core.jobs.waiting import LOOK_SECONDS
from nodes.core.store.engines import sqlite
from nodes.core.store.journal import FILE_NAME
from nodes.core.threads import THREADS_OF_A_KIND

AT_ONCE = 2.0
"""Seconds; nothing is waited for, and the rest is room for a busy machine."""
MANY = THREADS_OF_A_KIND + 8


@contextmanager
def locked_journal(runner: Runner) -> Iterator[None]:
    """Let another program hold the journal's file."""
    with closing(sqlite3.connect(runner.state / FILE_NAME, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


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


def test_a_locked_journal_does_not_hold_the_loop_while_lost_answers_are_told(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.8)
    service()
    limit(1.0)
    api.fault(Fault("submit", times=4, hang_after=9.0))
    gaps = [0.0]

    async def beat() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    async def run() -> list[object]:
        heart = asyncio.create_task(beat())
        runs = [
            asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt=f"job {number}", resolution="0.5K"))
            for number in range(4)
        ]
        while api.count("submit") < 4:
            await asyncio.sleep(0.01)
        with locked_journal(runner):
            ends: list[object] = await asyncio.gather(*runs, return_exceptions=True)
        heart.cancel()
        return ends

    assert [type(end) for end in asyncio.run(run())] == [SubmissionUnknown] * 4
    assert max(gaps) < 0.6, "Stop is noticed meanwhile"
    threads.finish()
    assert [job.state for job in runner.jobs()] == ["unknown"] * 4
    assert "recorded as soon as" in caplog.text and "nothing is spent" not in caplog.text


def test_slow_prices_delay_no_run_but_those_that_need_them(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "100")
    runner.text_to_image("so that its price is known", resolution="0.5K")
    api.fault(Fault("catalog", times=None, hang=4.0))

    async def run() -> float:
        runs = [
            asyncio.create_task(runner.start(PRO_EDIT, prompt=f"{number}", image_1=image()))
            for number in range(MANY)
        ]
        while api.count("catalog") < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await runner.start(TEXT_TO_IMAGE, RecordingHost(), prompt="another one", resolution="0.5K")
        took = time.monotonic() - began
        runner.host.stop_now = True
        ends: list[object] = await asyncio.gather(*runs, return_exceptions=True)
        assert [type(end) for end in ends] == [Interrupted] * MANY
        return took

    assert asyncio.run(run()) < AT_ONCE
    assert api.count("catalog") == 2, "one price is asked for once, whoever waits for it"


def test_slow_prices_for_the_page_delay_no_run(runner: Runner, api: Emulator) -> None:
    one = service()
    api.fault(Fault("catalog", times=None, hang=4.0))
    asked = [threads.PAGE.start(prices_view, one, [TEXT_TO_IMAGE, PRO_EDIT]) for _ in range(MANY)]
    began = time.monotonic()
    runner.text_to_image("a fox", resolution="0.5K")
    assert time.monotonic() - began < AT_ONCE
    assert all(answer.result(30)[TEXT_TO_IMAGE.node_id] for answer in asked)
    assert api.count("catalog") == 2
