"""Journals in a folder of the test, in SQLite or on a server of PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journals import Time

from nodes.core.store.journal import Journal

ENGINES = ("sqlite", "postgres")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses a journal on both engines; one of SQLite's file alone is marked so."""
    if "record" in metafunc.fixturenames:
        sqlite_alone = metafunc.definition.get_closest_marker("sqlite") is not None
        metafunc.parametrize("record", ENGINES[:1] if sqlite_alone else ENGINES, indirect=True)


@pytest.fixture
def record(request: pytest.FixtureRequest) -> str:
    """The address of an empty record; '' for the file of the state folder."""
    return "" if request.param == "sqlite" else request.getfixturevalue("server").new_database()


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
