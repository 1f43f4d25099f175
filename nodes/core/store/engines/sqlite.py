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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import FREE_DISK, LOOK_AT_GENERATIONS, JournalError, step
from .engine import NotInRecord, Session, Values
from .network_folder import refuse_network_folder
from .sqlite_lease import SQLiteLease, create_private_file
from .sqlite_schema import MIGRATIONS

FILE_NAME = "jobs.sqlite3"
BUSY_SECONDS = 10.0
BUSY_LOOK_SECONDS = 0.02
# What SQLite says, at once and whatever its timeout, where another process makes or closes the same file just now.
_BUSY = ("database is locked", "locking protocol")


class SQLiteEngine:
    """The record of one state folder. Blocking, thread-safe.

    Raises (all methods):
        JournalError: the file cannot be read or written, with the folder's name and what to do.
    """

    may_return = False

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        refuse_network_folder(folder)
        with reported(self.place), contextlib.ExitStack() as opened:
            make_private_folder(folder)
            self._file = Database(folder / FILE_NAME)
            opened.callback(self._file.close)
            self.lease = SQLiteLease(folder / "owners")
            opened.pop_all()
        self._db, self._lock = self._file.connection, self._file.lock
        self._session = SQLiteSession(self._db)

    @contextlib.contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Session]:
        """Begin a transaction; of this process none goes on beside another."""
        with self._lock, reported(self.place):
            if not reading:
                self._file.require_place()
            self._db.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
            try:
                yield self._session
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def when_back(self, call: Callable[[], bool]) -> None:
        """A file is not watched: the next transaction finds out."""

    def clear_traces(self) -> None:
        """Leave nothing of what was erased in the write-ahead log; where others read just now, they do it later."""
        with self._lock, reported(self.place):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file and end the ownership of unfinished claims."""
        self._file.close()
        self.lease.close()


class SQLiteSession:
    """A transaction of a connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.execute = db.execute

    def insert(self, table: str, row: Mapping[str, object]) -> int:
        """Insert a row and return its id."""
        columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
        return self._db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row).lastrowid or 0

    def update(self, statement: str, values: Values) -> None:
        """Execute an UPDATE, which is ignored where another row has by now what is unique."""
        self._db.execute(statement.replace("UPDATE", "UPDATE OR IGNORE", 1), values)

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert rows with their ids; later ones get other ids."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    def take_time(self) -> None:
        """It may: who waits for the file gives up by itself."""


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
        self._path, self._opened = path, path.stat()
        self._closed = False
        try:
            with self.lock:
                _migrate(self.connection)
        except BaseException:
            self.close()
            raise

    def require_place(self) -> None:
        """Check that the path still leads to this file: what is written to a removed one ends with the process.

        Raises:
            JournalError: it was removed, moved or replaced.
        """
        try:
            same = os.path.samestat(self._path.stat(), self._opened)
        except (FileNotFoundError, NotADirectoryError):
            same = False
        if not same:
            raise JournalError("record_replaced", folder=str(self._path.parent), next=(step("put_record_back"),))

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
def reported(folder: str) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a ``JournalError`` that names the folder."""
    try:
        yield
    except (sqlite3.Error, OSError, NotInRecord) as error:
        raise JournalError("record_unusable", folder=folder, error=str(error), next=(FREE_DISK,)) from None
