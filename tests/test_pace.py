"""When the state of a job is asked for: soon at first, dense where such jobs end, and never in a rush."""

from __future__ import annotations

from itertools import pairwise

import pytest
from properties import given, st

from nodes.core.pace import FIRST_GAP, MAX_GAP, MIN_GAP, plan, poll_delay

DURATIONS = st.lists(st.floats(0.05, 3600), min_size=2, max_size=50)


def calls(until: float, times: tuple[float, ...] = (), position: int | None = None) -> list[float]:
    """Return when the state of a job is asked for, in seconds after its submission."""
    waited, found = 0.0, []
    while waited < until:
        waited += poll_delay(waited, times, position)
        found.append(waited)
    return found


def test_the_first_call_comes_after_half_a_second() -> None:
    assert poll_delay(0.0) == FIRST_GAP == 0.5


def test_without_earlier_jobs_the_pace_grows_with_the_wait() -> None:
    found = calls(600)
    gaps = [round(after - before, 6) for before, after in pairwise([0.0, *found])]
    assert gaps == sorted(gaps)
    assert gaps[-1] == MAX_GAP
    assert len(found) < 600 / MAX_GAP + 30


@given(st.floats(0, 1e6))
def test_without_earlier_jobs_an_end_is_noticed_a_tenth_late_at_most(waited: float) -> None:
    assert poll_delay(waited) <= min(MAX_GAP, FIRST_GAP + waited / 10)


@pytest.mark.parametrize("durations", [[], [12.0], [12.0, 0.0], [12.0, -1.0]])
def test_too_little_is_known_for_a_plan(durations: list[float]) -> None:
    assert plan(durations) == ()


@given(DURATIONS)
def test_a_plan_begins_soon_and_goes_forward(durations: list[float]) -> None:
    times = plan(durations)
    assert list(times) == sorted(times)
    assert 0 < times[0] <= 1.0
    assert len(times) < 30


@given(DURATIONS)
def test_a_plan_does_not_depend_on_the_order_of_the_jobs(durations: list[float]) -> None:
    assert plan(durations) == plan(sorted(durations)) == plan(durations[::-1])


def test_where_jobs_have_ended_before_the_calls_are_dense() -> None:
    durations = [29.0, 30.0, 31.0, 30.5, 29.5, 30.0, 28.5, 31.5]
    found = calls(40, plan(durations))
    around = [time for time in found if 28 <= time <= 32]
    before = [time for time in found if time < 25]
    assert len(around) >= 8 > len(before)
    late = [min(time for time in found if time >= end) - end for end in durations]
    assert sum(late) / len(late) < 0.6
    assert len(found) < len(calls(40)) + 10


@given(DURATIONS, st.floats(0, 7200), st.none() | st.integers(0, 10**6))
def test_calls_are_never_in_a_rush_and_never_give_up(
    durations: list[float], waited: float, position: int | None
) -> None:
    times = plan(durations)
    delay = poll_delay(waited, times, position)
    assert delay >= MIN_GAP * 0.999
    widest = max(after - before for before, after in pairwise([0.0, *times, times[-1] + MAX_GAP]))
    assert delay <= max(MAX_GAP, widest) + MIN_GAP


def test_behind_the_plan_the_calls_go_on() -> None:
    times = plan([10.0, 10.5, 11.0])
    gaps = [round(after - before, 6) for before, after in pairwise(calls(300, times)) if before > times[-1]]
    assert gaps == sorted(gaps)
    assert gaps[0] < 1.5
    assert gaps[-1] == MAX_GAP


def test_a_long_queue_is_asked_less_often() -> None:
    assert poll_delay(0.0, (), 0) == poll_delay(0.0)
    assert poll_delay(0.0, (), 2) == 1.0
    assert poll_delay(0.0, (), 1000) == MAX_GAP
    assert poll_delay(1.0, plan([10.0, 10.5]), 1000) >= MAX_GAP


@pytest.mark.parametrize("seconds", [2.0, 20.0, 200.0])
def test_with_earlier_jobs_an_end_is_noticed_sooner_than_without(seconds: float) -> None:
    durations = [seconds * (1 + 0.02 * step) for step in range(-5, 6)]
    times = plan(durations)

    def lateness(found: list[float]) -> float:
        return sum(min(time for time in found if time >= end) - end for end in durations) / len(durations)

    assert lateness(calls(2 * seconds, times)) <= lateness(calls(2 * seconds)) + 1e-9
