"""The record of every paid job and what became of it: SQLite, in the state folder, safe across processes.

A row's state says what may be done with the same fingerprint again:

    preparing   claimed by a living process; nothing has been sent
    submitting  the POST may be on its way; without its process, its answer is lost
    lost        the POST's answer was lost, and nobody has been told yet
    submitted   accepted, request id known: attach to it
    delivered   its pictures have been handed out: hand them out again
    failed, cancelled, refused, unknown, expired   ended: submit anew

It holds no token, no prompt in clear and no pixels: the fingerprint is a keyed hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .errors import JournalError, OverBudget, money
from .owners import Owner

FILE_NAME = "jobs.sqlite3"
BUSY_SECONDS = 10.0
_LIVE = "('preparing', 'submitting', 'lost', 'submitted', 'delivered')"
_MIGRATIONS = (
    f"""
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        account TEXT NOT NULL,
        model_id TEXT NOT NULL,
        variant TEXT NOT NULL,
        state TEXT NOT NULL,
        owner TEXT NOT NULL,
        request_id TEXT,
        created_at REAL NOT NULL,
        submitted_at REAL,
        ended_at REAL,
        duration REAL,
        estimate REAL,
        cost REAL,
        files TEXT NOT NULL DEFAULT '[]',
        outcome TEXT NOT NULL DEFAULT ''
    );
    CREATE UNIQUE INDEX live ON jobs (fingerprint) WHERE state IN {_LIVE};
    CREATE INDEX by_request ON jobs (request_id) WHERE request_id IS NOT NULL;
    CREATE INDEX by_time ON jobs (created_at);
    CREATE INDEX by_variant ON jobs (model_id, variant, id) WHERE duration IS NOT NULL;
    """,
)


@dataclass(frozen=True)
class Job:
    """One row. Times are in seconds since the epoch, ``duration`` in seconds, money in USD."""

    id: int
    fingerprint: str
    account: str
    model_id: str
    variant: str
    state: str
    owner: str
    request_id: str | None
    created_at: float
    submitted_at: float | None
    ended_at: float | None
    duration: float | None
    estimate: float | None
    cost: float | None
    files: tuple[str, ...]
    outcome: str


@dataclass(frozen=True)
class Order:
    """What a claim is made for. ``variant`` groups jobs that take about as long; ``estimate`` is in USD."""

    fingerprint: str
    account: str
    model_id: str
    variant: str
    estimate: float | None = None


@dataclass(frozen=True)
class Claimed:
    """The job is the caller's to submit."""

    job: Job


@dataclass(frozen=True)
class Busy:
    """Another run is about to submit the same job: look again shortly."""


@dataclass(frozen=True)
class Lost:
    """An earlier submission's answer was lost. This is told once; the next claim is a new one."""

    job: Job


@dataclass(frozen=True)
class Known:
    """The same job has been accepted or delivered before: no new submission is needed."""

    job: Job


Claim: TypeAlias = Claimed | Busy | Lost | Known


class Journal:
    """The journal of one state folder. Every method is blocking, thread-safe, and one transaction.

    Raises (all methods):
        JournalError: the file cannot be read or written, with the folder's name and what to do.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = threading.RLock()
        with _reported(folder):
            make_private_folder(folder)
            self._owner = Owner(folder / "owners")
            self._db = _open(folder / FILE_NAME)
            self._key = self._secret()

    def now(self) -> float:
        """Return the journal's time, in seconds since the epoch."""
        return self._clock()

    def account(self, token: str, base_url: str) -> str:
        """Return a keyed hash that stands for an account at an API; the token cannot be found from it."""
        return self._keyed(f"{base_url}\n{token}")

    def fingerprint(self, account: str, content: object) -> str:
        """Return a keyed hash of an account and a JSON value: the same inputs give the same job."""
        return self._keyed(account + json.dumps(content, sort_keys=True))

    def claim(self, order: Order, budget: float | None = None) -> Claim:
        """Claim a job durably, or find out what has become of the same one.

        Raises:
            OverBudget: ``budget`` USD a day would be passed by a new job; nothing was claimed.
        """
        with self._transaction() as db:
            row = _one(db, f"SELECT * FROM jobs WHERE fingerprint = ? AND state IN {_LIVE}", order.fingerprint)
            if row is None:
                self._require_budget(db, order, budget)
                return Claimed(self._insert(db, order))
            if row.state in ("submitted", "delivered"):
                return Known(row)
            if row.state != "lost" and self._owner.is_alive(row.owner):
                return Busy()
            if row.state == "preparing":
                return Claimed(_update(db, row.id, owner=self._owner.name, created_at=self._clock()))
            return Lost(_update(db, row.id, state="unknown", ended_at=self._clock()))

    def release(self, job: Job) -> None:
        """Give a claim back: nothing was accepted, and nothing remains of it."""
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE id = ? AND request_id IS NULL", (job.id,))

    def submitting(self, job: Job) -> None:
        """Record, durably, that the POST is about to be made."""
        self._set(job, state="submitting")

    def submitted(self, job: Job, request_id: str) -> Job:
        """Record the request id of an accepted job."""
        return self._set(job, state="submitted", request_id=request_id, submitted_at=self._clock())

    def lost(self, job: Job) -> None:
        """Record that the POST's answer was lost. The next identical run tells it, unless ``told`` is called."""
        self._set(job, state="lost")

    def told(self, job: Job) -> None:
        """Record that a person has been told of the lost answer: the next run submits anew."""
        self._set(job, state="unknown", ended_at=self._clock())

    def refused(self, job: Job, outcome: str) -> None:
        """Record that the API refused the job; nothing was charged."""
        self._set(job, state="refused", outcome=outcome, ended_at=self._clock())

    def adopt(self, order: Order, request_id: str) -> Job:
        """Record a job that was submitted elsewhere, so that it can be collected here. It counts for no budget."""
        with self._transaction() as db:
            job = _one(db, f"SELECT * FROM jobs WHERE fingerprint = ? AND state IN {_LIVE}", order.fingerprint)
            job = job or self._insert(db, order)
            return _update(db, job.id, state="submitted", request_id=request_id, owner="")

    def finished(self, job: Job, files: Sequence[str], cost: float | None, duration: float | None) -> Job:
        """Record a result that is still to be fetched. ``files`` are URLs; data URIs are left out."""
        urls = [file for file in files if not file.startswith("data:")]
        return self._set(
            job,
            state="submitted",
            request_id=job.request_id,
            files=json.dumps(urls),
            cost=cost,
            duration=duration,
            ended_at=self._clock(),
        )

    def costs(self, job: Job, cost: float) -> None:
        """Record a cost that became known late."""
        self._set(job, cost=cost)

    def delivered(self, job: Job) -> None:
        """Record that every picture has been decoded and handed out."""
        self._set(job, state="delivered", request_id=job.request_id)

    def ended(self, job: Job, state: str, outcome: str = "", cost: float | None = None) -> None:
        """Record an end without pictures: ``failed``, ``cancelled`` or ``expired``."""
        self._set(
            job, state=state, outcome=outcome, cost=job.cost if cost is None else cost, ended_at=self._clock()
        )

    def noted(self, job: Job, outcome: str) -> None:
        """Record what happened to a job that goes on, such as the answer to a cancel."""
        self._set(job, outcome=outcome)

    def find(self, request_id: str) -> Job | None:
        """Return the newest job with this request id."""
        with self._transaction() as db:
            return _one(db, "SELECT * FROM jobs WHERE request_id = ? ORDER BY id DESC", request_id)

    def recent(self, limit: int = 50, model_id: str | None = None) -> list[Job]:
        """Return the newest jobs first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT * FROM jobs WHERE ?1 IS NULL OR model_id = ?1 ORDER BY id DESC LIMIT ?2", (model_id, limit)
            )
            return [_job(row) for row in rows]

    def durations(self, model_id: str, variant: str, limit: int = 50) -> list[float]:
        """Return how many seconds the newest jobs of a kind took, newest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT duration FROM jobs WHERE model_id = ? AND variant = ? AND duration IS NOT NULL "
                "ORDER BY id DESC LIMIT ?",
                (model_id, variant, limit),
            )
            return [float(row[0]) for row in rows]

    def spent_today(self) -> float:
        """Return the USD of the jobs made since local midnight; an estimate stands where no cost is known."""
        with self._transaction() as db:
            return self._spent(db)

    def close(self) -> None:
        """Close the file and end the ownership of unfinished claims."""
        with self._lock:
            self._db.close()
            self._owner.close()

    def _keyed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> bytes:
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?)", (secrets.token_hex(32),))
            return bytes.fromhex(db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()[0])

    def _insert(self, db: sqlite3.Connection, order: Order) -> Job:
        cursor = db.execute(
            "INSERT INTO jobs (fingerprint, account, model_id, variant, estimate, state, owner, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'preparing', ?, ?)",
            (
                order.fingerprint,
                order.account,
                order.model_id,
                order.variant,
                order.estimate,
                self._owner.name,
                self._clock(),
            ),
        )
        return _update(db, cursor.lastrowid or 0)

    def _require_budget(self, db: sqlite3.Connection, order: Order, budget: float | None) -> None:
        if budget is None:
            return
        spent = self._spent(db)
        if spent >= budget or spent + (order.estimate or 0) > budget:
            raise OverBudget(
                f"The day's budget of {money(budget)} would be passed: {money(spent)} is spent or under way today"
                f"{money(order.estimate, ', and this job costs from ')}.",
                advice="Raise or unset RUNCOMFY_DAILY_BUDGET_USD, or wait until tomorrow.",
            )

    def _spent(self, db: sqlite3.Connection) -> float:
        now = time.localtime(self._clock())
        midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        row = db.execute(
            "SELECT TOTAL(COALESCE(cost, CASE WHEN state IN ('cancelled', 'refused', 'failed') THEN 0 "
            "ELSE estimate END, 0)) FROM jobs WHERE created_at >= ? AND owner != ''",
            (midnight,),
        ).fetchone()
        return float(row[0])

    def _set(self, job: Job, **values: str | float | None) -> Job:
        with self._transaction() as db:
            return _update(db, job.id, **values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _reported(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that exists is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        aside = _set_aside(path)
        raise JournalError(
            f"The record of paid jobs was damaged and is set aside as {aside}.",
            advice="Run again to go on with a new record. Jobs under way are on the Generations page of RunComfy.",
        ) from None


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
        _migrate(db)
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise JournalError(
                "The record of paid jobs was written by a newer version of this pack.",
                advice="Update the pack, or set RUNCOMFY_STATE_DIR to another folder.",
            )
        for statements in _MIGRATIONS[version:]:
            for statement in statements.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


@contextlib.contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"The record of paid jobs in {folder} cannot be read or written ({error}), so nothing is spent.",
            advice="Free the disk, correct the folder's permissions, or set RUNCOMFY_STATE_DIR to another folder.",
        ) from None


def _one(db: sqlite3.Connection, query: str, *values: object) -> Job | None:
    row = db.execute(query, values).fetchone()
    return None if row is None else _job(row)


def _update(db: sqlite3.Connection, job_id: int, **values: str | float | None) -> Job:
    if values:
        columns = ", ".join(f"{column} = ?" for column in values)
        db.execute(f"UPDATE jobs SET {columns} WHERE id = ?", (*values.values(), job_id))
    found = _one(db, "SELECT * FROM jobs WHERE id = ?", job_id)
    if found is None:
        raise sqlite3.IntegrityError(f"job {job_id} is not in the record")
    return found


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "files": tuple(json.loads(row["files"]))})
