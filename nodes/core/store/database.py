"""The journal's file: SQLite, owner-only, with a versioned schema that is migrated forward."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import JournalError

BUSY_SECONDS = 10.0
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
)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that exists is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, make it where it is missing, and bring its schema up to date.

    Raises:
        JournalError: it is damaged, and was renamed as the message says; or a newer version of the pack wrote it.
        sqlite3.Error, OSError: it cannot be read or written.
    """
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
        if version > len(MIGRATIONS):
            raise JournalError(
                "The record of paid jobs was written by a newer version of this pack.",
                advice="Update the pack, or set RUNCOMFY_STATE_DIR to another folder.",
            )
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


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


@contextlib.contextmanager
def reported(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a ``JournalError`` that names the folder."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(
            f"The record of paid jobs in {folder} cannot be read or written ({error}), so nothing is spent.",
            advice="Free the disk, correct the folder's permissions, or set RUNCOMFY_STATE_DIR to another folder.",
        ) from None
