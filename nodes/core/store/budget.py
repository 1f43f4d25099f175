"""What a job is reckoned to cost, and whether the day's budget bears it. Read within a journal's transaction.

The base price of the catalogue is the least that a job costs, so what such jobs have cost before counts first.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import OverBudget, step
from ..money import Limit
from ..texts import note
from .engines.engine import Lease, Session
from .job import Asked, Author, Job, NewJob
from .rows import many
from .spending import COLUMNS, USD, WHOSE, began, spent_within

# A job that nobody waits for any more holds others up no longer than it would be waited for.
UNDER_WAY_SECONDS = 1800.0
LATEST = 20


@dataclass(frozen=True)
class Budget:
    """How many USD a person lets the pack spend, and what a job may cost of which nothing is known.

    ``usd_a_day`` is a limit for all, beside the other ``limits``.
    """

    usd_a_day: float | None = None
    max_cost: float | None = None
    limits: tuple[Limit, ...] = ()

    @property
    def all_limits(self) -> tuple[Limit, ...]:
        """Every limit there is."""
        return self.limits if self.usd_a_day is None else (Limit(self.usd_a_day, "day"), *self.limits)


@dataclass(frozen=True)
class Estimate:
    """What a job is reckoned with in USD, None where nothing is known; ``base_only``: it costs that at least."""

    usd: float | None
    base_only: bool = False


def estimate(db: Session, new_job: NewJob, budget: Budget) -> Estimate:
    """Return the most that such jobs have cost of late; else the base price; else what a person stated."""
    if same := _costs(db, new_job, "AND count IS :count"):
        return Estimate(max(usd for usd, _ in same))
    each = [usd / count for usd, count in _costs(db, new_job) if count]
    if each and new_job.count:
        return Estimate(max(each) * new_job.count)
    if new_job.base_price is not None:
        return Estimate(new_job.base_price, base_only=True)
    return Estimate(budget.max_cost)


def spent_since(db: Session, moment: float) -> float:
    """Return the USD of the jobs made since ``moment``; where no cost is known, what they were reckoned with."""
    return spent_within(db, moment)


def keep_cost(db: Session, job: Job) -> None:
    """Keep what a job counts for its day; the job itself is to be forgotten."""
    db.execute(
        f"INSERT INTO forgotten ({WHOSE}, usd) SELECT {WHOSE}, {USD} FROM jobs "
        f"WHERE id = :id AND owner <> '' AND {USD} > 0",
        {"id": job.id},
    )


def require(db: Session, budget: Budget, new_job: NewJob, reckoned: Estimate, now: float) -> None:
    """Check that every limit bears a job.

    Raises:
        OverBudget: one does not, or nobody can tell.
    """
    if reckoned.usd is None:
        raise OverBudget("price_unknown", next=(step("state_max_cost"),))
    for limit in budget.all_limits:
        if not _holds_for(limit, new_job.author):
            continue
        spent = _spent_of(db, limit, new_job.author, now)
        # Sums of cents are no exact floats: 0.2 + 0.1 is within a budget of 0.3.
        if spent >= limit.usd or round(spent + reckoned.usd - limit.usd, 6) > 0:
            raise _passed(limit, new_job.author, spent, reckoned.usd)


def first_moment(budget: Budget, now: float) -> float:
    """Return since when what was spent counts."""
    return min((began(limit.period, now) for limit in budget.all_limits), default=now)


def first_of_its_price(db: Session, owner: Lease, new_job: NewJob, asked: Asked, now: float) -> Job | None:
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


def _holds_for(limit: Limit, author: Author) -> bool:
    return limit.scope == "all" or limit.name in (None, _name(limit, author))


def _name(limit: Limit, author: Author) -> str:
    return author.user if limit.scope == "user" else author.project


def _spent_of(db: Session, limit: Limit, author: Author, now: float) -> float:
    since = began(limit.period, now)
    if limit.scope == "all":
        return spent_within(db, since)
    return spent_within(db, since, f" AND {COLUMNS[limit.scope]} = :name", name=_name(limit, author))


def _passed(limit: Limit, author: Author, spent: float, price: float) -> OverBudget:
    if limit.scope == "all" and limit.period == "day":
        return OverBudget("budget_passed", budget_usd=limit.usd, spent_usd=spent, price_usd=price)
    whose = note(f"budget.{limit.scope}_{limit.period}", name=_name(limit, author) or "-")
    steps = (step("raise_limit"),)
    return OverBudget(
        "limit_passed", whose=whose, budget_usd=limit.usd, spent_usd=spent, price_usd=price, next=steps
    )


def _costs(db: Session, new_job: NewJob, condition: str = "") -> list[tuple[float, int | None]]:
    """Return what the latest jobs of the same model and size have cost, with their counts."""
    rows = db.execute(
        "SELECT cost, count FROM jobs WHERE model_id = :model_id AND size = :size AND cost IS NOT NULL "
        f"AND (cost > 0 OR state NOT IN ('failed', 'cancelled', 'refused')) {condition} "
        "ORDER BY id DESC LIMIT :latest",
        {"model_id": new_job.model_id, "size": new_job.size, "count": new_job.count, "latest": LATEST},
    )
    return [(float(cost), count) for cost, count in rows]
