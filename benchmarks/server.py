"""Claims on a PostgreSQL server of this computer, beside SQLite's, and beside a bare INSERT."""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from nodes.core.store.job import Claimed, NewJob
from nodes.core.store.journal import Journal

from .measuring import seconds
from .table import Row


def rows(quick: bool) -> list[Row]:
    """Return a row for claims; none where no server is installed."""
    from tests.postgres import Server, programs

    if programs() is None:
        return []
    times = 50 if quick else 500
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        address = server.new_database()
        journals = [Journal(Path(folder, "server"), address=address), Journal(Path(folder, "file"))]
        try:
            (ours, file), floor = _claims(journals, times), _inserts(address, times)
        finally:
            for journal in journals:
                journal.close()
    per_second = f"claims a second: {1 / ours:.0f}, in SQLite {1 / file:.0f}, bare INSERTs {1 / floor:.0f}"
    return [
        Row("journal: claim on PostgreSQL", "real", "ms", ours * 1000, floor * 1000, None, "", None, per_second),
        Row("journal: claim in SQLite, beside it", "real", "ms", file * 1000),
    ]


def _claims(journals: list[Journal], times: int) -> list[float]:
    """Return the median seconds of a claim in each journal, measured in turn."""
    numbers = count()

    def claim(journal: Journal) -> None:
        assert isinstance(journal.claim(NewJob(f"{next(numbers):064}", "account", "model", "1K", 1)), Claimed)

    measured = [[seconds(partial(claim, journal)) for journal in journals] for _ in range(times)]
    return [median(turn[place] for turn in measured) for place in range(len(journals))]


def _inserts(address: str, times: int) -> float:
    """Return the median seconds of one INSERT that is committed by itself."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, fingerprint TEXT NOT NULL)")
        return median(
            seconds(lambda: db.execute("INSERT INTO bare (fingerprint) VALUES ('x')")) for _ in range(times)
        )
