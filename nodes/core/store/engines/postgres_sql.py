"""Statements that are written for SQLite, as PostgreSQL reads them; and rows by number and by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import psycopg

from .engine import Cursor, Values

_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_AT_ONCE = 1000
_NULL_SAFE = re.compile(r"\bIS (?=:[a-z_]|\?)")


@lru_cache(512)
def translated(statement: str) -> str:
    """Return a statement with PostgreSQL's own parameters, and its word for IS before one."""
    text = _NULL_SAFE.sub("IS NOT DISTINCT FROM ", statement.replace("%", "%%"))
    return _NAMED.sub(r"%(\1)s", text).replace("?", "%s")


def storable(value: object) -> object:
    """Return a value as a column can hold it: no NUL, and no half of a surrogate pair, which an input may hold."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Row:
    """A row by the numbers and the names of its columns."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: Mapping[str, int], values: Sequence[Any]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, key: int | str) -> Any:
        return self._values[self._names[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)


def rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    """Return what makes the rows of a result."""
    names = {column.name: number for number, column in enumerate(cursor.description or ())}
    return lambda values: Row(names, values)


class PostgresSession:
    """A transaction of a connection."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db

    def execute(self, statement: str, values: Values = (), /) -> Cursor:
        """Execute a statement."""
        if isinstance(values, Mapping):
            given: Any = {name: storable(value) for name, value in values.items()}
        else:
            given = [storable(value) for value in values]
        return self._db.execute(translated(statement).encode(), given)

    def insert(self, table: str, row: Mapping[str, object]) -> int:
        """Insert a row and return its id."""
        columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
        cursor = self.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id", row)
        return int(cursor.fetchone()[0])

    def update(self, statement: str, values: Values) -> None:
        """Execute an UPDATE, of which nothing stays where another row has by now what is unique."""
        self.execute("SAVEPOINT before")
        try:
            self.execute(statement, values)
        except psycopg.errors.UniqueViolation:
            self.execute("ROLLBACK TO SAVEPOINT before")
        self.execute("RELEASE SAVEPOINT before")

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert rows with their ids; later ones get other ids."""
        names, marks = ", ".join(columns), ", ".join("%s" for _ in columns)
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})".encode()
        left = iter(rows)
        while some := [tuple(map(storable, row)) for row in islice(left, _AT_ONCE)]:
            self._db.cursor().executemany(statement, some)
        if "id" in columns:
            follow = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"
            self._db.execute(f"{follow} HAVING MAX(id) IS NOT NULL".encode())

    def take_time(self) -> None:
        """Let this transaction go on for long, also while it does nothing."""
        self._db.execute("SET LOCAL idle_in_transaction_session_timeout TO 0")
