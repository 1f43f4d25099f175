"""Which process of this computer a claim belongs to, and whether it still lives."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from pathlib import Path

_STALE_SECONDS = 86400.0


class SQLiteLease:
    """A name for this process; other processes can see whether it still runs.

    The process holds an exclusive SQLite transaction on its own file. On every platform the operating system ends
    that transaction with the process, in whatever way it ends. A process number would not do: another process may
    have it by then.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self.name = secrets.token_hex(8)
        self._remove_stale()
        create_private_file(self._path(self.name))
        self._lock = _connect(self._path(self.name))
        self._lock.execute("BEGIN EXCLUSIVE")

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name still runs."""
        if name == self.name:
            return True
        path = self._path(name)
        if not path.exists():
            return False
        with contextlib.closing(_connect(path)) as other:
            return _is_locked(other)

    def is_connected(self, name: str) -> bool:
        """Whether the process of that name still runs: while it does, nothing can take its lease from it."""
        return self.is_alive(name)

    def close(self) -> None:
        """End the lease: from now on the name counts as that of a dead process."""
        self._lock.close()
        with contextlib.suppress(OSError):
            self._path(self.name).unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def _remove_stale(self) -> None:
        # Only old ones: a young file may belong to a process that has made it and not locked it yet.
        before = time.time() - _STALE_SECONDS
        for path in self._folder.glob("*.lock"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before and not self.is_alive(path.stem):
                    path.unlink()


def create_private_file(path: Path) -> None:
    """Make an empty file that only its owner can read; one that exists is not touched, nor even opened."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)


def _is_locked(db: sqlite3.Connection) -> bool:
    try:
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return True
    db.execute("ROLLBACK")
    return False
