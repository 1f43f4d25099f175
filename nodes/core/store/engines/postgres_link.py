"""A connection to a PostgreSQL server: opened with the record's tables in their newest version."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from typing import Any

import psycopg

from ...errors import JournalError, step
from .address import Address
from .postgres_schema import MIGRATIONS, SCHEMA, VERSION
from .postgres_sql import rows

# How long a server that takes a statement, and says nothing, is waited for.
ANSWER_SECONDS = 30.0
BUSY_SECONDS = 10
_SETTINGS = f"""
    SET search_path TO {SCHEMA};
    SET lock_timeout TO '{BUSY_SECONDS}s';
    SET idle_in_transaction_session_timeout TO '{int(ANSWER_SECONDS)}s';
    SET tcp_keepalives_idle TO 10;
    SET tcp_keepalives_interval TO 5;
    SET tcp_keepalives_count TO 3;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


def key_of(name: str) -> int:
    """Return the number of an advisory lock: 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"{SCHEMA} {name}".encode()).digest()[:8], "big", signed=True)


# One transaction that writes goes on at a time, on any host, as SQLite has it.
WRITING = f"SELECT pg_advisory_xact_lock({key_of('')})"


class Link(psycopg.Connection[Any]):
    """A connection that does not wait for ever: a stopped server holds the line and says nothing."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for what the driver does, for half a minute at most."""
        return super().wait(_within(gen, time.monotonic() + ANSWER_SECONDS), *args, **kwargs)


def connect(address: Address) -> Link:
    """Connect to a server.

    Raises:
        psycopg.Error: it cannot be reached, or refuses.
    """
    link = Link.connect(address.conninfo, autocommit=True, row_factory=rows, cursor_factory=psycopg.ClientCursor)
    try:
        link.execute(_SETTINGS.encode())
    except BaseException:
        link.close()
        raise
    return link


def migrate(link: Link) -> None:
    """Bring the tables to the newest version. One process does it, while the others wait.

    Raises:
        JournalError: a newer version of the pack wrote them.
    """
    with link.transaction():
        link.execute(WRITING.encode())
        version = _version(link)
        if version > VERSION:
            raise JournalError("record_newer", next=(step("update_pack"),))
        if not _first(link, f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"):
            # Who looks after the server may have made it for a user who may not.
            link.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        for number, statements in sorted(MIGRATIONS.items()):
            if number > version:
                link.execute(statements.encode())
        if version < VERSION:
            values = {"version": str(VERSION)}
            link.execute(
                b"INSERT INTO meta VALUES ('version', %(version)s) "
                b"ON CONFLICT (key) DO UPDATE SET value = %(version)s",
                values,
            )


def _version(link: Link) -> int:
    """Return the version of the tables, 0 where there are none."""
    if not _first(link, f"SELECT to_regclass('{SCHEMA}.meta') IS NOT NULL"):
        return 0
    return int(_first(link, "SELECT value FROM meta WHERE key = 'version'") or 0)


def _first(link: Link, statement: str) -> Any:
    row = link.execute(statement.encode()).fetchone()
    return None if row is None else row[0]


def _within(work: Generator[Any, Any, Any], ends: float) -> Generator[Any, Any, Any]:
    """Go through what the driver waits for, and give up where nothing has come until ``ends``."""
    try:
        wanted = next(work)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > ends:
                raise psycopg.OperationalError(f"no answer within {ANSWER_SECONDS:.0f} s")
            wanted = work.send(ready)
    except StopIteration as done:
        return done.value
