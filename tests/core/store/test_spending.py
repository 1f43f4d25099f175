"""Who spent what: users, hosts and projects beside the jobs, and the budgets of each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from journals import HOUR, NOON, Time, accepted, new_job

from nodes.core.config.budgets import read_budgets
from nodes.core.errors import ConfigError, OverBudget
from nodes.core.money import Limit
from nodes.core.store.budget import Budget
from nodes.core.store.job import Author, Claimed, Job
from nodes.core.store.journal import Journal
from nodes.core.store.spending import Spent, began, spent

ALICE, BOB = Author("alice", "render-1", "spot"), Author("bob", "render-2", "film")


def paid(journal: Journal, name: str, usd: float, author: Author, **more: Any) -> Job:
    job = accepted(journal, name, f"request-{name}", author=author, **more)
    return journal.mark_delivered(journal.mark_finished(replace(job, cost=usd)))


def sums(journal: Journal, by: Any, since: float = 0.0) -> list[tuple[str, float, int]]:
    found: list[Spent] = journal.read(lambda db, _: spent(db, by, since))
    return [(one.name, round(one.usd, 6), one.jobs) for one in found]


def claim(journal: Journal, name: str, budget: Budget, author: Author, price: float = 0.1) -> bool:
    return isinstance(journal.claim(new_job(name, price, size=name, author=author), budget), Claimed)


def test_spending_is_told_by_user_project_and_host(journal: Journal) -> None:
    paid(journal, "a", 0.25, ALICE)
    paid(journal, "b", 0.5, BOB)
    paid(journal, "c", 0.25, replace(ALICE, project="film"))
    journal.forget(paid(journal, "d", 1.0, BOB))
    paid(journal, "e", 0.125, Author())
    assert sums(journal, "user") == [("", 0.125, 1), ("alice", 0.5, 2), ("bob", 1.5, 2)]
    assert sums(journal, "project") == [("", 0.125, 1), ("film", 1.75, 3), ("spot", 0.25, 1)]
    assert sums(journal, "host") == [("", 0.125, 1), ("render-1", 0.5, 2), ("render-2", 1.5, 2)]


def test_a_day_begins_at_local_midnight_also_where_the_clocks_change(
    journal: Journal, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        # The night in which the clocks go forward: the day has 23 hours.
        for name, at in (("a", (2031, 3, 29, 23, 59)), ("b", (2031, 3, 30, 0, 1)), ("c", (2031, 3, 31, 0, 1))):
            clock.now = time.mktime((*at, 0, 0, 0, -1))
            paid(journal, name, 1.0, ALICE)
        assert sums(journal, "day") == [("2031-03-29", 1.0, 1), ("2031-03-30", 1.0, 1), ("2031-03-31", 1.0, 1)]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


@pytest.mark.parametrize(
    ("limit", "refused", "allowed", "told"),
    [
        (Limit(0.5, "day", "user", "alice"), ALICE, BOB, r"\$0\.50 a day for the user alice"),
        (Limit(0.5, "month", "user"), ALICE, BOB, r"\$0\.50 a month for the user alice"),
        (Limit(0.5, "day", "project", "spot"), ALICE, BOB, r"\$0\.50 a day for the project spot"),
        (Limit(0.5, "month", "project"), ALICE, BOB, r"a month for the project spot"),
        (Limit(0.5, "month"), ALICE, None, r"\$0\.50 a month for all"),
        (Limit(0.5, "day"), BOB, None, r"The day's budget of \$0\.50"),
    ],
)
def test_a_budget_holds_for_those_it_names(
    journal: Journal, limit: Limit, refused: Author, allowed: Author | None, told: str
) -> None:
    paid(journal, "a", 0.5, ALICE)
    budget = Budget(limits=(limit,))
    with pytest.raises(OverBudget, match=rf"(?s){told}.*\$0\.50 is spent.*Charged: no"):
        claim(journal, "b", budget, refused)
    assert allowed is None or claim(journal, "b", budget, allowed)


def test_the_budget_of_a_month_counts_its_days_and_ends_with_it(journal: Journal, clock: Time) -> None:
    budget = Budget(limits=(Limit(1.0, "month"),))
    paid(journal, "a", 0.95, ALICE)
    clock.now = NOON + 48 * HOUR
    with pytest.raises(OverBudget, match="Raise it in RUNCOMFY_BUDGETS"):
        claim(journal, "b", budget, ALICE)
    clock.now = NOON + 31 * 24 * HOUR
    assert claim(journal, "b", budget, ALICE)


def test_every_budget_must_bear_a_job(journal: Journal) -> None:
    paid(journal, "a", 0.5, ALICE)
    wide, narrow = Limit(99.0, "month"), Limit(0.5, "day", "user")
    for budget in (Budget(99.0, limits=(wide, narrow)), Budget(0.55, limits=(wide,))):
        with pytest.raises(OverBudget):
            claim(journal, "b", budget, ALICE)
    assert claim(journal, "b", Budget(99.0, limits=(wide,)), ALICE)


def test_a_day_and_a_month_begin_at_midnight() -> None:
    assert time.localtime(began("day", NOON))[:6] == (2031, 5, 17, 0, 0, 0)
    assert time.localtime(began("month", NOON))[:6] == (2031, 5, 1, 0, 0, 0)


def test_budgets_are_read() -> None:
    text = "all=300/month, user = $10.5/day,user:alice=20/day , project:a spot=0/month,"
    assert read_budgets({"RUNCOMFY_BUDGETS": text}) == (
        Limit(300.0, "month"),
        Limit(10.5, "day", "user"),
        Limit(20.0, "day", "user", "alice"),
        Limit(0.0, "month", "project", "a spot"),
    )
    assert read_budgets({}) == ()


@pytest.mark.parametrize(
    "text", ["5", "all=5", "all=5/week", "all:x=5/day", "user=-5/day", "user=nan/day", "user=1e3/day", "team=5/day"]
)
def test_a_budget_that_cannot_be_read_is_not_left_out(text: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s)RUNCOMFY_BUDGETS cannot be read.*all=300/month"):
        read_budgets({"RUNCOMFY_BUDGETS": f"all=1/day,{text}"})
