"""Jobs as rows of the journal's table."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from ..texts import Note, note, parse_note
from .engines.engine import NotInRecord, Session
from .job import Job


def one(db: Session, query: str, **values: object) -> Job | None:
    """Return the first job that a query finds."""
    row = db.execute(query, values).fetchone()
    return None if row is None else parse_job(row)


def many(db: Session, query: str, **values: object) -> list[Job]:
    """Return every job that a query finds."""
    return [parse_job(row) for row in db.execute(query, values)]


def by_id(db: Session, job_id: int | None) -> Job:
    """Return the job with this id.

    Raises:
        NotInRecord: there is none.
    """
    found = one(db, "SELECT * FROM jobs WHERE id = :id", id=job_id)
    if found is None:
        raise NotInRecord(f"job {job_id} is not in the record")
    return found


def written(outcome: Note) -> str:
    """Return a note as its column holds it."""
    return json.dumps(outcome.payload())


def parse_job(row: Any) -> Job:
    """Return a row of the table as a job; other columns may stand beside."""
    values = {column.name: row[column.name] for column in fields(Job) if column.name != "outcome"}
    return Job(
        **{
            **values,
            "files": tuple(json.loads(row["files"])),
            "outcome": _outcome(row),
            "has_result": bool(row["has_result"]),
            "retry_allowed": bool(row["retry_allowed"]),
        }
    )


def _outcome(row: Any) -> Note | None:
    if row["note"]:
        return parse_note(json.loads(row["note"]))
    # Before 0.2 it was a sentence.
    return note("outcome.sentence", text=row["outcome"]) if row["outcome"] else None
