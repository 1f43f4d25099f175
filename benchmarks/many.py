"""Thirty-two jobs at once over one account: wall time, the event loop, and threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from statistics import median
from typing import Any

from .measuring import in_turn
from .policies import PlainClient, two_copies
from .running import TEXT_TO_IMAGE, Api, emulator_process, generate, state
from .table import Row

JOBS = 32
RUN_SECONDS = 6.0
BEAT_SECONDS = 0.002
TARGET_WALL = 1.1
TARGET_LAG = 0.020

_numbers = count()


def rows(quick: bool) -> list[Row]:
    """Return the rows of wall time, loop lag and threads."""
    jobs, rounds = (8, 1) if quick else (JOBS, 3)
    with emulator_process(RUN_SECONDS) as api, state(api.base_url, api.token):
        _ours(jobs)  # Fills the journal, so that the next ones know how long such jobs take.
        found = in_turn(
            {
                "ours": partial(_ours, jobs),
                "floor": partial(_floor, api, jobs),
                "common": partial(_common, api, jobs),
            },
            rounds,
        )
    ours, floor, common = found["ours"], found["floor"], found["common"]
    ratio = ours["wall"] / floor["wall"]
    what = f"many: {jobs} jobs of {RUN_SECONDS:.0f} s"
    return [
        Row(
            f"{what}, wall",
            "real",
            "s",
            ours["wall"],
            floor["wall"],
            common["wall"],
            f"<= {TARGET_WALL} x floor",
            ratio <= TARGET_WALL,
            f"floor: a client that knows each end; processor time {ours['cpu']:.2f} s, floor {floor['cpu']:.2f} s",
        ),
        Row(
            f"{what}, loop lag",
            "real",
            "ms",
            ours["lag"] * 1000,
            floor["lag"] * 1000,
            None,
            f"< {TARGET_LAG * 1000:.0f} ms or floor",
            ours["lag"] < max(TARGET_LAG, floor["lag"]),
            f"the largest; floor: an idle loop beside the bare client's threads; 99 of 100 below "
            f"{ours['lag99'] * 1000:.1f} ms, floor {floor['lag99'] * 1000:.1f} ms",
        ),
        Row(
            f"{what}, loop's own work",
            "real",
            "ms",
            ours["work"] * 1000,
            floor["work"] * 1000,
            None,
            f"< {TARGET_LAG * 1000:.0f} ms",
            ours["work"] < TARGET_LAG,
            "processor time of the loop's thread between two beats, the largest: what blocks it",
        ),
        Row(
            f"{what}, threads",
            "real",
            "",
            ours["threads"],
            None,
            common["threads"],
            "",
            None,
            "alive while all wait",
        ),
    ]


def _ours(jobs: int) -> dict[str, float]:
    threads: list[int] = []

    async def look() -> None:
        for part in (0.4, 0.1, 0.1):
            await asyncio.sleep(RUN_SECONDS * part)
            threads.append(threading.active_count())

    async def run() -> None:
        await asyncio.gather(look(), *map(generate, _prompts(jobs)))

    figures = asyncio.run(_beside_a_heart(run()))
    return {**figures, "threads": median(threads)}


def _floor(api: Api, jobs: int) -> dict[str, float]:
    """Submit, sleep for exactly as long as a job runs, fetch and decode: no client can be faster."""

    return asyncio.run(_beside_a_heart(_a_thread_each(api, jobs, lambda *_: time.sleep(RUN_SECONDS))))


def _common(api: Api, jobs: int) -> dict[str, float]:
    """Give each job a thread that asks every five seconds."""
    figures = asyncio.run(_beside_a_heart(_a_thread_each(api, jobs, PlainClient.poll_flat)))
    return {**figures, "threads": jobs + 1}


async def _a_thread_each(api: Api, jobs: int, wait: Callable[[PlainClient, str], None]) -> None:
    client = PlainClient(api.base_url, api.token)

    def one(prompt: str) -> None:
        request_id = client.submit(TEXT_TO_IMAGE.model_id, {"prompt": prompt})
        wait(client, request_id)
        for url in client.files(request_id):
            two_copies(client.read(url))

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(jobs) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, one, prompt) for prompt in _prompts(jobs)))


def _prompts(jobs: int) -> list[str]:
    return [f"image {next(_numbers)}" for _ in range(jobs)]


async def _beside_a_heart(work: Coroutine[Any, Any, None]) -> dict[str, float]:
    """Await ``work`` beside a steady sleeper; return seconds, how late it woke, and how busy its thread was."""
    lags: list[float] = []
    busy: list[float] = []

    async def beat() -> None:
        while True:
            begins, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT_SECONDS)
            lags.append(time.perf_counter() - begins - BEAT_SECONDS)
            busy.append(time.thread_time() - own)

    wall, cpu = time.perf_counter(), time.process_time()
    heart = asyncio.ensure_future(beat())
    await work
    heart.cancel()
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "lag": max(lags),
        "lag99": sorted(lags)[int(len(lags) * 0.99)],
        "work": max(busy),
    }
