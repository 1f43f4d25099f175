"""When to ask for the state of a job: from the time waited, the queue, and earlier jobs of its kind. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

MIN_GAP = 0.1
FIRST_GAP = 0.5
MAX_GAP = 5.0
MAX_OVERTIME_GAP = 30.0
# A plan for two minutes has no such gap: for longer ones, as jobs may be much faster than all before.
MAX_PLANNED_GAP = 80.0
GROWTH = 0.1
# With two early calls and the one at the submission, twenty; more only for gaps that are too long.
DENSE_CALLS = 17
OVERRUN = 1.5
NEWEST = 20
_FIRST_LOOK = 1.0
_SECOND_LOOK = 2 / 3
_CELLS = 120
_BEFORE = 4.0
_ONE_JOB_WIDTH = 0.09
_WIDTH_OF_A_QUARTER = 2 / 3
_SURPRISE = 0.02
_SURPRISE_WIDTH = 0.2
_POSITION_SECONDS = 0.5


def plan(durations: Sequence[float]) -> tuple[float, ...]:
    """Return when to ask, in seconds after the submission: dense where jobs of this kind ended, sparse before.

    ``durations`` are the seconds of earlier jobs, newest first; if none is known, the plan is empty. The last call
    is at one and a half times the longest: a job that ends before takes no more calls than are planned.

    For a fixed number of calls, the mean time between a job's end and the next call is least where the calls are
    as dense as the square root of the probability that it ends there. The early ones show that the job runs, and
    find one that is much faster than all before it.
    """
    logs = [math.log(duration) for duration in durations if duration > 0][:NEWEST]
    if not logs:
        return ()
    dense = _dense(logs, _width(logs))
    return (min(_FIRST_LOOK, dense[0] / 2), dense[0] * _SECOND_LOOK, *dense)


def poll_delay(waited: float, times: Sequence[float] = (), position: int | None = None) -> float:
    """Return the seconds until the next status call, ``waited`` seconds after the submission.

    ``times`` is a ``plan``. Without one, and behind its end, the gap is half a second and a tenth of the wait, up
    to five seconds, or thirty behind a plan. No gap is longer than eighty. A long queue (``position``) is asked
    less often.
    """
    patience = min(MAX_GAP, _POSITION_SECONDS * (position or 0))
    planned = next((time for time in times if time >= waited + MIN_GAP), None)
    if planned is not None:
        return max(min(MAX_PLANNED_GAP, planned - waited), patience)
    return max(min(MAX_OVERTIME_GAP if times else MAX_GAP, FIRST_GAP + GROWTH * waited), patience)


def _width(logs: Sequence[float]) -> float:
    """Return how far around each earlier end the next one is expected; the fewer are known, the farther.

    It follows the distance between ends that have a quarter of all between them: neither a second peak nor an
    outlier makes it wide.
    """
    ordered = sorted(logs)
    quarter = math.ceil(len(ordered) / 4)
    distances = [after - before for before, after in zip(ordered, ordered[quarter:], strict=False)]
    return max(_ONE_JOB_WIDTH / len(logs), _WIDTH_OF_A_QUARTER * median(distances or [0.0]))


def _dense(logs: Sequence[float], width: float) -> list[float]:
    """Return the calls that divide the time up to the overrun into parts of equal weight."""
    start, end = min(logs) - _BEFORE * width, max(logs) + math.log(OVERRUN)
    cell = (end - start) / _CELLS
    weights = [_weight(start + (number + 0.5) * cell, logs, width) for number in range(_CELLS)]
    sums = [0.0, *accumulate(weights)]
    times = []
    for call in range(1, DENSE_CALLS + 1):
        sought = sums[-1] * call / DENSE_CALLS
        number = min(bisect_right(sums, sought), _CELLS) - 1
        times.append(math.exp(start + (number + (sought - sums[number]) / weights[number]) * cell))
    return times


def _weight(moment: float, logs: Sequence[float], width: float) -> float:
    """Return how dense the calls are at a moment: as the root of the probability, a second, that a job ends there.

    Times are logarithms here, and ``exp(moment)`` seconds make one unit of them. Around each earlier end stands a
    bell with heavy tails (Student's t of three degrees), so several peaks and outliers are followed as they are,
    and a low and wide one: jobs that have agreed so far may all take a fifth longer on a busier day.
    """
    narrow, wide = 1 / (3 * width**2), 1 / (3 * _SURPRISE_WIDTH**2)
    squares = [(moment - value) ** 2 for value in logs]
    likely = sum([1 / (1 + square * narrow) ** 2 for square in squares]) / width
    surprising = sum([1 / (1 + square * wide) ** 2 for square in squares]) / _SURPRISE_WIDTH
    return math.sqrt((likely + _SURPRISE * surprising) * math.exp(moment))
