"""How late a job's end is noticed, and how many calls that takes."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from statistics import fmean

from emulator import Emulator
from nodes.core.jobs.polling import plan, poll_delay

from .policies import FLAT_SECONDS, PlainClient
from .running import TEXT_TO_IMAGE, generate, state
from .table import Row

LENGTHS = (3.0, 8.0, 20.0, 60.0, 120.0)
SPREADS = (0.01, 0.05, 0.20)
HISTORY = 20
CALL_SECONDS = 0.05
TARGET_DELAY = 0.25
TARGET_CALLS = 20
TARGET_RATIO = 1.25
TARGET = f"<= {TARGET_DELAY} s or {TARGET_RATIO} x floor, at most {TARGET_CALLS} calls"
REAL_LENGTH = 3.0
REAL_SPREAD = 0.05


@dataclass(frozen=True)
class Noticed:
    """When a job's end was noticed: ``delay`` seconds late, with so many calls, ``at`` seconds after it began."""

    delay: float
    calls: int
    at: float


def rows(quick: bool) -> list[Row]:
    """Return the simulated rows and the real one."""
    trials = 4 if quick else 40
    simulated = [_simulated(length, spread, trials) for length in LENGTHS for spread in SPREADS]
    return [*simulated, _real(quick)]


def _simulated(length: float, spread: float, trials: int) -> Row:
    random = Random(f"{length} {spread}")
    ours: list[Noticed] = []
    blind: list[Noticed] = []
    flat: list[Noticed] = []
    for _ in range(trials):
        known: list[float] = []
        for job in range(HISTORY * 2):
            duration = length * math.exp(random.gauss(0, spread))
            seen = _wait(duration, _planned(known))
            # What the journal records is when the result was there, one call after the end was noticed.
            known.append(seen.at + CALL_SECONDS)
            if job >= HISTORY:
                ours.append(seen)
                blind.append(_wait(duration, lambda waited: poll_delay(waited)))
                flat.append(_wait(duration, lambda _: FLAT_SECONDS))
    delay, calls = fmean(one.delay for one in ours), fmean(one.calls for one in ours)
    most = max(one.calls for one in ours)
    floor = least_delay(length, spread, TARGET_CALLS) + CALL_SECONDS / 2
    return Row(
        f"noticed: {length:.0f} s job, {spread:.0%} spread",
        "simulated",
        "s",
        ours=delay,
        floor=floor,
        common=fmean(one.delay for one in flat),
        target=TARGET,
        met=_met(delay, floor, most),
        beside=f"mean; calls {calls:.1f}, most {most}; without history {fmean(one.delay for one in blind):.2f} s, "
        f"{fmean(one.calls for one in blind):.1f} calls; flat {fmean(one.calls for one in flat):.1f} calls",
    )


def least_delay(length: float, spread: float, calls: int) -> float:
    """Return the least mean delay that any plan of ``calls`` calls can have for a log-normal end of known shape.

    It is (integral of the density's square root)^2 / (2 calls); a call's own way back comes on top of it. A job
    that ends early needs fewer calls than were planned: the mean of calls made is about half of these.
    """
    integral_squared = 2 * math.sqrt(2 * math.pi) * spread * length * math.exp(spread**2 / 2)
    return integral_squared / (2 * calls)


def _met(delay: float, floor: float, most: int) -> bool:
    return delay <= max(TARGET_DELAY, TARGET_RATIO * floor) and most <= TARGET_CALLS


def _planned(known: Sequence[float]) -> Callable[[float], float]:
    times = plan(known)
    return lambda waited: poll_delay(waited, times)


def _wait(duration: float, delay: Callable[[float], float]) -> Noticed:
    """Ask at once and then by the pace, until an answer that the server made after the job's end."""
    now, calls = 0.0, 0
    while True:
        calls += 1
        asked, now = now + CALL_SECONDS / 2, now + CALL_SECONDS
        if asked >= duration:
            return Noticed(now - duration, calls, now)
        now += delay(now)


def _real(quick: bool) -> Row:
    jobs = 4 if quick else 12
    random = Random(1)
    with Emulator(run_seconds=lambda _: REAL_LENGTH * math.exp(random.gauss(0, REAL_SPREAD))) as api:
        with state(api.base_url, api.token):
            asyncio.run(_run_all(range(jobs)))
            asyncio.run(_run_all(range(jobs, 2 * jobs)))
        client = PlainClient(api.base_url, api.token)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda job: _run_flat(client, f"image {job}"), range(jobs)))
        noticed = _noticed(api)
    blind, ours, flat = noticed[:jobs], noticed[jobs : 2 * jobs], noticed[2 * jobs :]
    delay, calls = fmean(one.delay for one in ours), fmean(one.calls for one in ours)
    most = max(one.calls for one in ours)
    floor = least_delay(REAL_LENGTH, REAL_SPREAD, TARGET_CALLS)
    return Row(
        f"noticed: {jobs} jobs on the emulator",
        "real",
        "s",
        ours=delay,
        floor=floor,
        common=fmean(one.delay for one in flat),
        target=TARGET,
        met=_met(delay, floor, most),
        beside=f"mean; {REAL_LENGTH:.0f} s, {REAL_SPREAD:.0%} spread; calls {calls:.1f}, most {most}; "
        f"without history {fmean(one.delay for one in blind):.2f} s, {fmean(one.calls for one in blind):.1f} calls",
    )


async def _run_all(jobs: Sequence[int]) -> None:
    await asyncio.gather(*(generate(f"image {job}") for job in jobs))


def _run_flat(client: PlainClient, prompt: str) -> None:
    request_id = client.submit(TEXT_TO_IMAGE.model_id, {"prompt": prompt})
    client.poll_flat(request_id)
    client.files(request_id)


def _noticed(api: Emulator) -> list[Noticed]:
    """Return, for each job in order, how long after its end its result was asked for."""
    unix = time.time() - time.monotonic()
    seen = []
    for job in api.jobs:
        asked = next(call.at for call in api.calls if call.what == "result" and call.request_id == job.request_id)
        calls = sum(call.what == "status" and call.request_id == job.request_id for call in api.calls)
        ended = job.finished_at or math.nan
        seen.append(Noticed(asked + unix - ended, calls, ended - job.created_at))
    return seen
