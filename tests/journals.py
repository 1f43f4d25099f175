"""What the tests of the journal share: a clock that a test sets, and jobs at each step of their lives."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from postgres import look

from nodes.core.store.budget import Budget
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


def new_job(name: str = "a", base_price: float | None = None, **more: object) -> NewJob:
    return replace(NewJob(name, "account", "vendor/model", "1K", 1, base_price), **more)


def claimed(journal: Journal, name: str = "a", reckoned: float | None = None, **more: object) -> Job:
    """Claim a job, with a budget where it is to be reckoned with."""
    budget = None if reckoned is None else Budget(1e6, max_cost=reckoned)
    claim = journal.claim(new_job(name, **more), budget)
    assert isinstance(claim, Claimed)
    return claim.job


def accepted(
    journal: Journal, name: str = "a", request_id: str = "r1", reckoned: float | None = None, **more: object
) -> Job:
    job = claimed(journal, name, reckoned, **more)
    journal.mark_submitting(job)
    journal.mark_submitted(job, request_id)
    found = journal.find(request_id)
    assert found is not None
    return found


def sql(journal: Journal, statement: str) -> list[tuple[object, ...]]:
    """Look into the record as another program would."""
    if journal.address:
        return look(journal.address, statement)
    db = sqlite3.connect(journal.folder / FILE_NAME)
    try:
        with db:
            return db.execute(statement).fetchall()
    finally:
        db.close()


def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements of the journals that are opened from now on, as they come."""
    asked: list[str] = []

    connect = sqlite3.connect

    def opened(path: Path, **options: Any) -> sqlite3.Connection:
        db = connect(path, **options)
        db.set_trace_callback(asked.append)
        return db

    monkeypatch.setattr(sqlite3, "connect", opened)
    return asked
