"""What was spent: on which day and model, by whom, for which project. Read within a journal's transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..money import Period
from .engines.engine import Session

By: TypeAlias = Literal["day", "model", "user", "project", "host"]

COLUMNS: dict[By, str] = {
    "model": "model_id",
    "user": "user_name",
    "project": "project",
    "host": "host_name",
}
NEVER = 1e18
# Of a job that may yet cost something, what it was reckoned with.
USD = "COALESCE(cost, CASE WHEN state IN ('cancelled', 'refused') THEN 0 ELSE estimate END)"
WHOSE = "created_at, model_id, user_name, host_name, project"
_THEN = "created_at >= :since AND created_at < :until"
# The jobs, and those forgotten. Apart, each is found by its index.
SPENT = (
    f"SELECT {WHOSE}, state, {USD} AS usd FROM jobs WHERE {_THEN} AND owner <> ''",
    f"SELECT {WHOSE}, '' AS state, usd FROM forgotten WHERE {_THEN}",
)
_BOTH = f"({' UNION ALL '.join(SPENT)}) AS spent"
# Nothing has been sent of a job that is being prepared.
_SENT = "state <> 'preparing'"
_SUMS = "COALESCE(SUM(usd), 0), COUNT(CASE WHEN usd > 0 THEN 1 END)"


@dataclass(frozen=True)
class Spent:
    """What was spent on one day, on one model, by one user ...: its name, USD, and how many jobs were paid for."""

    name: str
    usd: float
    jobs: int


def spent(db: Session, by: By, since: float, until: float = NEVER) -> list[Spent]:
    """Return what was spent from a moment on, in order of the names; days are local ones, as YYYY-MM-DD."""
    if by == "day":
        return _by_day(db, since, until)
    query = f"SELECT {COLUMNS[by]}, {_SUMS} FROM {_BOTH} WHERE {_SENT} GROUP BY 1"
    rows = db.execute(query, {"since": since, "until": until}).fetchall()
    return sorted((Spent(str(name), float(usd), int(jobs)) for name, usd, jobs in rows), key=lambda one: one.name)


def spent_within(db: Session, since: float, condition: str = "", **values: object) -> float:
    """Return the USD of the jobs made since a moment, also of those that are being prepared."""
    given = {"since": since, "until": NEVER, **values}
    rows = [db.execute(f"SELECT SUM(usd) FROM ({one}{condition}) AS spent", given).fetchone() for one in SPENT]
    return sum(float(row[0] or 0.0) for row in rows)


def began(period: Period, now: float) -> float:
    """Return when the local day or month began that ``now`` is in; seconds since the epoch."""
    at = time.localtime(now)
    return time.mktime((at.tm_year, at.tm_mon, at.tm_mday if period == "day" else 1, 0, 0, 0, 0, 0, -1))


def _by_day(db: Session, since: float, until: float) -> list[Spent]:
    """Each day by itself: a change of the clocks moves the beginning of one, and no server knows this host's."""
    ends = f"SELECT MIN(created_at), MAX(created_at) FROM {_BOTH}"
    first, last = db.execute(ends, {"since": since, "until": until}).fetchone()
    found = []
    day = None if first is None else began("day", first)
    while day is not None and day <= last:
        after = began("day", day + 1.5 * 86400)
        values = {"since": max(since, day), "until": min(until, after)}
        usd, jobs = db.execute(f"SELECT {_SUMS} FROM {_BOTH} WHERE {_SENT}", values).fetchone()
        if jobs or usd:
            found.append(Spent(time.strftime("%Y-%m-%d", time.localtime(day)), float(usd), int(jobs)))
        day = after
    return found
