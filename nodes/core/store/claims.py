"""What may be done with the same inputs again. Read, and cleared of dead claims, within a journal's transaction."""

from __future__ import annotations

import time

from .engines.engine import Lease, Session
from .job import LIVE, Asked, Busy, Claim, Existing, Job, Moment, NewJob, OutcomeUnknown, PermissionNeeded
from .rows import many, one

# By as much two clocks of a computer may differ although nobody has set one.
_DRIFT_SECONDS = 2.0


def carry_forward(db: Session, new_job: NewJob) -> None:
    """Give the rows of before 0.2 that have the same inputs the fingerprint of now."""
    for former in new_job.former_fingerprints:
        values = {"now": new_job.fingerprint, "former": former}
        db.execute("UPDATE jobs SET fingerprint = :now WHERE fingerprint = :former", values)


def found(db: Session, owner: Lease, new_job: NewJob, asked: Asked, now: float) -> Claim | None:
    """Return what has become of the same job, whatever token it was made with; None where a new one may be made."""
    for row in live(db, new_job):
        if asked.is_ours.get(row.id, True) and (claim := _of_live(db, owner, row)):
            return claim
    if lost := _told_meanwhile(db, new_job, asked.since, now):
        return OutcomeUnknown(lost)
    newest = _newest(db, new_job, asked)
    if newest is None or not newest.ended_paid:
        return None
    if newest.retry_allowed:
        # By somebody of one account: that of another one is not paid for on the strength of it.
        is_ours = newest.account == new_job.account or newest.id in asked.is_ours
        return None if is_ours else PermissionNeeded(newest)
    # Whether its files can be had after all is found out for nothing.
    may_be_had = newest.has_result or newest.without_image or newest.state == "expired"
    return Existing(newest) if may_be_had else PermissionNeeded(newest)


def live(db: Session, new_job: NewJob) -> list[Job]:
    """Return the live rows of the same inputs, that of the same account first."""
    query = f"SELECT * FROM jobs WHERE fingerprint = :fingerprint AND state IN {LIVE}"
    rows = many(db, query, fingerprint=new_job.fingerprint)
    return sorted(rows, key=lambda row: (row.account != new_job.account, -row.id))


def remove_dead(db: Session, owner: Lease, since: float) -> None:
    """Remove the claims since a moment whose processes died before they sent anything: they cost nothing."""
    rows = many(db, "SELECT * FROM jobs WHERE created_at >= :since AND state = 'preparing'", since=since)
    for row in rows:
        if not owner.is_connected(row.owner):
            db.execute("DELETE FROM jobs WHERE id = :id", {"id": row.id})


def _of_live(db: Session, owner: Lease, row: Job) -> Claim | None:
    """Return what a live row means for the next run; None where it was a dead claim, which is removed."""
    if row.state in ("submitted", "delivered"):
        return Existing(row)
    if row.state == "lost":
        return OutcomeUnknown(row)
    if row.state == "preparing" and not owner.is_connected(row.owner):
        # Its process may live, and finds out before it sends anything.
        db.execute("DELETE FROM jobs WHERE id = :id", {"id": row.id})
        return None
    if owner.is_alive(row.owner):
        return Busy(row)
    db.execute("UPDATE jobs SET state = 'lost' WHERE id = :id", {"id": row.id})
    return OutcomeUnknown(row)


def _told_meanwhile(db: Session, new_job: NewJob, since: Moment | None, now: float) -> Job | None:
    """Return a job whose lost answer was told after a moment, by the clock as it was then, or as it is set now."""
    if since is None:
        return None
    waited = time.monotonic() - since.steady
    was_set = abs(now - since.wall - waited) > _DRIFT_SECONDS
    return one(
        db,
        "SELECT * FROM jobs WHERE fingerprint = :fingerprint AND state = 'unknown' AND "
        "(ended_at > :since AND ended_at <= :until OR ended_at > :since_now AND ended_at <= :now)",
        fingerprint=new_job.fingerprint,
        since=since.wall,
        until=since.wall + waited + _DRIFT_SECONDS,
        since_now=now - waited if was_set else now,
        now=now,
    )


def _newest(db: Session, new_job: NewJob, asked: Asked) -> Job | None:
    """Return the newest job of this account; one that was paid for is asked for where another token made it."""
    query = "SELECT * FROM jobs WHERE fingerprint = :fingerprint ORDER BY id DESC"
    rows = many(db, query, fingerprint=new_job.fingerprint)
    return next((row for row in rows if _may_be_ours(row, new_job, asked)), None)


def _may_be_ours(row: Job, new_job: NewJob, asked: Asked) -> bool:
    return asked.is_ours.get(row.id, row.account == new_job.account or row.ended_paid)
