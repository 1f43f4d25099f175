"""A record on a real PostgreSQL server under simulated processes: it is away at times, and hears of every death.

The conditions of the disk are the server's here. Fibers change before a transaction begins, and never within.
"""

from __future__ import annotations

import os
import time
from typing import Any, Protocol

import psycopg

from nodes.core.store.engines import postgres, postgres_lease, postgres_link
from nodes.core.store.engines.address import Address
from nodes.core.store.engines.postgres_schema import SCHEMA
from nodes.core.store.engines.postgres_sql import Row, rows

from .disk import Disk

_LOOK_SECONDS = 0.001
_AWAY = ("full", "locked", "read_only")
_TABLES = "jobs, inputs, waiters, forgotten, places, leases, former_accounts"


class Surroundings(Protocol):
    """The world of the history that is being played."""

    disk: Disk

    def at_write(self, place: str) -> None:
        """Perhaps end the process of the running fiber."""

    def opened(self, connection: Any) -> None:
        """Remember a connection of the running fiber's process."""


class Stage(Protocol):
    """Where the world is found."""

    world: Any


class Database:
    """One database of the server, for one real process of the simulation, emptied for each history."""

    def __init__(self, stage: Stage, server: str) -> None:
        self._stage = stage
        name = f"simulation_{os.getpid()}"
        with psycopg.connect(server, autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}".encode())
        self.address = server.replace("/postgres", f"/{name}")
        cursors = psycopg.ClientCursor
        self._own: Any = psycopg.connect(self.address, autocommit=True, row_factory=rows, cursor_factory=cursors)
        self._own.execute(f"SET search_path TO {SCHEMA}".encode())
        _replace(self)

    def empty(self) -> None:
        """Forget the last history."""
        postgres_link.migrate(self._own)
        self._own.execute(f"TRUNCATE {_TABLES} RESTART IDENTITY".encode())
        self._own.execute("DELETE FROM meta WHERE key <> 'version'")

    def jobs(self) -> list[Row]:
        """Return the rows of the journal, oldest first."""
        found: list[Row] = self._own.execute("SELECT * FROM jobs ORDER BY id").fetchall()
        return found

    def begin(self) -> None:
        """Let others go first.

        Raises:
            psycopg.OperationalError: the server is away.
        """
        world: Surroundings = self._stage.world
        world.at_write("journal")
        if any(world.disk.is_now(kind) for kind in _AWAY):
            raise psycopg.OperationalError("the server is away")

    def opened(self, link: Any) -> Any:
        """Let a connection die with its process."""
        self._stage.world.opened(link)
        return link

    def ended(self, pid: int) -> None:
        """Wait until the server has ended a session."""
        while self._own.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            time.sleep(_LOOK_SECONDS)


def _replace(database: Database) -> None:
    class Link(postgres_link.Link):
        """A connection of a simulated process."""

        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            """Execute a statement; a transaction begins when the server is there."""
            if bytes(query if isinstance(query, bytes) else query.encode()).startswith(b"BEGIN"):
                database.begin()
            return super().execute(query, *values, **options)

        def close(self) -> None:
            """Close it, and wait until the server knows."""
            pid = 0 if self.closed else self.info.backend_pid
            super().close()
            if pid:
                database.ended(pid)

    real = postgres_link.connect

    def connect(address: Address) -> Any:
        database.begin()
        return database.opened(real(address))

    postgres_link.Link = Link  # type: ignore[misc]
    for module in (postgres, postgres_lease):
        setattr(module, "connect", connect)  # noqa: B010
    # The server's clock is the real one, and a lease is looked after with each transaction.
    postgres_lease.GRACE_SECONDS = 0.0
    setattr(postgres_lease.PostgresLease, "_keep", lambda _: None)  # noqa: B010
