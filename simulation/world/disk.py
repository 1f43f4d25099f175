"""The disk under the journal and the kept files: it fills, cannot be written, is locked by others, loses power."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .scheduler import Owner, Scheduler

JOURNAL = "jobs.sqlite3"
_LOOK = 0.05
_WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "PRAGMA user_version =", "COMMIT")


@dataclass(frozen=True)
class Condition:
    """What is wrong with the disk from one time to another, in the world's seconds."""

    kind: str
    begins: float
    ends: float


class Surroundings(Protocol):
    """What the disk asks the world for."""

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of fibers."""

    def at_write(self, place: str) -> None:
        """Perhaps end the process of the running fiber: it is about to write."""

    def opened(self, connection: Connection) -> None:
        """Remember a connection of the running fiber's process."""


class Disk:
    """The conditions of the disk over time, and what was written to the journal's file in which order."""

    def __init__(self, world: Surroundings, folder: Path) -> None:
        self.folder = folder
        self.conditions: list[Condition] = []
        self.durable: list[tuple[str, Sequence[object]]] = []
        self.unsynced: list[tuple[str, Sequence[object]]] = []
        self._world = world

    def is_now(self, kind: str) -> bool:
        """Whether the disk has this condition."""
        now = self._world.scheduler.now
        return any(one.kind == kind and one.begins <= now < one.ends for one in self.conditions)

    def mend(self) -> None:
        """End all conditions."""
        self.conditions.clear()

    def connect(self, path: str | Path, **options: Any) -> Connection:
        """Open a file of SQLite."""
        connection = sqlite3.connect(path, factory=Connection, **options)
        connection.adopt(self, shared=Path(path).name == JOURNAL, patience=float(options.get("timeout", 5.0)))
        self._world.opened(connection)
        return connection

    def before_write(self, place: str) -> None:
        """Let others go first, and fail where the disk does.

        Raises:
            OSError: it is full, or cannot be written.
        """
        self._world.at_write(place)
        if self.is_now("full"):
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.is_now("read_only"):
            raise OSError(errno.EROFS, "Read-only file system")

    def begin(self, patience: float) -> None:
        """Wait until the journal is not locked by a stranger.

        Raises:
            sqlite3.OperationalError: it is, for longer than SQLite waits; or the disk cannot be written.
        """
        scheduler = self._world.scheduler
        self._world.at_write("journal")
        ends = scheduler.now + patience
        while self.is_now("locked"):
            if scheduler.now >= ends:
                raise sqlite3.OperationalError("database is locked")
            scheduler.sleep(_LOOK)
        if self.is_now("read_only"):
            raise sqlite3.OperationalError("attempt to write a readonly database")

    def lose_power(self) -> None:
        """Leave of the journal's file what was synced, and of kept files what no sync has brought to the disk."""
        path = self.folder / JOURNAL
        if self.unsynced:
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            db = sqlite3.connect(path, isolation_level=None)
            for statement, values in self.durable:
                db.execute(statement, values)
            db.close()
            self.unsynced.clear()
        for file in sorted(self.folder.glob("kept/*/*")):
            # Not by the methods that the disk's conditions hold for.
            with open(file, "wb"):
                pass

    def forget(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Connection(sqlite3.Connection):
    """A connection of the journal whose transactions begin when the disk allows it, and are noted in order."""

    def adopt(self, disk: Disk, *, shared: bool, patience: float) -> None:
        """Tell it which disk it is on; ``shared`` for the journal's own file."""
        self.owner: Owner | None = None
        self.is_journal = shared
        self._disk = disk
        self._patience = patience
        self._written: list[tuple[str, Sequence[object]]] = []
        self._synced = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute a statement as this disk lets it be executed."""
        if not self.is_journal:
            return super().execute(sql, parameters)
        statement = sql.lstrip()
        if statement == "BEGIN":
            # Who only reads waits for nobody.
            return super().execute(sql, parameters)
        if statement.startswith("BEGIN"):
            self._disk.begin(self._patience)
            self._written = []
        elif statement.startswith(_WRITES) or "OR IGNORE" in statement:
            if self._disk.is_now("full"):
                raise sqlite3.OperationalError("database or disk is full")
            if not statement.startswith("COMMIT"):
                self._written.append((sql, parameters))
        elif statement.startswith("PRAGMA synchronous"):
            self._synced = "FULL" in statement or "EXTRA" in statement
        cursor = super().execute(sql, parameters)
        if statement.startswith("COMMIT"):
            self._note_commit()
        return cursor

    def _note_commit(self) -> None:
        """SQLite brings a commit of the write-ahead log to the disk where ``synchronous`` is full."""
        disk = self._disk
        disk.unsynced += self._written
        if self._synced and disk.unsynced:
            disk.durable += disk.unsynced
            disk.unsynced = []
