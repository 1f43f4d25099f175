"""A record on a server of PostgreSQL: one for all hosts that name it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from ...errors import JournalError, step
from .address import parse_address
from .engine import NotInRecord, Session
from .postgres_lease import PostgresLease
from .postgres_link import WRITING, Link, connect, migrate
from .postgres_sql import PostgresSession
from .sqlite import make_private_folder

# A server that could not be reached is not asked again at once: of many runs each would wait for it.
PAUSE_SECONDS = 1.0
_VARIABLE = "RUNCOMFY_JOURNAL"


class PostgresEngine:
    """The record at an address. Blocking, thread-safe. A connection that broke is opened again by itself.

    ``folder`` is the state folder of this host.

    Raises (all methods):
        JournalError: the server cannot be reached, or refuses; with its name, and never with the password.
    """

    may_return = True

    def __init__(self, address: str, folder: Path) -> None:
        self._address = parse_address(address, _VARIABLE)
        self.place = self._address.place
        self.lease = PostgresLease(self._address, self._under_way)
        self._link: Link | None = None
        self._writing = False
        self._lock = threading.RLock()
        self._failed: tuple[float, str] | None = None
        self._is_closed = False
        with self._reported():
            make_private_folder(folder)

    @contextlib.contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Session]:
        """Begin a transaction. One that writes waits for all others that write, on any host."""
        with self._lock, self._reported():
            link = self._begun(reading)
            try:
                yield PostgresSession(link)
                link.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def when_back(self, call: Callable[[], bool]) -> None:
        """Call this from the thread that watches the lease, once the server is reached again, until it has done."""
        self.lease.when_back(call)

    def clear_traces(self) -> None:
        """Nothing lies beside the server. What it does with what was erased, who looks after it decides."""

    def close(self) -> None:
        """End the lease and the connection, for good: what another thread still wants fails."""
        self.lease.close()
        with self._lock:
            self._is_closed = True
            self._drop()

    def _begun(self, reading: bool) -> Link:
        """Return the connection with a transaction under way; another one where it broke while nobody used it."""
        was_open = self._link is not None
        try:
            return self._begin(reading)
        except psycopg.OperationalError:
            self._drop()
            if not was_open:
                raise
            return self._begin(reading)

    def _begin(self, reading: bool) -> Link:
        link = self._connected()
        self._writing = not reading
        if reading:
            link.execute("BEGIN READ ONLY")
        elif not self._begin_writing(link):
            # Without a lease others take the claims of this process for those of a dead one.
            link.execute("ROLLBACK")
            self.lease.take()
            self._begin_writing(link)
        return link

    def _begin_writing(self, link: Link) -> bool:
        """Begin a transaction that writes; return whether this process holds its lease."""
        cursor = link.execute(f"BEGIN; {WRITING}; SELECT {self.lease.held}".encode())
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        return row is not None and bool(row[0])

    def _under_way(self) -> tuple[Link, bool]:
        """Return the connection whose transaction is under way, and whether it may write."""
        if self._link is None:
            raise psycopg.OperationalError("the connection was lost")
        return self._link, self._writing

    def _connected(self) -> Link:
        if self._link is not None and not self._link.closed:
            return self._link
        if self._is_closed:
            raise psycopg.OperationalError("the record is closed")
        if self._failed is not None and time.monotonic() - self._failed[0] < PAUSE_SECONDS:
            raise psycopg.OperationalError(self._failed[1])
        try:
            self._link = connect(self._address)
            migrate(self._link)
            self.lease.take()
        except psycopg.Error as error:
            self._drop()
            self._failed = (time.monotonic(), str(error))
            raise
        self._failed = None
        return self._link

    def _roll_back(self) -> None:
        try:
            if self._link is not None:
                self._link.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what the driver raises into a ``JournalError`` that names the server."""
        try:
            yield
        except (psycopg.Error, OSError, NotInRecord) as error:
            told = self._address.redacted(str(error)) or type(error).__name__
            raise JournalError("record_away", place=self.place, error=told, next=(step("check_server"),)) from None
