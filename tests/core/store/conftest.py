"""Journals in a folder of the test, in SQLite or on a server of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journals import Time

from nodes.core.store.journal import Journal


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def open_journal(tmp_path: Path, clock: Time, record: str) -> Iterator[Callable[[], Journal]]:
    opened: list[Journal] = []

    def open_one() -> Journal:
        opened.append(Journal(tmp_path / "state", clock, record))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def journal(open_journal: Callable[[], Journal]) -> Journal:
    return open_journal()
