"""The record of every paid job and what became of it: SQLite, in the state folder, safe across processes.

It holds no token and no pixels; the prompt and the other inputs stand beside a job only where a person has not
switched that off. The fingerprint is a keyed hash.
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
from pathlib import Path
from typing import TypeVar

from ..errors import RUN_SAME_INPUTS, InvalidInput, JournalError, PackError
from ..texts import Note
from . import budget as budgets
from . import claims, history, inputs, waiters
from .budget import Budget
from .database import Database, make_private_folder, reported
from .job import BEFORE, Asked, Claim, Claimed, Job, JobState, NewJob, PriceAwaited
from .process_lease import ProcessLease
from .rows import by_id, many, one, written

T = TypeVar("T")

FILE_NAME = "jobs.sqlite3"
_BY_REQUEST = "SELECT * FROM jobs WHERE request_id = :request_id ORDER BY id DESC"


class Journal:
    """The journal of one state folder. Every method is blocking, thread-safe, and one transaction.

    What happened to a claimed job is never dropped: what could not be written is kept in memory, and the next
    transaction begins with it.

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
            self._key, self._former_accounts = self._secret(), self._accounts_of_before()
            opened.pop_all()

    def now(self) -> float:
        """Return the journal's time, in seconds since the epoch."""
        return self._clock()

    def account(self, token: str, base_url: str) -> str:
        """Return a keyed hash that stands for a token at an API; the token cannot be found from it."""
        return self._keyed(f"{base_url}\n{token}")

    def fingerprint(self, base_url: str, content: object) -> str:
        """Return a keyed hash of an API and a JSON value: the same inputs give the same job, whatever the token."""
        return self._keyed(f"{base_url}\n{json.dumps(content, sort_keys=True)}")

    def former_fingerprints(self, content: object) -> tuple[str, ...]:
        """Return what ``fingerprint`` was before 0.2, once for each account that had a job then."""
        text = json.dumps(content, sort_keys=True)
        return tuple(self._keyed(account + text) for account in self._former_accounts)

    def claim(
        self,
        new_job: NewJob,
        budget: Budget | None = None,
        asked: Asked | None = None,
    ) -> Claim:
        """Claim a job durably, or find out what has become of the same one, whatever token it was made with.

        A lost answer that was told to somebody else while this caller waited concerns it, too.

        Raises:
            OverBudget: a new job would pass the budget, or its price is not known; nothing was claimed.
        """
        with self._transaction() as db:
            claims.carry_forward(db, new_job)
            found = claims.found(db, self._owner, new_job, asked or Asked(), self._clock())
            if found is not None:
                return found
            if budget is None:
                return Claimed(self._insert(db, new_job))
            reckoned = budgets.estimate(db, new_job, budget)
            budgets.require(budget, self._spent(db), reckoned)
            if reckoned.base_only:
                first = budgets.first_of_its_price(db, self._owner, new_job, self._clock())
                if first is not None:
                    return PriceAwaited(first)
            return Claimed(self._insert(db, new_job, estimate=reckoned.usd))

    def release(self, job: Job) -> None:
        """Remove a claim that led to no job."""
        self._write("DELETE FROM jobs WHERE id = ? AND state IN ('preparing', 'submitting')", job.id)

    def mark_submitting(self, job: Job) -> None:
        """Record, durably, that the POST is about to be made.

        Raises:
            JournalError: also if another run has taken over the claim. The POST must not be made.
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
        """Record that the answer to the POST was lost; until ``mark_reported``, the next identical run tells it."""
        self._set(job, "lost")

    def mark_reported(self, job: Job) -> None:
        """Record that a person has been told of the lost answer: the next run submits anew."""
        self._set(job, "unknown", ended_at=self._clock())

    def mark_refused(self, job: Job, outcome: Note) -> None:
        """Record that the API refused the job; nothing was charged."""
        self._set(job, "refused", note=written(outcome), ended_at=self._clock())

    def mark_owned(self, job: Job, account: str) -> Job:
        """Record that a job is that of ``account``: its API tells this token of it."""
        return self._set(job, account=account)

    def allow_retry(self, request_id: str) -> Job:
        """Let a new job be paid for, once, in place of this one, and return it: the next identical run submits it.

        The permission ends with the job that it was given for: it counts while that is the newest of its inputs.

        Raises:
            InvalidInput: no such job is recorded. PackError: its inputs may be run again without this.
        """
        with self._transaction() as db:
            named = one(db, _BY_REQUEST, request_id=request_id)
            if named is None:
                raise InvalidInput("request_id", "not_recorded")
            newest = "SELECT * FROM jobs WHERE fingerprint = :fingerprint AND account = :account ORDER BY id DESC"
            job = one(db, newest, fingerprint=named.fingerprint, account=named.account)
            if job is None or not job.ended_paid:
                raise PackError("no_permission_needed", next=(RUN_SAME_INPUTS,))
            db.execute("UPDATE jobs SET retry_allowed = 1 WHERE id = :id", {"id": job.id})
            return by_id(db, job.id)

    def adopt(self, new_job: NewJob, request_id: str) -> Job:
        """Record a job that was submitted elsewhere, to collect it here. It does not count towards the budget."""
        with self._transaction() as db:
            live = claims.live(db, new_job)
            return (
                live[0] if live else self._insert(db, new_job, state="submitted", request_id=request_id, owner="")
            )

    def mark_finished(self, job: Job) -> Job:
        """Record the result of a job: the URLs of its files, its cost and its duration, where they are known."""
        files = json.dumps(job.files)
        return self._set(
            job, files=files, has_result=1, cost=job.cost, duration=job.duration, ended_at=self._clock()
        )

    def mark_over(self, job: Job, cost: float | None) -> Job:
        """Record that a job has ended, so that nobody waits for its cost; its files may still appear."""
        return self._set(job, cost=cost, ended_at=self._clock())

    def mark_delivered(self, job: Job) -> Job:
        """Record that every image has been decoded and handed out."""
        return self._set(job, "delivered")

    def mark_ended(self, job: Job, state: JobState, outcome: Note, cost: float | None = None) -> Job:
        """Record an end without images: ``failed``, ``cancelled`` or ``expired``."""
        return self._set(job, state, note=written(outcome), cost=cost, ended_at=self._clock())

    def mark_without_image(self, job: Job, outcome: Note, cost: float | None) -> Job:
        """Record that a job has ended without an image so far: the next identical run asks for one once more."""
        return self._set(job, note=written(outcome), cost=cost, ended_at=self._clock())

    def set_outcome(self, job: Job, outcome: Note) -> None:
        """Record what happened to a job that goes on, such as the answer to a cancel."""
        self._set(job, note=written(outcome))

    def wait_for(self, job: Job) -> int:
        """Record that a run of this process waits for a job; return a number for ``stop_waiting``."""
        with self._transaction() as db:
            return waiters.join(db, self._owner, job.id)

    def stop_waiting(self, job: Job, number: int | None) -> bool:
        """Record that a run does not wait any more; return whether no other run does, in any living process."""
        with self._transaction() as db:
            return waiters.leave(db, self._owner, job.id, number)

    def disown(self, job: Job) -> None:
        """Forget a job that was adopted, and that the API does not know."""
        self._write("DELETE FROM jobs WHERE id = ? AND owner = '' AND state = 'submitted'", job.id)

    def find(self, request_id: str) -> Job | None:
        """Return the newest job with this request id."""
        with self._transaction() as db:
            return one(db, _BY_REQUEST, request_id=request_id)

    def recent(self, limit: int = 50, model_id: str | None = None, *, accepted: bool = False) -> list[Job]:
        """Return the newest jobs first, of every token: all, those of a model, or the accepted ones."""
        with self._transaction() as db:
            return many(
                db,
                "SELECT * FROM jobs WHERE (:model_id IS NULL OR model_id = :model_id) "
                f"{'AND request_id IS NOT NULL ' if accepted else ''}ORDER BY id DESC LIMIT :limit",
                model_id=model_id,
                limit=limit,
            )

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

    def read(self, query: Callable[[sqlite3.Connection, ProcessLease], T]) -> T:
        """Return what a query finds: it is given the file within a transaction, and tells which processes live."""
        with self._transaction() as db:
            return query(db, self._owner)

    def forget(self, job: Job) -> None:
        """Remove a job and its inputs. What it cost still counts for its day.

        Raises:
            PackError: a living process works on it.
        """
        with self._transaction() as db:
            if history.is_live(db, self._owner, job):
                raise PackError("job_is_live", request_id=job.request_id)
            budgets.keep_cost(db, job)
            db.execute("DELETE FROM jobs WHERE id = :id", {"id": job.id})
        self._empty_log()

    def forget_inputs(self) -> None:
        """Erase the inputs that are kept beside the jobs."""
        with self._transaction() as db:
            inputs.erase_all(db)
        self._empty_log()

    def close(self) -> None:
        """Close the file and end the ownership of unfinished claims."""
        self._file.close()
        self._owner.close()

    def _empty_log(self) -> None:
        """Leave nothing of what was erased in the write-ahead log; where others read just now, they do it later."""
        with self._lock, reported(self.folder):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _keyed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?)", (secrets.token_hex(32),))
            return bytes.fromhex(db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()[0])

    def _accounts_of_before(self) -> list[str]:
        with self._transaction() as db:
            return [str(row[0]) for row in db.execute("SELECT account FROM former_accounts")]

    def _insert(self, db: sqlite3.Connection, new_job: NewJob, **values: str | float | None) -> Job:
        row: dict[str, str | float | None] = {
            "fingerprint": new_job.fingerprint,
            "account": new_job.account,
            "model_id": new_job.model_id,
            "size": new_job.size,
            "count": new_job.count,
            "variant": "",
            "kind": new_job.kind,
            "node_id": new_job.node_id,
            "take": new_job.take,
            # Of its kept files; never that of another job, whatever becomes of the record.
            "name": secrets.token_hex(12),
            "state": "preparing",
            "owner": self._owner.name,
            "created_at": self._clock(),
        } | values
        columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
        made = by_id(db, db.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks})", row).lastrowid)
        if new_job.inputs is not None:
            inputs.keep(db, made.id, new_job.inputs)
        return made

    def _spent(self, db: sqlite3.Connection) -> float:
        now = time.localtime(self._clock())
        midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        claims.remove_dead(db, self._owner, midnight)
        return budgets.spent_since(db, midnight)

    def _set(self, job: Job, state: JobState | None = None, **values: str | float | None) -> Job:
        """Change a row if its state may become ``state``; None changes no column. Return the new row."""
        changes = {column: value for column, value in {"state": state, **values}.items() if value is not None}
        before = BEFORE[state] if state else tuple(BEFORE)
        columns, marks = ", ".join(f"{column} = ?" for column in changes), ", ".join("?" * len(before))
        # Ignored where another claim holds the same fingerprint by now.
        statement = f"UPDATE OR IGNORE jobs SET {columns} WHERE id = ? AND state IN ({marks})"
        self._write(statement, *changes.values(), job.id, *before)
        with self._transaction() as db:
            return by_id(db, job.id)

    def _write(self, statement: str, *values: object) -> None:
        """Write what has happened. If that fails, the next transaction begins with it."""
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
