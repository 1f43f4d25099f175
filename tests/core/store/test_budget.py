"""What a job is reckoned with, and what the day's budget bears: in threads, processes, and over midnight."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from journals import HOUR, NOON, WHY, Time, accepted, claimed, new_job, sql, traced

from nodes.core.errors import OverBudget
from nodes.core.store.budget import UNDER_WAY_SECONDS, Budget
from nodes.core.store.job import Asked, Claimed, Existing, Job, NewJob, PriceAwaited
from nodes.core.store.journal import Journal

STATED = 0.5


def cost(journal: Journal, usd: float | None, name: str = "paid", **more: object) -> Job:
    """Record a job that ended with this cost."""
    job = accepted(journal, name, f"request-{name}", **more)
    return journal.mark_delivered(journal.mark_finished(replace(job, cost=usd)))


def estimate(journal: Journal, base_price: float | None, **more: object) -> float | None:
    """Return what a job is reckoned with that is not made."""
    claim = journal.claim(new_job("not made", base_price, **more), Budget(99.0, STATED))
    assert isinstance(claim, Claimed)
    journal.release(claim.job)
    return claim.job.estimate


# What a job is reckoned with


def test_a_job_is_reckoned_with_the_highest_cost_of_the_same_model_size_and_count(journal: Journal) -> None:
    for number, usd in enumerate((0.1, 0.24, 0.2)):
        cost(journal, usd, f"n{number}")
    cost(journal, 9.0, "other size", size="4K")
    cost(journal, 9.0, "other model", model_id="vendor/other")
    cost(journal, 0.9, "other count", count=2)
    assert estimate(journal, 0.07) == 0.24


def test_only_the_latest_twenty_costs_count(journal: Journal) -> None:
    cost(journal, 9.0, "of long ago")
    for number in range(20):
        cost(journal, 0.1, f"n{number}")
    assert estimate(journal, 0.07) == 0.1


def test_what_was_not_charged_is_not_a_price(journal: Journal) -> None:
    journal.mark_ended(accepted(journal, "b"), "failed", WHY, 0.0)
    assert estimate(journal, 0.07) == 0.07
    journal.mark_ended(accepted(journal, "c", "r3"), "failed", WHY, 0.2)
    assert estimate(journal, 0.07) == 0.2, "a failed job that was charged tells a price"


def test_another_count_is_reckoned_by_the_image(journal: Journal) -> None:
    cost(journal, 0.1, "one")
    cost(journal, 0.48, "two", count=2)
    assert estimate(journal, 0.07, count=4) == pytest.approx(0.96)


def test_before_any_cost_the_base_price_counts_and_else_what_was_stated(journal: Journal) -> None:
    assert estimate(journal, 0.07) == 0.07
    assert estimate(journal, None) == STATED
    assert claimed(journal).estimate is None, "without a budget nothing is reckoned"


# What counts as spent


def test_the_budget_counts_what_is_spent_and_what_is_under_way(journal: Journal) -> None:
    cost(journal, 0.3)
    accepted(journal, "b", "r2", STATED)
    assert journal.spent_today() == pytest.approx(0.6)
    cost(journal, 0.4, "c", size="2K")
    with pytest.raises(
        OverBudget,
        match=r"(?s)budget of \$1\.20 .*\$1\.00 is spent.*may cost \$0\.30.*Charged: no.*RUNCOMFY_DAILY",
    ):
        journal.claim(new_job("d"), Budget(1.2))
    assert len(journal.recent()) == 3
    assert isinstance(journal.claim(new_job("d"), Budget(1.3)), Claimed)


def test_a_known_job_needs_no_budget(journal: Journal) -> None:
    accepted(journal)
    assert isinstance(journal.claim(new_job(), Budget(0.0)), Existing)


def test_what_was_not_charged_does_not_count(journal: Journal) -> None:
    journal.mark_ended(accepted(journal, "a", "r1", 0.2), "cancelled", WHY)
    journal.mark_ended(accepted(journal, "b", "r2", 0.2), "failed", WHY, 0.0)
    job = claimed(journal, "c", 0.2)
    journal.mark_submitting(job)
    journal.mark_refused(job, WHY)
    journal.release(claimed(journal, "d", 0.2))
    journal.adopt(new_job("e", 0.2), "r5")
    assert journal.spent_today() == 0
    journal.mark_ended(accepted(journal, "f", "r6", 0.2), "failed", WHY, 0.1)
    job = claimed(journal, "g", 0.2)
    journal.mark_submitting(job)
    journal.mark_lost(job)
    assert journal.spent_today() == pytest.approx(0.2), "a failed job that cost, and a lost one that may have"


@pytest.mark.parametrize("end", ["delivered", "failed", "expired"])
def test_a_job_that_ends_without_a_cost_counts_what_it_was_reckoned_with(journal: Journal, end: str) -> None:
    job = accepted(journal, reckoned=0.2)
    if end == "delivered":
        journal.mark_delivered(journal.mark_finished(job))
    else:
        journal.mark_ended(job, end, WHY)
    assert journal.spent_today() == pytest.approx(0.2)


def test_jobs_of_every_token_count(journal: Journal) -> None:
    cost(journal, 0.4, account="the token of yesterday")
    cost(journal, 0.5, "b", account="the token of today")
    assert journal.spent_today() == pytest.approx(0.9)


def test_a_job_counts_for_the_day_it_was_made(journal: Journal, clock: Time) -> None:
    clock.now = NOON + 11.9 * HOUR
    job = accepted(journal, reckoned=0.1)
    clock.now = NOON + 12.1 * HOUR
    journal.mark_finished(replace(job, cost=1.0))
    assert journal.spent_today() == 0
    assert isinstance(journal.claim(new_job("b"), Budget(1.0)), Claimed)
    clock.now = NOON + 11.95 * HOUR
    with pytest.raises(OverBudget):
        journal.claim(new_job("c"), Budget(1.0))


def test_a_claim_that_died_before_it_was_sent_costs_nothing(open_journal: Callable[[], Journal]) -> None:
    dead, alive = open_journal(), open_journal()
    claimed(dead, "a", 0.5)
    sent = claimed(dead, "b", 0.25)
    dead.mark_submitting(sent)
    assert alive.spent_today() == pytest.approx(0.75), "its process may send it yet"
    dead.close()
    assert alive.spent_today() == pytest.approx(0.25), "only the one that may have been accepted"
    claim = alive.claim(new_job("c", 0.5, size="2K"), Budget(0.75))
    assert isinstance(claim, Claimed)


# Who may go on


def test_nothing_known_of_the_price_is_refused_unless_a_maximum_is_stated(journal: Journal) -> None:
    with pytest.raises(OverBudget, match=r"(?s)nothing tells.*Charged: no.*RUNCOMFY_MAX_COST_USD.*--max-cost"):
        journal.claim(new_job(), Budget(1.0))
    assert journal.recent() == []
    assert isinstance(journal.claim(new_job(), Budget(1.0, max_cost=0.6)), Claimed)
    with pytest.raises(OverBudget, match=r"may cost \$0\.60"):
        journal.claim(new_job("b"), Budget(1.0, max_cost=0.6))
    assert isinstance(journal.claim(new_job("c")), Claimed), "without a budget nothing is asked"


def test_of_a_kind_with_a_base_price_alone_one_runs_at_a_time(journal: Journal) -> None:
    budget = Budget(1.0)
    first = accepted(journal, "a")
    assert journal.claim(new_job("b", 0.07), budget) == PriceAwaited(first)
    assert isinstance(journal.claim(new_job("b", 0.14, count=2), budget), PriceAwaited)
    assert isinstance(journal.claim(new_job("d", 0.07, size="2K"), budget), Claimed)
    assert isinstance(journal.claim(new_job("c", 0.07)), Claimed), "only where there is a budget"
    journal.release(journal.recent(1)[0])
    journal.mark_finished(replace(first, cost=0.24))
    claim = journal.claim(new_job("b", 0.07, count=2), budget)
    assert isinstance(claim, Claimed) and claim.job.estimate == pytest.approx(0.48)


def test_a_first_job_that_tells_no_cost_lets_the_next_one_go(journal: Journal) -> None:
    first = accepted(journal, "a")
    journal.mark_finished(first)
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0)), Claimed)


def test_a_first_job_of_a_dead_process_is_not_waited_for(open_journal: Callable[[], Journal]) -> None:
    dead, alive = open_journal(), open_journal()
    job = claimed(dead, "a", 0.07)
    dead.mark_submitting(job)
    assert isinstance(alive.claim(new_job("b", 0.07), Budget(1.0)), PriceAwaited)
    dead.close()
    assert isinstance(alive.claim(new_job("b", 0.07), Budget(1.0)), Claimed)


def test_a_first_job_of_another_account_is_not_waited_for(journal: Journal) -> None:
    """Nobody here can ask what it costs. Found by a history of the simulation, in which half an hour was waited."""
    first = accepted(journal, "a")
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0)), PriceAwaited)
    asked = Asked(is_ours={first.id: False})
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0), asked), Claimed)


def test_a_first_job_that_is_left_alone_is_not_waited_for_for_ever(journal: Journal, clock: Time) -> None:
    accepted(journal, "a")
    clock.now += UNDER_WAY_SECONDS - 1
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0)), PriceAwaited)
    clock.now += 2
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0)), Claimed)


def test_a_first_job_from_before_the_clock_was_put_back_is_not_waited_for(journal: Journal, clock: Time) -> None:
    """Found by a history of the simulation: the next run waited for as long as the clock had been ahead."""
    accepted(journal, "a")
    clock.now -= 90000
    assert isinstance(journal.claim(new_job("b", 0.07), Budget(1.0)), Claimed)


@pytest.mark.parametrize("told", [0.24, None])
def test_twenty_at_once_pass_the_budget_by_the_first_one_alone(
    open_journal: Callable[[], Journal], told: float | None
) -> None:
    pair = (open_journal(), open_journal())

    def run(number: int) -> float:
        """Run a job of base price 0.07 that truly costs 0.24 to its end; return what the API bills."""
        journal = pair[number % 2]
        while True:
            try:
                claim = journal.claim(new_job(str(number), 0.07), Budget(1.0))
            except OverBudget:
                return 0.0
            if isinstance(claim, Claimed):
                break
            time.sleep(0.002)
        journal.mark_submitting(claim.job)
        journal.mark_submitted(claim.job, f"r{number}")
        time.sleep(0.005)
        journal.mark_delivered(journal.mark_finished(replace(claim.job, cost=told)))
        return told or 0.07

    with ThreadPoolExecutor(20) as pool:
        billed = sum(pool.map(run, range(20)))
    assert billed == pytest.approx(0.96 if told else 0.98)
    assert pair[0].spent_today() == pytest.approx(billed)


def test_two_processes_do_not_both_take_the_last_of_the_budget(open_journal: Callable[[], Journal]) -> None:
    pair = (open_journal(), open_journal())
    cost(pair[0], 0.1)

    def claim(number: int) -> bool:
        try:
            return isinstance(pair[number % 2].claim(new_job(str(number)), Budget(0.6)), Claimed)
        except OverBudget:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(claim, range(40))) == 5


def test_costs_are_looked_up_by_index_among_a_hundred_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = traced(monkeypatch)
    journal = Journal(tmp_path)
    columns = "fingerprint, account, model_id, variant, size, count, state, owner, request_id, created_at, cost"
    sql(
        journal,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        f"INSERT INTO jobs ({columns}) "
        "SELECT 'f' || i, 'a', 'm', '', '1K', 1, 'delivered', 'o', 'r' || i, i, 1.0 FROM n",
    )
    asked.clear()
    for count in (1, 2):
        new = NewJob(f"new {count}", "a", "m", "1K", count, 0.1)
        assert isinstance(journal.claim(new, Budget(9.0)), Claimed)
    assert isinstance(journal.claim(NewJob("new", "a", "m", "2K", 1, 0.1), Budget(9.0)), Claimed)
    assert isinstance(journal.claim(NewJob("newer", "a", "m", "2K", 1, 0.1), Budget(9.0)), PriceAwaited)
    journal.close()
    selects = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(selects) >= 20
    for statement in selects:
        plan = " ".join(str(row[3]) for row in sql(journal, f"EXPLAIN QUERY PLAN {statement}"))
        assert "SEARCH" in plan, (statement, plan)
        assert "TEMP B-TREE" not in plan
