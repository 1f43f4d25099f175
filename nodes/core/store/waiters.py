"""Who waits for a job, in any process. Read and written within a journal's transaction.

A queued job is cancelled only where nobody waits for it any more.
"""

from __future__ import annotations

import sqlite3

from .process_lease import ProcessLease


def join(db: sqlite3.Connection, owner: ProcessLease, job_id: int) -> int:
    """Record that a run of this process waits for a job; return its number."""
    # Only of a job under way it matters who waits for it.
    ended = "(SELECT state FROM jobs WHERE jobs.id = job_id) IS NOT 'submitted'"
    db.execute(f"DELETE FROM waiters WHERE {ended}")
    values = {"job_id": job_id, "owner": owner.name}
    number = db.execute("INSERT INTO waiters (job_id, owner) VALUES (:job_id, :owner)", values).lastrowid
    return number or 0


def leave(db: sqlite3.Connection, owner: ProcessLease, job_id: int, number: int | None) -> bool:
    """Record that a run waits no longer, None for one that was not recorded; return whether no other waits."""
    db.execute("DELETE FROM waiters WHERE id = :number", {"number": number})
    names = db.execute("SELECT DISTINCT owner FROM waiters WHERE job_id = :job_id", {"job_id": job_id}).fetchall()
    return not any(owner.is_alive(name) for (name,) in names)
