"""When to ask for the state of a job again: a pure function of the time waited."""

from __future__ import annotations

FIRST_DELAY = 0.5
MAX_DELAY = 5.0
GROWTH = 0.1


def poll_delay(waited: float) -> float:
    """Return the seconds to the next status call, ``waited`` seconds after the submission.

    It starts at half a second and grows with the wait, so that the end of a job is noticed late by a tenth of
    the job's own length at most, and never by more than five seconds.
    """
    return min(MAX_DELAY, FIRST_DELAY + GROWTH * waited)
