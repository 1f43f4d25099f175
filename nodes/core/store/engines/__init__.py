"""Where the record of paid jobs lies: a file of SQLite in the state folder, or a server of PostgreSQL.

The rules of the record are written once, in the modules of the folder above, in statements that SQLite reads.
What an engine does otherwise is here.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError, step
from .engine import Engine
from .sqlite import SQLiteEngine

VARIABLE = "RUNCOMFY_JOURNAL"
_POSTGRES = ("postgresql://", "postgres://")


def open_engine(folder: Path, address: str = "") -> Engine:
    """Open the record: that of ``folder``, or the one at the ``address`` of a server. Blocking.

    Raises:
        ConfigError: this is not an address, or what it needs is not installed. The message never quotes it.
        JournalError: the record cannot be used.
    """
    if not address:
        return SQLiteEngine(folder)
    if not address.startswith(_POSTGRES):
        raise ConfigError("journal_address", variable=VARIABLE, next=(step("write_journal_address"),))
    try:
        from .postgres import PostgresEngine
    except ImportError:
        raise ConfigError("no_psycopg", variable=VARIABLE, next=(step("install_psycopg"),)) from None
    return PostgresEngine(address, folder)
