"""When to ask for the state of a job: from the time waited, the queue, and earlier jobs of its kind. Pure.

By the time ``t`` no more than ``max(20, t / 2)`` calls are made: one every two seconds is the pace of the vendor's
own command line. What is saved while a job is unlikely to end is spent where such jobs have ended.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_GAP = 0.1
# A finer look than this part of the wait is worth nothing to anybody, up to the pace itself.
MIN_GAP_PART = 1 / 500
# A plan may have longer gaps; they are divided, as a job may be much faster than all before.
MAX_GAP = 80.0
PACE = 2.0
FREE_CALLS = 20
# What is left of the pace from where a gap may have been divided.
_LATER_PACE = 1 / (1 / PACE - 1 / MAX_GAP)
_FREE_SECONDS = FREE_CALLS * PACE
OVERRUN = 1.5
NEWEST = 40
_FIRST_LOOK = 1.0
_MAX_POSITION_GAP = 5.0
_POSITION_SECONDS = 0.5
_ONE_JOB_WIDTH = 0.09
_WIDTH_OF_A_QUARTER = 0.8
_SLOWER = 0.02
_ELSEWHERE = 0.0025
_UNCERTAIN = 0.3
_ELSEWHERE_WIDTH = 0.25
_CELLS = 150
_CELLS_OF_A_BELL = np.linspace(-4.0, 4.0, 17)


def plan(durations: Sequence[float]) -> tuple[float, ...]:
    """Return when to ask, in seconds after the submission: dense where jobs of this kind ended, sparse before.

    ``durations`` are the seconds of earlier jobs, newest first. The plan ends at about one and a half times the
    longest, and not before the pace allows more than twenty calls.

    For a fixed number of calls, the mean time between a job's end and the next call is least where the calls are
    as dense as the square root of the probability that it ends there. Where the number that is allowed grows with
    the time, it is least if that holds between the moments at which every allowed call is spent: drawn over the
    sum of those roots, the number of calls is the lower convex hull of the number allowed.
    """
    ends = np.array([duration for duration in durations if duration > 0][:NEWEST])
    if not len(ends):
        return _unknown()
    first, logs = min(_FIRST_LOOK, float(ends.min()) / 2), np.log(ends)
    moments = _moments(first, logs)
    roots = np.sqrt(_density(moments, logs))
    sums = np.append(0.0, np.cumsum((roots[1:] + roots[:-1]) / 2 * np.diff(moments)))
    # A call stands in the middle of its share.
    allowed = np.maximum(FREE_CALLS, moments / np.where(moments < MAX_GAP, PACE, _LATER_PACE)) + 0.5
    allowed[0] = 1.0
    spent = lower_hull(sums, allowed)
    calls = np.arange(2.0, math.floor(spent[-1]) + 1)
    return (first, *_paced(calls, np.interp(calls, spent, moments)).tolist())


def poll_delay(waited: float, times: Sequence[float], position: int | None = None) -> float:
    """Return the seconds until the next status call, ``waited`` seconds after the submission.

    ``times`` is a ``plan``; behind its end, the gap is two seconds. No gap is longer than eighty, none shorter than
    a tenth of a second and, up to two seconds, a five-hundredth of the wait. A long queue (``position``) is asked
    less often, up to every five seconds.
    """
    patience = min(_MAX_POSITION_GAP, _POSITION_SECONDS * (position or 0))
    soonest = waited + max(MIN_GAP, min(PACE, MIN_GAP_PART * waited))
    number = bisect_left(times, soonest)
    gap = times[number] - waited if number < len(times) else PACE
    return max(min(MAX_GAP, gap), patience)


def duration_of(told: float | None, unfinished: float, noticed: float) -> float:
    """Return how long a job took, in seconds after the submission.

    ``told`` is what the provider's own clock says, if it does. It is believed as far as it agrees with what was
    seen: the job was ``unfinished`` at one call, and its end was ``noticed`` at a later one.
    """
    return noticed if told is None else min(max(told, unfinished), noticed)


def _unknown() -> tuple[float, ...]:
    """Return the plan for a job of which nothing is known.

    Most calls are where most images are made, in three to ten seconds; the others have gaps that grow with the
    wait, so that no job is noticed late by a larger part of it than another.
    """
    usual = np.linspace(3.4, 10.0, 10)
    later = np.geomspace(usual[-1], _FREE_SECONDS + PACE, FREE_CALLS - len(usual))[1:]
    return (0.0, 1.5, *usual.tolist(), *later.tolist())


def _moments(first: float, logs: Floats) -> Floats:
    """Return moments from the first look to the plan's end, close together where jobs may end."""
    last = max(logs.max() + math.log(OVERRUN), math.log(_FREE_SECONDS + 2 * PACE))
    near = np.add.outer(logs, _width(logs) * _CELLS_OF_A_BELL).ravel()
    near = near[(near > math.log(first)) & (near < last)]
    moments: Floats = np.exp(np.unique(np.append(near, np.linspace(math.log(first), last, _CELLS))))
    return moments


def _density(moments: Floats, logs: Floats) -> Floats:
    """Return how likely a job ends at each moment, to some scale.

    Around each earlier end stands a bell, so several peaks and outliers are followed as they are. A part is kept
    for surprises: jobs that take up to half as long again as all before, and jobs anywhere (Cauchy's bells), the
    more of them the fewer are known and the more they vary.
    """
    times = np.log(moments)
    width = _width(logs)
    squares = np.subtract.outer(times, logs) ** 2
    near = np.exp(squares / (-2 * width**2)).mean(1) / (width * math.sqrt(2 * math.pi))
    anywhere = (1 / (1 + squares / _ELSEWHERE_WIDTH**2)).mean(1) / (math.pi * _ELSEWHERE_WIDTH)
    slower = ((times >= logs.max()) & (times <= logs.max() + math.log(OVERRUN))) / math.log(OVERRUN)
    doubt = _ELSEWHERE + _UNCERTAIN * (width**2 + 1 / len(logs) ** 2)
    density: Floats = (near + _SLOWER * slower + doubt * anywhere) / moments
    return density


def _width(logs: Floats) -> float:
    """Return how far around each earlier end the next one is expected; the fewer are known, the farther.

    It follows the distance between ends that have a quarter of all between them: neither a second peak nor an
    outlier makes it wide.
    """
    ordered = np.sort(logs)
    quarter = math.ceil(len(ordered) / 4)
    distances = ordered[quarter:] - ordered[:-quarter]
    middle = float(np.median(distances)) if len(distances) else 0.0
    return max(_ONE_JOB_WIDTH / len(logs), _WIDTH_OF_A_QUARTER * middle)


def lower_hull(along: Floats, heights: Floats) -> Floats:
    """Return the greatest convex curve under points that go from left to right, at each of them."""
    xs, ys = along.tolist(), heights.tolist()
    corners = [0]
    for point in range(1, len(xs)):
        while len(corners) > 1 and _is_above(xs, ys, corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return np.interp(along, along[corners], heights[corners])


def _is_above(xs: list[float], ys: list[float], left: int, middle: int, right: int) -> bool:
    rise, run = ys[right] - ys[left], xs[right] - xs[left]
    return (ys[middle] - ys[left]) * run >= rise * (xs[middle] - xs[left])


def _paced(calls: Floats, times: Floats) -> Floats:
    """Return the times, put off where the pace does not allow so many calls yet."""
    pace = np.where(calls * PACE < MAX_GAP, PACE, _LATER_PACE)
    return np.where(calls > FREE_CALLS, np.maximum(times, calls * pace), times)
