"""Who waits for a job, in any process. Read and written within a journal's transaction.

A queued job is cancelled only where nobody waits for it any more.
"""

from __future__ import annotations

from .engines.engine import Lease, Session


def join(db: Session, owner: Lease, job_id: int) -> int:
    """Record that a run of this process waits for a job; return its number."""
    # Only of a job under way it matters who waits for it.
    under_way = "SELECT 1 FROM jobs WHERE jobs.id = job_id AND state = 'submitted'"
    db.execute(f"DELETE FROM waiters WHERE NOT EXISTS ({under_way})")
    return db.insert("waiters", {"job_id": job_id, "owner": owner.name})


def leave(db: Session, owner: Lease, job_id: int, number: int | None) -> bool:
    """Record that a run waits no longer, None for one that was not recorded; return whether no other waits."""
    db.execute("DELETE FROM waiters WHERE id = :number", {"number": number})
    names = db.execute("SELECT DISTINCT owner FROM waiters WHERE job_id = :job_id", {"job_id": job_id}).fetchall()
    return not any(owner.is_alive(name) for (name,) in names)
