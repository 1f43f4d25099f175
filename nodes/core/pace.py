"""When to ask for the state of a job: from the time waited, the queue, and earlier jobs of its kind. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median

MIN_GAP = 0.2
FIRST_GAP = 0.5
MAX_GAP = 5.0
GROWTH = 0.1
OVERTIME_GROWTH = 0.5
DENSE_CALLS = 14
EARLY_CALLS = 3
KNOWN_FROM = 2
_LEAST_SPREAD = 0.01
_SMALL_SAMPLE_SPREAD = 0.1
_MAD_TO_SIGMA = 1.4826
_POSITION_SECONDS = 0.5


def plan(durations: Sequence[float]) -> tuple[float, ...]:
    """Return when to ask, in seconds after the submission: dense where jobs of this kind ended, sparse before.

    ``durations`` are the seconds of earlier jobs, in any order; fewer than two tell nothing, and the plan is empty.

    For a fixed number of calls, the mean time between a job's end and the next call is least where the calls are
    as dense as the square root of the probability that it ends there. Durations are taken as log-normal, by their
    median and median deviation; the square root of a normal density is a normal one that is wider by sqrt(2).
    """
    if len(durations) < KNOWN_FROM or min(durations) <= 0:
        return ()
    logs = [math.log(duration) for duration in durations]
    middle = median(logs)
    least = _LEAST_SPREAD + _SMALL_SAMPLE_SPREAD / len(logs)
    spread = max(least, _MAD_TO_SIGMA * median(abs(value - middle) for value in logs))
    ends = NormalDist(middle, math.sqrt(2) * spread)
    dense = [math.exp(ends.inv_cdf(call / (DENSE_CALLS + 1))) for call in range(1, DENSE_CALLS + 1)]
    early = [min(1.0, dense[0] / 2), *(dense[0] * part / EARLY_CALLS for part in range(1, EARLY_CALLS))]
    return tuple(sorted(early) + dense)


def poll_delay(waited: float, times: Sequence[float] = (), position: int | None = None) -> float:
    """Return the seconds until the next status call, ``waited`` seconds after the submission.

    ``times`` is a ``plan``. Without one, the gap starts at half a second and grows by a tenth of the wait, up to
    five seconds; behind its end, it grows faster from the plan's own last gap. A long queue (``position``) is
    asked less often.
    """
    patience = min(MAX_GAP, _POSITION_SECONDS * (position or 0))
    planned = next((time for time in times if time >= waited + MIN_GAP), None)
    if planned is not None:
        return max(planned - waited, patience)
    if not times:
        return max(min(MAX_GAP, FIRST_GAP + GROWTH * waited), patience)
    last_gap = max(FIRST_GAP, times[-1] - times[-2])
    return max(min(max(MAX_GAP, last_gap), last_gap + OVERTIME_GROWTH * (waited - times[-1])), patience)
