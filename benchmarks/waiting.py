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

import numpy as np

from emulator import Emulator
from nodes.core.jobs.polling import FREE_CALLS, PACE, lower_hull, plan, poll_delay

from .policies import FLAT_SECONDS, PlainClient
from .running import TEXT_TO_IMAGE, generate, state
from .table import Row

LENGTHS = (3.0, 8.0, 20.0, 60.0, 120.0)
SPREADS = (0.01, 0.05, 0.20)
EVENLY = (3.0, 10.0)
HISTORY = 20
CALL_SECONDS = 0.05
TARGET_DELAY = 0.25
TARGET_RATIO = 1.25
# Seconds, by length and spread; elsewhere a quarter of a second, or a quarter more than the floor.
TARGETS = {
    (20.0, 0.05): 0.2,
    (60.0, 0.05): 0.4,
    (120.0, 0.05): 0.4,
    (20.0, 0.20): 0.6,
    (60.0, 0.20): 0.8,
    (120.0, 0.20): 1.2,
}
TARGET_EVENLY = 0.4
# It cannot hold for every length up to 40 s: 5 % of a wait from 10 s on takes gaps of a tenth of it, ln 4 / ln 1.1
# = 14.5 calls, and 0.4 s from 3 s to 10 s takes 7 / 0.8 = 8.8. With a first look that is 25, and 20 are allowed.
TARGET_UNKNOWN = 0.05
REAL_LENGTH = 3.0
REAL_SPREAD = 0.05

Delay = Callable[[float], float]


@dataclass(frozen=True)
class Noticed:
    """When a job's end was noticed: ``delay`` seconds late, with so many calls, ``at`` seconds after it began."""

    delay: float
    calls: int
    at: float


@dataclass(frozen=True)
class Means:
    """What was noticed of many jobs, on average, and the most calls that one of them took."""

    delay: float
    calls: float
    most: int

    @classmethod
    def of(cls, noticed: Sequence[Noticed]) -> Means:
        """Return the means of what was noticed."""
        return cls(
            fmean(one.delay for one in noticed),
            fmean(one.calls for one in noticed),
            max(one.calls for one in noticed),
        )


def rows(quick: bool) -> list[Row]:
    """Return the simulated rows and the real one."""
    trials = 4 if quick else 100
    known = [_known(length, spread, trials) for length in LENGTHS for spread in SPREADS]
    unknown = [_unknown(length, 200 * trials) for length in LENGTHS if length > EVENLY[1]]
    return [*known, *unknown, _unknown_evenly(200 * trials), _real(quick)]


def _known(length: float, spread: float, trials: int) -> Row:
    random = Random(f"{length} {spread}")
    ours: list[Noticed] = []
    flat: list[Noticed] = []
    for _ in range(trials):
        # What the journal records is when the job ended, as the result tells it.
        ends = [length * math.exp(random.gauss(0, spread)) for _ in range(HISTORY * 2)]
        for job in range(HISTORY, HISTORY * 2):
            ours.append(_wait(ends[job], *_planned(ends[:job][::-1])))
            flat.append(_wait(ends[job], lambda _: FLAT_SECONDS))
    floor = least_delay(length, spread) + CALL_SECONDS / 2
    target = TARGETS.get((length, spread), max(TARGET_DELAY, TARGET_RATIO * floor))
    return _simulated(f"{length:.0f} s job, {spread:.0%} spread", ours, flat, target, floor)


def _unknown(length: float, trials: int) -> Row:
    random = Random(f"{length} unknown")
    ends = [length * math.exp(random.gauss(0, SPREADS[-1])) for _ in range(trials)]
    return _first_of_its_kind(f"{length:.0f} s job, {SPREADS[-1]:.0%} spread", ends, TARGET_UNKNOWN * length)


def _unknown_evenly(trials: int) -> Row:
    random = Random("evenly")
    return _first_of_its_kind("3 to 10 s job", [random.uniform(*EVENLY) for _ in range(trials)], TARGET_EVENLY)


def _first_of_its_kind(what: str, ends: Sequence[float], target: float) -> Row:
    ours = [_wait(end, *_planned(())) for end in ends]
    flat = [_wait(end, lambda _: FLAT_SECONDS) for end in ends]
    return _simulated(f"{what}, first of its kind", ours, flat, target)


def _simulated(
    what: str, ours: Sequence[Noticed], flat: Sequence[Noticed], target: float, floor: float | None = None
) -> Row:
    mean, common = Means.of(ours), Means.of(flat)
    return Row(
        f"noticed: {what}",
        "simulated",
        "s",
        ours=mean.delay,
        floor=floor,
        common=common.delay,
        target=f"<= {target:.2f} s",
        met=mean.delay <= target,
        beside=f"mean; calls {mean.calls:.1f}, most {mean.most}; flat {common.calls:.1f} calls",
    )


def least_delay(length: float, spread: float) -> float:
    """Return the least mean delay that any plan within the pace can have for a log-normal end of known shape.

    For calls at a rate ``n`` it is the integral of ``density / (2 n)``; the best rate is that of ``plan``, for the
    true density. A call's own way back comes on top of it.
    """
    steps = np.linspace(-5 * spread, 5 * spread, 4000)
    moments = length * np.exp(steps)
    # The root of a log-normal density is a normal one of twice its variance.
    roots = np.exp(-(steps**2) / (4 * spread**2)) / np.sqrt(moments * spread * math.sqrt(2 * math.pi))
    sums = np.append(0.0, np.cumsum((roots[1:] + roots[:-1]) / 2 * np.diff(moments)))
    allowed = np.append(0.0, np.maximum(FREE_CALLS, moments[1:] / PACE))
    calls = lower_hull(sums, allowed)
    return float(np.sum(np.diff(sums) ** 2 / np.diff(calls)) / 2)


def _planned(known: Sequence[float]) -> tuple[Delay, float]:
    times = plan(known)
    return (lambda waited: poll_delay(waited, times)), times[0]


def _wait(duration: float, delay: Delay, first: float = 0.0) -> Noticed:
    """Ask first and then by the pace, until an answer that the server made after the job's end."""
    now, calls = first, 0
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
    first, ours, flat = (Means.of(noticed[start : start + jobs]) for start in range(0, 3 * jobs, jobs))
    return Row(
        f"noticed: {jobs} jobs on the emulator",
        "real",
        "s",
        ours=ours.delay,
        floor=least_delay(REAL_LENGTH, REAL_SPREAD),
        common=flat.delay,
        target=f"<= {TARGET_DELAY:.2f} s",
        met=ours.delay <= TARGET_DELAY,
        beside=f"mean; {REAL_LENGTH:.0f} s, {REAL_SPREAD:.0%} spread; calls {ours.calls:.1f}, most {ours.most}; "
        f"first of their kind {first.delay:.2f} s, {first.calls:.1f} calls",
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
