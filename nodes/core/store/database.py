"""The journal's file: SQLite, owner-only, with a versioned schema that is migrated forward.

POSIX drops the locks that a process holds on a file as soon as the process closes any descriptor of it. Another
process then takes the file for unused and deletes its write-ahead log. So a file that may be open is never opened
beside SQLite, and a process has one connection to it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import FREE_DISK, LOOK_AT_GENERATIONS, JournalError, step

BUSY_SECONDS = 10.0
BUSY_LOOK_SECONDS = 0.02
# What SQLite says, at once and whatever its timeout, where another process makes or closes the same file just now.
_BUSY = ("database is locked", "locking protocol")
# Each text holds the statements that lead to the next version of the file. A released one never changes.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
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
    CREATE UNIQUE INDEX live ON jobs (fingerprint)
        WHERE state IN ('preparing', 'submitting', 'lost', 'submitted', 'delivered');
    CREATE INDEX by_request ON jobs (request_id) WHERE request_id IS NOT NULL;
    CREATE INDEX by_time ON jobs (created_at);
    CREATE INDEX by_variant ON jobs (model_id, variant, id) WHERE duration IS NOT NULL;
    """,
    # From 0.2 on, variant and outcome are what earlier versions wrote: a text for size and count, and a sentence.
    """
    ALTER TABLE jobs ADD COLUMN size TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN count INTEGER;
    ALTER TABLE jobs ADD COLUMN note TEXT;
    UPDATE jobs SET size = substr(variant, 12, instr(variant || ' ', ' ') - 12) WHERE variant LIKE 'resolution=%';
    UPDATE jobs SET count = CAST(substr(variant, instr(variant, 'num_images=') + 11) AS INTEGER)
        WHERE variant LIKE '%num_images=%';
    DROP INDEX by_variant;
    CREATE INDEX by_pace ON jobs (model_id, size, count, id) WHERE duration IS NOT NULL;
    """,
    # Until then a fingerprint was that of an account and its inputs: those accounts are kept to find such rows.
    """
    CREATE TABLE former_accounts AS SELECT DISTINCT account FROM jobs;
    ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN retry_allowed INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET name = substr(fingerprint, 1, 16) || '-' || id;
    UPDATE jobs SET has_result = 1 WHERE state = 'delivered' OR files <> '[]';
    DROP INDEX live;
    CREATE UNIQUE INDEX live ON jobs (fingerprint, account)
        WHERE state IN ('preparing', 'submitting', 'lost', 'submitted', 'delivered');
    CREATE INDEX by_fingerprint ON jobs (fingerprint, id);
    CREATE INDEX by_cost ON jobs (model_id, size, count, id) WHERE cost IS NOT NULL;
    CREATE INDEX by_cost_of_an_image ON jobs (model_id, size, id) WHERE cost IS NOT NULL;
    """,
    """
    CREATE TABLE waiters (id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL, owner TEXT NOT NULL);
    """,
    # The inputs stand apart from the jobs: claims read none of them, and they are erased by themselves.
    """
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN node_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN take TEXT NOT NULL DEFAULT '';
    CREATE TABLE inputs (
        job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        prompt TEXT NOT NULL,
        folded TEXT NOT NULL,
        seed TEXT,
        scalars TEXT NOT NULL,
        media TEXT NOT NULL
    );
    CREATE TABLE forgotten (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        created_at REAL NOT NULL,
        model_id TEXT NOT NULL,
        usd REAL NOT NULL
    );
    CREATE INDEX forgotten_by_time ON forgotten (created_at);
    CREATE INDEX by_model ON jobs (model_id, id) WHERE state <> 'preparing';
    CREATE INDEX in_need ON jobs (id) WHERE state IN ('submitting', 'lost', 'submitted', 'unknown')
        OR (state IN ('failed', 'expired') AND retry_allowed = 0 AND COALESCE(cost > 0, has_result));
    CREATE INDEX by_take ON jobs (take, id) WHERE take <> '';
    CREATE INDEX by_waited_for ON waiters (job_id);
    """,
    # Where a host shows a job: a server that was killed tells it when it starts again.
    """
    CREATE TABLE places (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow TEXT NOT NULL,
        node TEXT NOT NULL,
        node_type TEXT NOT NULL,
        request_id TEXT NOT NULL,
        UNIQUE (workflow, node)
    );
    """,
)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that exists is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


class Database:
    """A file of this process, open once whatever its path and the pack are called. Each user closes it.

    ``connection`` is used by one thread at a time, the one that holds ``lock``.

    Raises:
        JournalError: it is damaged, and was renamed as the message says; or a newer version of the pack wrote it.
        sqlite3.Error, OSError: it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        with _PROCESS["lock"]:
            create_private_file(path)
            found = path.stat()
            # Some file systems number no files.
            self._key = (found.st_dev, found.st_ino or os.path.realpath(path))
            if self._key not in _PROCESS["open"]:
                _PROCESS["open"][self._key] = {"connection": _open(path), "lock": threading.RLock(), "users": 0}
            shared = _PROCESS["open"][self._key]
            shared["users"] += 1
        self.connection: sqlite3.Connection = shared["connection"]
        self.lock: threading.RLock = shared["lock"]
        self._closed = False
        try:
            with self.lock:
                _migrate(self.connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End this use, once; the last one closes the file."""
        with _PROCESS["lock"], self.lock:
            if self._closed:
                return
            self._closed = True
            shared = _PROCESS["open"][self._key]
            shared["users"] -= 1
            if not shared["users"]:
                del _PROCESS["open"][self._key]
                self.connection.close()


# What is open, by device and inode. A host may load the pack again under another name, with new modules: what all
# of them share hangs on a module of Python's own, and holds no object of the pack.
_PROCESS: dict[str, Any] = vars(sqlite3).setdefault("runcomfy_models_open", {"lock": threading.Lock(), "open": {}})


def create_private_file(path: Path) -> None:
    """Make an empty file that only its owner can read; one that exists is not touched, nor even opened."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _open(path: Path) -> sqlite3.Connection:
    ends = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _connect(path)
        except sqlite3.OperationalError as error:
            if str(error) not in _BUSY or time.monotonic() >= ends:
                raise
        except sqlite3.DatabaseError:
            raise _set_aside(path) from None
        time.sleep(BUSY_LOOK_SECONDS)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        # What is erased is overwritten.
        db.execute("PRAGMA secure_delete = ON")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise JournalError("record_newer", next=(step("update_pack"),))
        for statements in MIGRATIONS[version:]:
            for statement in statements.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        # A full disk may have ended the transaction already.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _set_aside(path: Path) -> JournalError:
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return JournalError("record_damaged", aside=str(aside), next=(step("begin_new_record"), LOOK_AT_GENERATIONS))


@contextlib.contextmanager
def reported(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a ``JournalError`` that names the folder."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError("record_unusable", folder=str(folder), error=str(error), next=(FREE_DISK,)) from None
