"""What the tests of the journal share: a clock that a test sets, and jobs at each step of their lives."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace

from nodes.core.store.job import Claimed, Job, NewJob
from nodes.core.store.journal import FILE_NAME, Journal
from nodes.core.texts import note

NOON = time.mktime((2031, 5, 17, 12, 0, 0, 0, 0, -1))
HOUR = 3600.0
WHY = note("failure.job_takes_too_long")


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def new_job(name: str = "a", price: float | None = None, **more: object) -> NewJob:
    return replace(NewJob(name, "account", "vendor/model", "1K", 1, price), **more)


def claimed(journal: Journal, name: str = "a", price: float | None = None, **more: object) -> Job:
    claim = journal.claim(new_job(name, price, **more))
    assert isinstance(claim, Claimed)
    return claim.job


def accepted(
    journal: Journal, name: str = "a", request_id: str = "r1", price: float | None = None, **more: object
) -> Job:
    job = claimed(journal, name, price, **more)
    journal.mark_submitting(job)
    journal.mark_submitted(job, request_id)
    found = journal.find(request_id)
    assert found is not None
    return found


def sql(journal: Journal, statement: str) -> list[tuple[object, ...]]:
    """Look into the file as another program would."""
    db = sqlite3.connect(journal.folder / FILE_NAME)
    try:
        with db:
            return db.execute(statement).fetchall()
    finally:
        db.close()
