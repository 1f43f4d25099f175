"""What the record needs of the engine that it lies in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

Value: TypeAlias = str | int | float | None
Values: TypeAlias = Sequence[object] | Mapping[str, object]


class NotInRecord(Exception):
    """A row that was asked for by its id is not there."""


class Cursor(Protocol):
    """The rows that a statement has found. A row is asked for its columns by number and by name."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows."""

    @property
    def description(self) -> Any:
        """The columns; of each, the name comes first."""


class Session(Protocol):
    """A transaction under way. Parameters are ``?`` or ``:name``; ``column IS :name`` holds for None as well."""

    def execute(self, statement: str, values: Values = ..., /) -> Cursor:
        """Execute a statement."""

    def insert(self, table: str, row: Mapping[str, object]) -> int:
        """Insert a row and return its id."""

    def update(self, statement: str, values: Values) -> None:
        """Execute an UPDATE; where it would give a row what another one alone may have, nothing is changed."""

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert rows with their ids; later ones get other ids."""

    def take_time(self) -> None:
        """Let this transaction go on for long."""


class Lease(Protocol):
    """A name for this process; other processes can see whether it still runs.

    A process may lose its lease and live: the connection to a server broke. It takes the lease again, and until
    then it counts as alive for a while, but not as ``is_connected``.
    """

    @property
    def name(self) -> str:
        """The name of this process."""

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name still runs, or may come back."""

    def is_connected(self, name: str) -> bool:
        """Whether the process of that name holds its lease now. Without it, nothing can be submitted."""


class Engine(Protocol):
    """A record that is open. ``place`` names it for people, without a password.

    Raises (all methods):
        JournalError: it cannot be read or written.
    """

    @property
    def place(self) -> str:
        """What the record is called in messages."""

    @property
    def lease(self) -> Lease:
        """The lease of this process."""

    @property
    def may_return(self) -> bool:
        """Whether it is opened although it cannot be reached now: it is tried again with each transaction."""

    def transaction(self, *, reading: bool = False) -> AbstractContextManager[Session]:
        """Begin a transaction, which ends with the block; no other one writes meanwhile, unless it only reads."""

    def when_back(self, call: Callable[[], bool]) -> None:
        """Call this, from another thread, where the record was away and is back, until it returns True."""

    def clear_traces(self) -> None:
        """Leave nothing of what was erased in files that the engine has beside the record."""

    def close(self) -> None:
        """Close it and end the lease."""
