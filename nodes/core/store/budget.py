"""What a job is reckoned to cost, and whether the day's budget bears it. Read within a journal's transaction.

The base price of the catalogue is the least that a job costs, so what such jobs have cost before counts first.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ..errors import OverBudget, step
from .job import Asked, Job, NewJob
from .process_lease import ProcessLease
from .rows import many

_USD = "COALESCE(cost, CASE WHEN state IN ('cancelled', 'refused') THEN 0 ELSE estimate END)"
# What was spent on which model, and when, from the moment ``since`` on: on the jobs, and on those forgotten.
SPENT = (
    f"SELECT created_at, model_id, state, {_USD} AS usd FROM jobs WHERE created_at >= :since AND owner <> ''",
    "SELECT created_at, model_id, '', usd FROM forgotten WHERE created_at >= :since",
)
# A job that nobody waits for any more holds others up no longer than it would be waited for.
UNDER_WAY_SECONDS = 1800.0
LATEST = 20


@dataclass(frozen=True)
class Budget:
    """How many USD a person lets the pack spend on a day, and what a job may cost of which nothing is known."""

    usd_a_day: float
    max_cost: float | None = None


@dataclass(frozen=True)
class Estimate:
    """What a job is reckoned with in USD, None where nothing is known; ``base_only``: it costs that at least."""

    usd: float | None
    base_only: bool = False


def estimate(db: sqlite3.Connection, new_job: NewJob, budget: Budget) -> Estimate:
    """Return the most that such jobs have cost of late; else the base price; else what a person stated."""
    if same := _costs(db, new_job, "AND count IS :count"):
        return Estimate(max(usd for usd, _ in same))
    each = [usd / count for usd, count in _costs(db, new_job) if count]
    if each and new_job.count:
        return Estimate(max(each) * new_job.count)
    if new_job.base_price is not None:
        return Estimate(new_job.base_price, base_only=True)
    return Estimate(budget.max_cost)


def spent_since(db: sqlite3.Connection, moment: float) -> float:
    """Return the USD of the jobs made since ``moment``; where no cost is known, what they were reckoned with."""
    return sum(
        float(db.execute(f"SELECT SUM(usd) FROM ({spent})", {"since": moment}).fetchone()[0] or 0.0)
        for spent in SPENT
    )


def keep_cost(db: sqlite3.Connection, job: Job) -> None:
    """Keep what a job counts for its day; the job itself is to be forgotten."""
    db.execute(
        f"INSERT INTO forgotten (created_at, model_id, usd) SELECT created_at, model_id, {_USD} FROM jobs "
        f"WHERE id = :id AND owner <> '' AND {_USD} > 0",
        {"id": job.id},
    )


def require(budget: Budget, spent: float, reckoned: Estimate) -> None:
    """Check that the day's budget bears a job.

    Raises:
        OverBudget: it does not, or nobody can tell.
    """
    if reckoned.usd is None:
        raise OverBudget("price_unknown", next=(step("state_max_cost"),))
    # Sums of cents are no exact floats: 0.2 + 0.1 is within a budget of 0.3.
    if spent >= budget.usd_a_day or round(spent + reckoned.usd - budget.usd_a_day, 6) > 0:
        raise OverBudget("budget_passed", budget_usd=budget.usd_a_day, spent_usd=spent, price_usd=reckoned.usd)


def first_of_its_price(
    db: sqlite3.Connection, owner: ProcessLease, new_job: NewJob, asked: Asked, now: float
) -> Job | None:
    """Return a job under way of the same model and size, whose cost will tell what the others cost.

    Of one that is said to begin in the future, after the computer's clock was put back, nobody knows how old it is.
    """
    rows = many(
        db,
        "SELECT * FROM jobs WHERE created_at > :since AND created_at <= :now AND model_id = :model_id "
        "AND size = :size AND cost IS NULL AND ended_at IS NULL "
        "AND state IN ('preparing', 'submitting', 'submitted') "
        "ORDER BY created_at",
        since=now - UNDER_WAY_SECONDS,
        now=now,
        model_id=new_job.model_id,
        size=new_job.size,
    )
    # That of another account cannot be asked for what it costs.
    askable = (row for row in rows if asked.is_ours.get(row.id, True))
    return next((row for row in askable if row.state == "submitted" or owner.is_alive(row.owner)), None)


def _costs(db: sqlite3.Connection, new_job: NewJob, condition: str = "") -> list[tuple[float, int | None]]:
    """Return what the latest jobs of the same model and size have cost, with their counts."""
    rows = db.execute(
        "SELECT cost, count FROM jobs WHERE model_id = :model_id AND size = :size AND cost IS NOT NULL "
        f"AND (cost > 0 OR state NOT IN ('failed', 'cancelled', 'refused')) {condition} "
        "ORDER BY id DESC LIMIT :latest",
        {"model_id": new_job.model_id, "size": new_job.size, "count": new_job.count, "latest": LATEST},
    )
    return [(float(cost), count) for cost, count in rows]
