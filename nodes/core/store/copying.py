"""Copies a record from one engine to the other: all of it, or nothing."""

from __future__ import annotations

from pathlib import Path

from ..errors import PackError, step
from .engines import open_engine
from .engines.engine import Engine, Session

# With their ids, so that what is owed to a job still finds it. Waiters and leases are those of living processes.
_TABLES = ("meta", "former_accounts", "jobs", "inputs", "forgotten", "places")


def copy_record(source: tuple[Path, str], target: tuple[Path, str]) -> int:
    """Copy every job, with its inputs and what forgotten ones cost; return how many jobs. Blocking.

    Both are a state folder, and the address of a server or ''. Nothing is changed in the source, and no other
    process writes into either meanwhile. The target gets the source's key, so it must hold no job.

    Raises:
        PackError: the target holds jobs, a process works on a job of the source, or they are the same record.
        ConfigError, JournalError: one of them cannot be used; then the target is as it was.
    """
    origin = open_engine(*source)
    try:
        aim = open_engine(*target)
        try:
            if aim.place == origin.place:
                raise PackError("copy_onto_itself", place=aim.place)
            with origin.transaction() as read, aim.transaction() as write:
                _require_rest(origin, read)
                _require_empty(aim, write)
                return _copy(read, write)
        finally:
            aim.close()
    finally:
        origin.close()


def _require_rest(engine: Engine, db: Session) -> None:
    claimed = "SELECT owner FROM jobs WHERE state IN ('preparing', 'submitting')"
    owners = db.execute(f"{claimed} UNION SELECT owner FROM waiters").fetchall()
    if any(engine.lease.is_alive(owner) for (owner,) in owners):
        raise PackError("copy_of_live_record", place=engine.place, next=(step("stop_hosts"),))


def _require_empty(engine: Engine, db: Session) -> None:
    if db.execute("SELECT COUNT(*) FROM jobs").fetchone()[0]:
        raise PackError("copy_onto_jobs", place=engine.place, next=(step("copy_into_empty"),))


def _copy(read: Session, write: Session) -> int:
    for db in (read, write):
        db.take_time()
    for table in reversed(_TABLES):
        write.execute(f"DELETE FROM {table}{_which(table)}")
    for table in _TABLES:
        columns = tuple(str(column[0]) for column in write.execute(f"SELECT * FROM {table} LIMIT 0").description)
        rows = read.execute(f"SELECT {', '.join(columns)} FROM {table}{_which(table)}")
        write.fill(table, columns, (tuple(row) for row in rows))
    return int(write.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])


def _which(table: str) -> str:
    """Return a condition: the version of its tables each engine sets itself."""
    return " WHERE key <> 'version'" if table == "meta" else ""
