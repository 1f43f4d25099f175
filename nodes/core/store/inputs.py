"""The inputs beside the jobs: kept, read and erased. Within a journal's transaction.

A prompt stands there a second time, folded, to be searched for: SQLite folds no letters but those of ASCII.
"""

from __future__ import annotations

import json

from .engines.engine import Session
from .job import JobInputs


def keep(db: Session, job_id: int, inputs: JobInputs) -> None:
    """Write the inputs of a job beside it."""
    db.execute(
        "INSERT INTO inputs (job_id, prompt, folded, seed, scalars, media) VALUES (?, ?, ?, ?, ?, ?)",
        (
            job_id,
            inputs.prompt,
            inputs.prompt.casefold(),
            None if inputs.seed is None else str(inputs.seed),
            json.dumps(dict(inputs.scalars), ensure_ascii=False),
            json.dumps(inputs.media),
        ),
    )


def of_job(db: Session, job_id: int) -> JobInputs | None:
    """Return the inputs of a job; None where they are not kept."""
    row = db.execute("SELECT * FROM inputs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    media = tuple((str(socket), str(digest)) for socket, digest in json.loads(row["media"]))
    return JobInputs(row["prompt"], seed_of(row["seed"]), json.loads(row["scalars"]), media)


def erase_all(db: Session) -> None:
    """Erase the inputs of every job."""
    db.execute("DELETE FROM inputs")


def seed_of(text: str | None) -> int | None:
    """Return a seed from its column, which is a text: it may be longer than the numbers of SQLite."""
    return None if text is None else int(text)
