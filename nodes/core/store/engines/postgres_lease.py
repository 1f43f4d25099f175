"""Which process a claim belongs to, on any host: a lock of a session, which the server ends with its process."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import socket
import threading
from collections.abc import Callable

import psycopg

from .address import Address
from .postgres_link import Link, connect

LOOK_SECONDS = 5.0
RETRY_SECONDS = 1.0
# So long a process may be away, from when another one first misses it: a server that starts again ends every lease.
GRACE_SECONDS = 30.0
_STALE_SECONDS = 86400
# An advisory lock of 64 bits is listed as two halves.
_HELD = """EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = ('x' || left({name}, 8))::bit(32)::bigint
    AND objid::bigint = ('x' || right({name}, 8))::bit(32)::bigint)"""
_NAME = re.compile("[0-9a-f]{16}")
_NOW = "extract(epoch FROM clock_timestamp())::double precision"

log = logging.getLogger(__name__)


class PostgresLease:
    """The lease of this process, on a connection of its own, which a thread watches and opens again.

    ``ask`` returns the connection of the transaction under way, and whether it may write.
    """

    def __init__(self, address: Address, ask: Callable[[], tuple[Link, bool]]) -> None:
        self.name = secrets.token_hex(8)
        self._address = address
        self._ask = ask
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        self._back: Callable[[], bool] = lambda: True

    @property
    def held(self) -> str:
        """A condition: this process holds its lease, on this connection or on one that is about to end."""
        return _HELD.format(name=f"'{self.name}'")

    def when_back(self, call: Callable[[], bool]) -> None:
        """Call this, from the watching thread, once a lease that was lost is held again, until it returns True."""
        self._back = call

    def take(self) -> None:
        """Hold the lease, where it is not held.

        Raises:
            psycopg.Error: the server cannot be reached.
        """
        with self._lock:
            try:
                self._look()
            except psycopg.Error:
                # A server that has started again has ended the connection.
                self._look()
        if self._watch is None:
            self._watch = threading.Thread(target=self._keep, name="runcomfy-lease", daemon=True)
            self._watch.start()

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name still runs, or may come back within half a minute of being missed."""
        held, known, missed = self._look_up(name)
        if held or name == self.name:
            return True
        if not known or missed is None:
            return bool(known) and self._miss(name)
        return bool(missed < GRACE_SECONDS)

    def is_connected(self, name: str) -> bool:
        """Whether the process of that name holds its lease now."""
        return name == self.name or self._look_up(name)[0]

    def close(self) -> None:
        """End the lease: from now on the name counts as that of a dead process."""
        self._closed.set()
        with self._lock, contextlib.suppress(psycopg.Error):
            if self._link is not None:
                self._link.execute("DELETE FROM leases WHERE name = %s", (self.name,))
                # The server ends a session some time after it was closed.
                self._link.execute(f"SELECT pg_advisory_unlock({self._key})".encode())
        with self._lock:
            self._drop()

    def _look_up(self, name: str) -> tuple[bool, bool, float | None]:
        """Return whether a lease is held, whether its process has not ended it, and for how long it is missed."""
        if not _NAME.fullmatch(name):
            return False, False, None
        query = (
            f"SELECT {_HELD.format(name='%(name)s')}, leases.name IS NOT NULL, {_NOW} - missed_at "
            "FROM (SELECT 1) AS one LEFT JOIN leases ON leases.name = %(name)s"
        )
        row = self._ask()[0].execute(query.encode(), {"name": name}).fetchone()
        return (False, False, None) if row is None else (row[0], row[1], row[2])

    def _miss(self, name: str) -> bool:
        """Note that a lease was not held, where that may be written. Until it is too long ago, it may be again."""
        link, writing = self._ask()
        if writing:
            link.execute(f"UPDATE leases SET missed_at = {_NOW} WHERE name = %(name)s".encode(), {"name": name})
        return True

    def _connected(self) -> Link:
        if self._link is not None and not self._link.closed:
            return self._link
        self._link = link = connect(self._address)
        link.execute(
            b"INSERT INTO leases (name, host_name) VALUES (%(name)s, %(host)s) "
            b"ON CONFLICT (name) DO UPDATE SET missed_at = NULL",
            {"name": self.name, "host": socket.gethostname()},
        )
        link.execute(f"DELETE FROM leases WHERE missed_at < {_NOW} - {_STALE_SECONDS}".encode())
        return link

    @property
    def _key(self) -> int:
        return int.from_bytes(bytes.fromhex(self.name), "big", signed=True)

    def _keep(self) -> None:
        """Look after the connection until the lease is closed."""
        lost = False
        while not self._closed.wait(RETRY_SECONDS if lost else LOOK_SECONDS):
            try:
                with self._lock:
                    self._look()
            except psycopg.Error as error:
                if not lost:
                    log.warning("The record at %s is away: %s", self._address.place, self._told(error))
                lost = True
                continue
            lost = lost and not self._back()

    def _look(self) -> None:
        """Take the lock, where this connection does not have it.

        Where the server still has it for an earlier connection of this process, the watch tries again.
        """
        if self._closed.is_set():
            return
        try:
            link = self._connected()
            link.execute(f"SELECT pg_try_advisory_lock({self._key}) WHERE NOT {self._own()}".encode())
        except psycopg.Error:
            self._drop()
            raise

    def _own(self) -> str:
        """A condition: this very connection holds the lease."""
        return self.held.replace("granted", "granted AND pid = pg_backend_pid()")

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _told(self, error: psycopg.Error) -> str:
        return self._address.redacted(str(error))
