"""When the state of a job is asked for: within the pace, dense where such jobs end, never behind a flat poll."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from statistics import NormalDist, fmean

import pytest
from properties import given, settings, st

from benchmarks.waiting import least_delay
from nodes.core.jobs.polling import (
    FREE_CALLS,
    MAX_GAP,
    MIN_GAP,
    NEWEST,
    OVERRUN,
    PACE,
    duration_of,
    plan,
    poll_delay,
)

DURATIONS = st.lists(st.floats(0.05, 3600), max_size=50)
SOME_DURATIONS = st.lists(st.floats(0.05, 3600), min_size=1, max_size=50)
POSITIONS = st.none() | st.integers(0, 10**6)
FLAT_SECONDS = 5.0
UNKNOWN = plan(())


def calls(
    until: float, times: Sequence[float], position: int | None = None, call_seconds: float = 0.0
) -> list[float]:
    """Return when the state of a job is asked for, in seconds after its submission."""
    waited, found = times[0], []
    while not found or found[-1] < until:
        found.append(waited)
        waited += call_seconds
        waited += poll_delay(waited, times, position)
    return found


def drawn(length: float, spread: float, count: int) -> list[float]:
    """Return so many evenly likely lengths of jobs: log-normal, without chance."""
    ends = NormalDist(math.log(length), spread)
    return [math.exp(ends.inv_cdf((number + 0.5) / count)) for number in range(count)]


def evenly(first: float, last: float, count: int = 1000) -> list[float]:
    """Return so many lengths of jobs at equal distances."""
    return [first + (last - first) * (number + 0.5) / count for number in range(count)]


def lateness(ends: Sequence[float], found: Sequence[float]) -> float:
    """Return how long after its end a job is noticed, on average."""
    return fmean(min(time for time in found if time >= end) - end for end in ends)


def flat(ends: Sequence[float], gap: float) -> float:
    """Return how late a poll with equal gaps is, on average: whatever the first of them is."""
    return fmean(math.ceil(end / gap) * gap - end for end in ends)


# Where nothing is known.


def test_the_first_job_of_a_kind_is_asked_for_at_once() -> None:
    assert UNKNOWN[0] == 0.0


@pytest.mark.parametrize("durations", [[], [0.0], [-1.0, 0.0]])
def test_where_nothing_is_known_the_plan_is_that_of_a_first_job(durations: list[float]) -> None:
    assert plan(durations) == UNKNOWN


def test_a_first_job_of_three_to_ten_seconds_is_noticed_after_four_tenths_of_one() -> None:
    assert lateness(evenly(3, 10), calls(12, UNKNOWN)) <= 0.4


def test_a_first_job_is_noticed_a_twentieth_of_its_wait_late_on_average() -> None:
    """Where a job of any length is as likely as one of twice that length, from 3 seconds to 2 minutes."""
    ends = [3 * 40 ** ((number + 0.5) / 2000) for number in range(2000)]
    assert lateness(ends, calls(125, UNKNOWN)) <= 0.05 * fmean(ends)


@pytest.mark.parametrize("length", [60.0, 120.0, 600.0])
@pytest.mark.parametrize("spread", [0.05, 0.20])
def test_a_first_job_of_a_minute_is_noticed_much_sooner(length: float, spread: float) -> None:
    assert lateness(drawn(length, spread, 500), calls(3 * length, UNKNOWN)) <= 0.02 * length


@pytest.mark.parametrize("length", [3.0, 8.0, 15.0, 20.0, 30.0, 38.0, 60.0])
def test_a_first_job_is_never_noticed_later_than_by_a_flat_poll(length: float) -> None:
    ends = drawn(length, 0.2, 500)
    assert lateness(ends, calls(3 * length, UNKNOWN)) < flat(ends, FLAT_SECONDS)


# The pace.


@settings(max_examples=200)
@given(DURATIONS, st.floats(0, 2), st.floats(0, 1), POSITIONS)
def test_no_more_calls_than_the_pace_allows(
    durations: list[float], part: float, call_seconds: float, position: int | None
) -> None:
    times = plan(durations)
    for number, asked in enumerate(calls(part * times[-1] + 60, times, position, call_seconds), 1):
        assert number <= max(FREE_CALLS, asked / PACE + 1e-6)


@given(DURATIONS, st.floats(0, 7200), POSITIONS)
def test_calls_are_never_in_a_rush_and_never_give_up(
    durations: list[float], waited: float, position: int | None
) -> None:
    assert MIN_GAP * 0.999 <= poll_delay(waited, plan(durations), position) <= MAX_GAP


@given(SOME_DURATIONS)
def test_a_plan_begins_soon_goes_forward_and_ends_near_the_overrun(durations: list[float]) -> None:
    times = plan(durations)
    assert all(before < after for before, after in pairwise(times))
    assert 0 < times[0] <= 1.0
    end = max(OVERRUN * max(durations[:NEWEST]), FREE_CALLS * PACE)
    assert 0.85 * end < times[-1] < end + 10 * PACE


@pytest.mark.parametrize("durations", [[], [3.0], [60.0] * 5, [0.5, 200.0]])
def test_behind_a_plan_every_gap_is_the_pace(durations: list[float]) -> None:
    times = plan(durations)
    found = calls(times[-1] + 100, times)
    gaps = [after - before for before, after in pairwise(found) if before >= times[-1]]
    assert gaps == pytest.approx([PACE] * len(gaps))
    assert len(gaps) >= 50


def test_a_long_wait_is_not_cut_finer_than_anybody_needs() -> None:
    found = calls(1900, plan([1800.0 + number / 10 for number in range(20)]))
    assert min(after - before for before, after in pairwise(found) if before > 1000) > 0.999 * PACE


def test_a_long_queue_is_asked_less_often() -> None:
    assert poll_delay(0.0, UNKNOWN, 0) == poll_delay(0.0, UNKNOWN)
    assert poll_delay(3.0, UNKNOWN, 2) == 1.0
    assert poll_delay(3.0, UNKNOWN, 1000) == 5.0
    assert poll_delay(9.9, plan([10.0, 10.5]), 1000) == 5.0


def test_a_job_that_is_much_faster_than_all_before_is_noticed_in_time() -> None:
    found = calls(2000, plan([1800.0] * 5))
    assert max(after - before for before, after in pairwise([0.0, *found])) <= MAX_GAP


# Where jobs have ended before.


def learnt(draw: Callable[[Random], float], histories: int = 25) -> tuple[float, float, list[float]]:
    """Return how late jobs are noticed, with how many calls, on average, and their lengths.

    Each of them comes after twenty of its kind at least.
    """
    random = Random(1)
    ends, late, made = [], [], []
    for _ in range(histories):
        known = [draw(random) for _ in range(20)]
        for _ in range(20):
            end = draw(random)
            found = calls(end, plan(known[::-1]))
            ends.append(end)
            late.append(found[-1] - end)
            made.append(len(found))
            known.append(end)
    return fmean(late), fmean(made), ends


def lognormal(length: float, spread: float) -> Callable[[Random], float]:
    return lambda random: length * math.exp(random.gauss(0, spread))


@pytest.mark.parametrize(
    ("length", "spread", "target"),
    [
        (20.0, 0.20, 0.6),
        (60.0, 0.20, 0.8),
        (120.0, 0.20, 1.2),
        (20.0, 0.05, 0.2),
        (60.0, 0.05, 0.4),
        (120.0, 0.05, 0.4),
    ],
)
def test_the_end_of_a_job_is_noticed_within_its_target(length: float, spread: float, target: float) -> None:
    late, _, _ = learnt(lognormal(length, spread), histories=50)
    assert least_delay(length, spread) < late <= target


def test_the_bound_of_the_benchmark_is_the_integral_that_it_stands_for() -> None:
    """Twenty calls for a job that ends before forty seconds: (integral of the density's root)^2 / (2 calls)."""
    length, spread = 10.0, 0.2
    integral_squared = 2 * math.sqrt(2 * math.pi) * spread * length * math.exp(spread**2 / 2)
    assert least_delay(length, spread) == pytest.approx(integral_squared / (2 * FREE_CALLS), rel=0.01)


KINDS: dict[str, Callable[[Random], float]] = {
    "even": lambda random: random.uniform(0.5, 1.5),
    "normal 1 %": lambda random: random.gauss(1, 0.01),
    "normal 5 %": lambda random: random.gauss(1, 0.05),
    "normal 20 %": lambda random: max(0.05, random.gauss(1, 0.2)),
    "normal 50 %": lambda random: max(0.05, random.gauss(1, 0.5)),
    "two peaks": lambda random: random.choice((0.5, 1.5)) * random.gauss(1, 0.05),
    "a few much longer": lambda random: (4 if random.random() < 0.1 else 0.7) * random.gauss(1, 0.05),
    "a long tail": lambda random: 0.6 + random.expovariate(2.5),
    "without memory": lambda random: 0.01 + random.expovariate(1),
}
# Or nearly so; that, too, is first to be learnt.
EQUAL_GAPS_ARE_BEST = ("normal 50 %", "without memory")


@pytest.mark.parametrize("length", [3.0, 20.0, 60.0, 120.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_known_kind_is_never_noticed_later_than_by_a_flat_poll(kind: str, length: float) -> None:
    """Neither by one every five seconds, nor by one with as many calls that keeps to the pace.

    By how a flat poll's calls fall on regular jobs its delay is anything up to its gap; half of it is the mean.
    """
    late, made, ends = learnt(lambda random: length * KINDS[kind](random))
    assert late < FLAT_SECONDS / 2
    as_many = max(PACE, fmean(ends) / (made - 0.5))
    assert late <= as_many / 2 * (1.1 if kind in EQUAL_GAPS_ARE_BEST else 1)


@pytest.mark.parametrize("length", [3.0, 20.0, 60.0, 120.0])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.20])
def test_a_job_that_takes_longer_than_all_before_is_never_behind_a_flat_poll(length: float, spread: float) -> None:
    late = []
    for seed in range(20):
        random = Random(seed)
        known = [lognormal(length, spread)(random) for _ in range(30)]
        longest = 1.15 * max(known)
        late.append(lateness(evenly(0.97 * longest, 1.03 * longest, 60), calls(3 * length, plan(known))))
    assert fmean(late) < FLAT_SECONDS / 2
    assert max(late) < 2.5 * FLAT_SECONDS


@pytest.mark.parametrize("known", [1, 2, 3, 5])
@pytest.mark.parametrize("spread", [0.05, 0.20, 0.50])
@pytest.mark.parametrize("length", [20.0, 120.0])
def test_few_earlier_jobs_do_not_mislead(known: int, spread: float, length: float) -> None:
    late = []
    for seed in range(30):
        random = Random(seed)
        times = plan([lognormal(length, spread)(random) for _ in range(known)])
        late.append(lateness(drawn(length, spread, 60), calls(8 * length, times)))
    assert fmean(late) < 0.8 * FLAT_SECONDS / 2


def test_a_duration_that_cannot_be_is_left_out() -> None:
    assert plan([12.0, 0.0, -1.0]) == plan([12.0])


@given(st.lists(st.floats(0.05, 3600), min_size=1, max_size=NEWEST))
def test_a_plan_does_not_depend_on_the_order_of_the_jobs(durations: list[float]) -> None:
    assert plan(durations) == pytest.approx(plan(sorted(durations)))


def test_only_the_newest_jobs_count() -> None:
    newest = drawn(30.0, 0.05, NEWEST)
    assert plan([*newest, 300.0, 3.0]) == plan(newest)


@pytest.mark.parametrize("length", [3.0, 20.0, 120.0])
def test_a_regular_job_is_seen_running_in_its_second_half(length: float) -> None:
    asked = plan(drawn(length, 0.01, NEWEST))
    assert any(0.5 * length < time < 0.95 * length for time in asked)


def test_one_earlier_job_is_enough_for_a_plan() -> None:
    ends = drawn(20.0, 0.05, 50)
    assert lateness(ends, calls(200, plan([20.0]))) < lateness(ends, calls(200, UNKNOWN)) / 3


def test_the_less_is_known_the_wider_are_the_calls() -> None:
    def close(durations: list[float]) -> int:
        return len([time for time in plan(durations) if 59 <= time <= 61])

    assert close([60.0]) < close([60.0] * 4) < close([60.0] * 16)


def test_two_kinds_of_ends_have_dense_calls_each() -> None:
    times = plan([*drawn(12.0, 0.02, 10), *drawn(28.0, 0.02, 10)])
    assert len([time for time in times if 11 <= time <= 13]) >= 4
    assert len([time for time in times if 26 <= time <= 30]) >= 4
    assert len([time for time in times if 14 <= time <= 24]) <= 3


def test_one_job_that_took_very_long_leaves_most_calls_where_the_others_end() -> None:
    regular = drawn(20.0, 0.03, 9)
    times = plan([300.0, *regular])
    assert len([time for time in times if 17 <= time <= 23]) >= 8
    assert lateness(regular, calls(100, times)) < 0.3


def test_one_job_that_was_over_at_once_does_not_blur_the_calls() -> None:
    regular = drawn(60.0, 0.01, 18)
    assert lateness(regular, calls(100, plan([0.5, *regular]))) < 0.25


@pytest.mark.parametrize("length", [20.0, 60.0, 120.0])
@pytest.mark.parametrize("spread", [0.01, 0.05])
def test_a_job_of_a_busier_day_is_not_noticed_as_much_later(length: float, spread: float) -> None:
    times = plan(drawn(length, spread, NEWEST))
    for slower in (1.15, 1.25):
        ends = [length * slower * (1 + step / 100) for step in range(-3, 4)]
        assert lateness(ends, calls(2 * length, times)) < 0.1 * length


# What is learnt.


@pytest.mark.parametrize(
    ("told", "learnt"),
    [(None, 21.5), (20.4, 20.4), (19.0, 19.5), (0.0, 19.5), (22.0, 21.5), (28820.4, 21.5), (-3.0, 19.5)],
)
def test_what_the_provider_tells_is_believed_as_far_as_it_agrees_with_what_was_seen(
    told: float | None, learnt: float
) -> None:
    assert duration_of(told, unfinished=19.5, noticed=21.5) == learnt
