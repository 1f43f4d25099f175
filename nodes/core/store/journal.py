"""The record of every paid job and what became of it: SQLite, in the state folder, safe across processes.

It holds no token, no prompt in clear and no pixels: the fingerprint is a keyed hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import JournalError, OverBudget
from ..texts import Note, note, parse_note
from .database import Database, make_private_folder, reported
from .job import BEFORE, LIVE, Busy, Claim, Claimed, Existing, Job, JobState, NewJob, OutcomeUnknown
from .process_lease import ProcessLease

FILE_NAME = "jobs.sqlite3"


class Journal:
    """The journal of one state folder. Every method is blocking, thread-safe, and one transaction.

    What happened to a claimed job is never given up: where writing it fails, it is written before anything else
    once that is possible again.

    Raises (all methods):
        JournalError: the file cannot be read or written, with the folder's name and what to do.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._owed: list[tuple[str, Sequence[object]]] = []
        with reported(folder), contextlib.ExitStack() as opened:
            make_private_folder(folder)
            self._file = Database(folder / FILE_NAME)
            opened.callback(self._file.close)
            self._db, self._lock = self._file.connection, self._file.lock
            self._owner = ProcessLease(folder / "owners")
            opened.callback(self._owner.close)
            self._key = self._secret()
            opened.pop_all()

    def now(self) -> float:
        """Return the journal's time, in seconds since the epoch."""
        return self._clock()

    def account(self, token: str, base_url: str) -> str:
        """Return a keyed hash that stands for an account at an API; the token cannot be found from it."""
        return self._keyed(f"{base_url}\n{token}")

    def fingerprint(self, account: str, content: object) -> str:
        """Return a keyed hash of an account and a JSON value: the same inputs give the same job."""
        return self._keyed(account + json.dumps(content, sort_keys=True))

    def claim(self, new_job: NewJob, budget: float | None = None, waited_for: int | None = None) -> Claim:
        """Claim a job durably, or find out what has become of the same one.

        ``waited_for`` is the id of a job that was ``Busy`` before: if its answer was lost, that concerns this
        caller too.

        Raises:
            OverBudget: ``budget`` USD a day would be passed by a new job; nothing was claimed.
        """
        with self._transaction() as db:
            row = _one(db, f"SELECT * FROM jobs WHERE fingerprint = ? AND state IN {LIVE}", new_job.fingerprint)
            if row is None and waited_for is not None:
                row = _one(db, "SELECT * FROM jobs WHERE id = ? AND state = 'unknown'", waited_for)
            if row is not None:
                if row.state in ("submitted", "delivered"):
                    return Existing(row)
                if row.state in ("lost", "unknown"):
                    return OutcomeUnknown(row)
                if self._owner.is_alive(row.owner):
                    return Busy(row)
                if row.state == "submitting":
                    db.execute("UPDATE jobs SET state = 'lost' WHERE id = ?", (row.id,))
                    return OutcomeUnknown(row)
                # Nothing was sent: its claim is void.
                db.execute("DELETE FROM jobs WHERE id = ?", (row.id,))
            self._require_budget(db, new_job, budget)
            return Claimed(self._insert(db, new_job))

    def release(self, job: Job) -> None:
        """Give a claim back where nothing has come of it; nothing remains of it."""
        self._write("DELETE FROM jobs WHERE id = ? AND state IN ('preparing', 'submitting')", job.id)

    def mark_submitting(self, job: Job) -> None:
        """Record, durably, that the POST is about to be made.

        Raises:
            JournalError: also where the claim is not there any more; the POST must not be made.
        """
        if self._set(job, "submitting").state != "submitting":
            raise JournalError("claim_taken_over")

    def mark_unsent(self, job: Job) -> None:
        """Record that the POST was not accepted and may be made again."""
        self._set(job, "preparing")

    def mark_submitted(self, job: Job, request_id: str) -> None:
        """Record the request id of an accepted job."""
        self._set(job, "submitted", request_id=request_id, submitted_at=self._clock())

    def mark_lost(self, job: Job) -> None:
        """Record that the answer to the POST was lost; unless it is reported, the next identical run tells it."""
        self._set(job, "lost")

    def mark_reported(self, job: Job) -> None:
        """Record that a person has been told of the lost answer: the next run submits anew."""
        self._set(job, "unknown", ended_at=self._clock())

    def mark_refused(self, job: Job, outcome: Note) -> None:
        """Record that the API refused the job; nothing was charged."""
        self._set(job, "refused", note=_written(outcome), ended_at=self._clock())

    def adopt(self, new_job: NewJob, request_id: str) -> Job:
        """Record a job that was submitted elsewhere, so that it can be collected here. It counts for no budget."""
        with self._transaction() as db:
            job = _one(db, f"SELECT * FROM jobs WHERE fingerprint = ? AND state IN {LIVE}", new_job.fingerprint)
            return job or self._insert(db, new_job, state="submitted", request_id=request_id, owner="")

    def mark_finished(self, job: Job) -> Job:
        """Record the result of a job: the URLs of its files, its cost and its duration, where they are known."""
        files = json.dumps(job.files)
        return self._set(job, files=files, cost=job.cost, duration=job.duration, ended_at=self._clock())

    def mark_delivered(self, job: Job) -> Job:
        """Record that every image has been decoded and handed out."""
        return self._set(job, "delivered")

    def mark_ended(self, job: Job, state: JobState, outcome: Note, cost: float | None = None) -> Job:
        """Record an end without images: ``failed``, ``cancelled`` or ``expired``."""
        return self._set(job, state, note=_written(outcome), cost=cost, ended_at=self._clock())

    def set_outcome(self, job: Job, outcome: Note, cost: float | None = None) -> Job:
        """Record what happened to a job that goes on, such as the answer to a cancel."""
        return self._set(job, note=_written(outcome), cost=cost)

    def disown(self, job: Job) -> None:
        """Forget a job that was adopted, and that the API does not know."""
        self._write("DELETE FROM jobs WHERE id = ? AND owner = '' AND state = 'submitted'", job.id)

    def find(self, request_id: str) -> Job | None:
        """Return the newest job with this request id."""
        with self._transaction() as db:
            return _one(db, "SELECT * FROM jobs WHERE request_id = ? ORDER BY id DESC", request_id)

    def recent(self, limit: int = 50, model_id: str | None = None, account: str | None = None) -> list[Job]:
        """Return the newest jobs first: all, those of a model, or the accepted ones of an account."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT * FROM jobs WHERE (:model_id IS NULL OR model_id = :model_id) "
                "AND (:account IS NULL OR (account = :account AND request_id IS NOT NULL)) "
                "ORDER BY id DESC LIMIT :limit",
                {"model_id": model_id, "account": account, "limit": limit},
            )
            return [_job(row) for row in rows]

    def durations(self, model_id: str, size: str, count: int | None, limit: int = 50) -> list[float]:
        """Return how many seconds the newest jobs of a model, a size and a count took, newest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT duration FROM jobs WHERE model_id = ? AND size = ? AND count IS ? AND duration IS NOT NULL "
                "ORDER BY id DESC LIMIT ?",
                (model_id, size, count, limit),
            )
            return [float(row[0]) for row in rows]

    def spent_today(self) -> float:
        """Return the USD of the jobs made since local midnight; an estimate stands where no cost is known."""
        with self._transaction() as db:
            return self._spent(db)

    def close(self) -> None:
        """Close the file and end the ownership of unfinished claims."""
        self._file.close()
        self._owner.close()

    def _keyed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?)", (secrets.token_hex(32),))
            return bytes.fromhex(db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()[0])

    def _insert(self, db: sqlite3.Connection, new_job: NewJob, **values: str) -> Job:
        row = {
            **asdict(new_job),
            "variant": "",
            "state": "preparing",
            "owner": self._owner.name,
            "created_at": self._clock(),
        } | values
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        cursor = db.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks})", list(row.values()))
        return _row(db, cursor.lastrowid)

    def _require_budget(self, db: sqlite3.Connection, new_job: NewJob, budget: float | None) -> None:
        if budget is None:
            return
        spent = self._spent(db)
        # Sums of cents are no exact floats: 0.2 + 0.1 is within a budget of 0.3.
        if spent >= budget or round(spent + (new_job.estimate or 0) - budget, 6) > 0:
            if new_job.estimate is None:
                raise OverBudget("budget_spent", budget_usd=budget, spent_usd=spent)
            raise OverBudget("budget_passed", budget_usd=budget, spent_usd=spent, price_usd=new_job.estimate)

    def _spent(self, db: sqlite3.Connection) -> float:
        now = time.localtime(self._clock())
        midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        row = db.execute(
            "SELECT TOTAL(COALESCE(cost, CASE WHEN state IN ('cancelled', 'refused', 'failed') THEN 0 "
            "ELSE estimate END, 0)) FROM jobs WHERE created_at >= ? AND owner != ''",
            (midnight,),
        ).fetchone()
        return float(row[0])

    def _set(self, job: Job, state: JobState | None = None, **values: str | float | None) -> Job:
        """Change a row where its state may become ``state``; what is None stays. Return the row as it is then."""
        changes = {column: value for column, value in {"state": state, **values}.items() if value is not None}
        before = BEFORE[state] if state else tuple(BEFORE)
        columns, marks = ", ".join(f"{column} = ?" for column in changes), ", ".join("?" * len(before))
        # Ignored where another claim holds the same fingerprint by now.
        statement = f"UPDATE OR IGNORE jobs SET {columns} WHERE id = ? AND state IN ({marks})"
        self._write(statement, *changes.values(), job.id, *before)
        with self._transaction() as db:
            return _row(db, job.id)

    def _write(self, statement: str, *values: object) -> None:
        """Write what has happened; where that fails, it is owed, and the next transaction begins with it."""
        with self._lock:
            try:
                with self._transaction() as db:
                    db.execute(statement, values)
            except JournalError:
                self._owed.append((statement, values))
                raise

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, reported(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in self._owed:
                    self._db.execute(statement, values)
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._owed.clear()


def _one(db: sqlite3.Connection, query: str, *values: object) -> Job | None:
    row = db.execute(query, values).fetchone()
    return None if row is None else _job(row)


def _row(db: sqlite3.Connection, job_id: int | None) -> Job:
    found = _one(db, "SELECT * FROM jobs WHERE id = ?", job_id)
    if found is None:
        raise sqlite3.IntegrityError(f"job {job_id} is not in the record")
    return found


def _job(row: sqlite3.Row) -> Job:
    values = {column.name: row[column.name] for column in fields(Job) if column.name != "outcome"}
    return Job(**{**values, "files": tuple(json.loads(row["files"])), "outcome": _outcome(row)})


def _outcome(row: sqlite3.Row) -> Note | None:
    if row["note"]:
        return parse_note(json.loads(row["note"]))
    # Before 0.2 it was a sentence.
    return note("outcome.sentence", text=row["outcome"]) if row["outcome"] else None


def _written(outcome: Note) -> str:
    return json.dumps(outcome.payload())
