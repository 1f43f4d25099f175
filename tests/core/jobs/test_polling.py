"""When the state of a job is asked for: soon at first, dense where such jobs end, and never in a rush."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist, fmean

import pytest
from properties import given, st

from benchmarks.waiting import least_delay
from nodes.core.jobs.polling import (
    FIRST_GAP,
    MAX_GAP,
    MAX_OVERTIME_GAP,
    MAX_PLANNED_GAP,
    MIN_GAP,
    NEWEST,
    OVERRUN,
    plan,
    poll_delay,
)

MOST_CALLS = 20
DURATIONS = st.lists(st.floats(0.05, 3600), min_size=1, max_size=50)
CALLS_OF_A_JOB = (st.floats(0, 1), st.floats(0, 2), st.none() | st.integers(0, 10**6))


def calls(until: float, times: Sequence[float] = (), position: int | None = None) -> list[float]:
    """Return when the state of a job is asked for, in seconds after its submission."""
    waited, found = 0.0, []
    while waited < until:
        waited += poll_delay(waited, times, position)
        found.append(waited)
    return found


def drawn(length: float, spread: float, count: int) -> list[float]:
    """Return so many evenly likely lengths of jobs: log-normal, without chance."""
    ends = NormalDist(math.log(length), spread)
    return [math.exp(ends.inv_cdf((number + 0.5) / count)) for number in range(count)]


def lateness(ends: Sequence[float], found: Sequence[float]) -> float:
    """Return how long after its end a job is noticed, on average."""
    return fmean(min(time for time in found if time >= end) - end for end in ends)


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
    assert poll_delay(waited) <= min(MAX_GAP, FIRST_GAP + waited / 10) * 1.000001


@pytest.mark.parametrize("durations", [[], [0.0], [-1.0, 0.0]])
def test_where_nothing_is_known_there_is_no_plan(durations: list[float]) -> None:
    assert plan(durations) == ()


def test_a_duration_that_cannot_be_is_left_out() -> None:
    assert plan([12.0, 0.0, -1.0]) == plan([12.0])


@given(DURATIONS)
def test_a_plan_begins_soon_goes_forward_and_ends_behind_the_longest(durations: list[float]) -> None:
    times = plan(durations)
    assert all(before < after for before, after in pairwise(times))
    assert 0 < times[0] <= 1.0
    assert times[-1] == pytest.approx(OVERRUN * max(durations[:NEWEST]))


@given(st.lists(st.floats(0.05, 120), min_size=1, max_size=30), *CALLS_OF_A_JOB)
def test_a_job_of_two_minutes_that_ends_within_the_plan_takes_twenty_calls_at_most(
    durations: list[float], part: float, call_seconds: float, position: int | None
) -> None:
    times = plan(durations)
    assert calls_made(times, part * times[-1], call_seconds, position) <= MOST_CALLS


@given(DURATIONS, *CALLS_OF_A_JOB)
def test_a_longer_one_takes_one_more_for_each_gap_that_is_too_long(
    durations: list[float], part: float, call_seconds: float, position: int | None
) -> None:
    times = plan(durations)
    most = MOST_CALLS + times[-1] / MAX_PLANNED_GAP
    assert calls_made(times, part * times[-1], call_seconds, position) <= most


def calls_made(times: tuple[float, ...], end: float, call_seconds: float, position: int | None) -> int:
    """The first at the submission, each with a way there and back, and whatever the queue."""
    waited, made = 0.0, 1
    while waited < end:
        waited += call_seconds
        waited += poll_delay(waited, times, position)
        made += 1
    return made


@given(st.lists(st.floats(0.05, 3600), min_size=1, max_size=NEWEST))
def test_a_plan_does_not_depend_on_the_order_of_the_jobs(durations: list[float]) -> None:
    assert plan(durations) == pytest.approx(plan(sorted(durations)))


def test_only_the_newest_jobs_count() -> None:
    newest = drawn(30.0, 0.05, NEWEST)
    assert plan([*newest, 300.0, 3.0]) == plan(newest)


@pytest.mark.parametrize("length", [3.0, 20.0, 120.0])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.20])
def test_a_plan_is_near_the_best_that_twenty_calls_can_do(length: float, spread: float) -> None:
    times = plan(drawn(length, spread, NEWEST))
    found = lateness(drawn(length, spread, 500), calls(3 * length, times))
    assert found <= max(0.25, 1.4 * least_delay(length, spread, MOST_CALLS))


@pytest.mark.parametrize("length", [3.0, 20.0, 120.0])
def test_a_regular_job_is_seen_running_in_its_second_half(length: float) -> None:
    asked = plan(drawn(length, 0.01, NEWEST))
    assert any(0.5 * length < time < 0.8 * length for time in asked)


def test_one_earlier_job_is_enough_for_a_plan() -> None:
    ends = drawn(60.0, 0.05, 50)
    assert lateness(ends, calls(200, plan([60.0]))) < lateness(ends, calls(200)) / 2


def test_the_less_is_known_the_wider_are_the_calls() -> None:
    def half_of_the_calls(durations: list[float]) -> float:
        times = plan(durations)
        return times[3 * len(times) // 4] - times[len(times) // 4]

    assert half_of_the_calls([60.0]) > 1.8 * half_of_the_calls([60.0] * 4) > 2 * half_of_the_calls([60.0] * 16)


def test_two_kinds_of_ends_have_dense_calls_each() -> None:
    times = plan([*drawn(36.0, 0.02, 10), *drawn(84.0, 0.02, 10)])
    assert len([time for time in times if 34 <= time <= 38]) >= 4
    assert len([time for time in times if 80 <= time <= 88]) >= 4
    assert len([time for time in times if 42 <= time <= 72]) <= 2


def test_one_job_that_took_very_long_leaves_most_calls_where_the_others_end() -> None:
    regular = drawn(60.0, 0.03, 9)
    times = plan([300.0, *regular])
    assert len([time for time in times if 50 <= time <= 70]) >= 8
    assert lateness(regular, calls(100, times)) < lateness(regular, calls(100)) / 3


def test_where_jobs_have_ended_before_the_calls_are_dense() -> None:
    durations = [29.0, 30.0, 31.0, 30.5, 29.5, 30.0, 28.5, 31.5]
    found = calls(40, plan(durations))
    around = [time for time in found if 28 <= time <= 32]
    before = [time for time in found if time < 25]
    assert len(around) >= 8 > len(before)
    late = [min(time for time in found if time >= end) - end for end in durations]
    assert sum(late) / len(late) < 0.6
    assert len(found) < len(calls(40)) + 10


@pytest.mark.parametrize("length", [20.0, 60.0, 120.0])
@pytest.mark.parametrize("spread", [0.01, 0.05])
def test_a_job_of_a_busier_day_is_not_noticed_as_much_later(length: float, spread: float) -> None:
    times = plan(drawn(length, spread, NEWEST))
    for slower in (1.15, 1.25):
        ends = [length * slower * (1 + step / 100) for step in range(-3, 4)]
        assert lateness(ends, calls(2 * length, times)) < 0.1 * length


def test_one_job_that_was_over_at_once_does_not_blur_the_calls() -> None:
    regular = drawn(60.0, 0.01, 18)
    assert lateness(regular, calls(100, plan([0.5, *regular]))) < 0.25


@given(DURATIONS, st.floats(0, 7200), st.none() | st.integers(0, 10**6))
def test_calls_are_never_in_a_rush_and_never_give_up(
    durations: list[float], waited: float, position: int | None
) -> None:
    times = plan(durations)
    delay = poll_delay(waited, times, position)
    assert delay >= MIN_GAP * 0.999
    widest = max(after - before for before, after in pairwise([0.0, *times]))
    assert delay <= max(MAX_OVERTIME_GAP, widest) + MIN_GAP


def test_a_job_that_is_much_faster_than_all_before_is_noticed_in_time() -> None:
    found = calls(2000, plan([1800.0] * 5))
    assert max(after - before for before, after in pairwise([0.0, *found])) <= MAX_PLANNED_GAP


@pytest.mark.parametrize("length", [3.0, 20.0, 120.0])
def test_a_job_that_overruns_its_plan_is_asked_for_by_growing_gaps(length: float) -> None:
    times = plan(drawn(length, 0.05, NEWEST))
    found = calls(1800, times)
    gaps = [round(after - before, 6) for before, after in pairwise(found) if before >= times[-1]]
    assert gaps == sorted(gaps)
    assert gaps[0] <= FIRST_GAP + times[-1] / 10 + MIN_GAP
    assert gaps[-1] == MAX_OVERTIME_GAP
    assert len([time for time in found if time < 2 * length]) < MOST_CALLS + 5
    assert len(found) < 130


def test_a_long_queue_is_asked_less_often() -> None:
    assert poll_delay(0.0, (), 0) == poll_delay(0.0)
    assert poll_delay(0.0, (), 2) == 1.0
    assert poll_delay(0.0, (), 1000) == MAX_GAP
    assert poll_delay(1.0, plan([10.0, 10.5]), 1000) >= MAX_GAP


@pytest.mark.parametrize("seconds", [2.0, 20.0, 200.0])
def test_with_earlier_jobs_an_end_is_noticed_sooner_than_without(seconds: float) -> None:
    durations = [seconds * (1 + 0.02 * step) for step in range(-5, 6)]
    times = plan(durations)
    assert lateness(durations, calls(2 * seconds, times)) < 0.75 * lateness(durations, calls(2 * seconds))
