"""A record that moves between SQLite and PostgreSQL: whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journals import NOON, WHY, accepted, claimed, new_job
from postgres import Server

from nodes.core.errors import JournalError, PackError
from nodes.core.store import history, inputs
from nodes.core.store.copying import copy_record
from nodes.core.store.engines.postgres_sql import PostgresSession
from nodes.core.store.engines.sqlite import SQLiteSession
from nodes.core.store.job import Author, Claimed, Existing, JobInputs, PermissionNeeded
from nodes.core.store.journal import Journal
from nodes.core.store.spending import By, spent

Place = tuple[Path, str]
OLD = Path(__file__).resolve().parent / "journals" / "version-4.sqlite3"


@pytest.fixture
def places(tmp_path: Path, server: Server) -> tuple[Place, Place]:
    return (tmp_path / "file", ""), (tmp_path / "host", server.new_database())


@pytest.fixture(params=["to the server", "from the server"])
def way(request: pytest.FixtureRequest, places: tuple[Place, Place]) -> Iterator[tuple[Place, Place]]:
    yield places if request.param == "to the server" else (places[1], places[0])


def opened(place: Place) -> Journal:
    return Journal(place[0], lambda: NOON, place[1])


def everything(place: Place) -> list[object]:
    """What anybody may read of a record."""
    journal = opened(place)
    try:
        jobs = journal.recent(1000)
        return [
            jobs,
            [journal.read(lambda db, _, job=job: inputs.of_job(db, job.id)) for job in jobs],
            [spending(journal, by) for by in ("user", "project", "day", "model")],
            journal.read(history.count_in_need),
            journal.account("token", "https://a.example"),
            journal.fingerprint("https://a.example", {"prompt": "a fox"}),
            journal.former_fingerprints({"prompt": "a fox"}),
        ]
    finally:
        journal.close()


def spending(journal: Journal, by: By) -> list[tuple[str, float, int]]:
    found = journal.read(lambda db, _: spent(db, by, 0.0))
    return [(one.name, round(one.usd, 6), one.jobs) for one in found]


def fill(place: Place) -> None:
    journal = opened(place)
    job = accepted(journal, "a", "ra", inputs=JobInputs("a \0 fox, лиса", 7), author=Author("alice", "h", "spot"))
    journal.mark_delivered(
        journal.mark_finished(replace(job, files=("https://a.example/1",), cost=0.25, duration=7.5))
    )
    journal.mark_ended(accepted(journal, "b", "rb"), "failed", WHY, 0.25)
    accepted(journal, "c", "rc")
    journal.mark_ended(accepted(journal, "d", "rd"), "cancelled", WHY)
    journal.forget(journal.mark_ended(accepted(journal, "e", "re"), "failed", WHY, 0.5))
    journal.close()


def test_a_copy_holds_everything(way: tuple[Place, Place]) -> None:
    source, target = way
    fill(source)
    before = everything(source)
    assert copy_record(source, target) == 4
    assert str(everything(target)) == str(before).replace("\\x00", "\ufffd")
    assert everything(source) == before


def test_jobs_are_found_and_made_after_a_copy(way: tuple[Place, Place]) -> None:
    source, target = way
    fill(source)
    copy_record(source, target)
    journal = opened(target)
    assert isinstance(journal.claim(new_job("a")), Existing)
    assert isinstance(journal.claim(new_job("b")), PermissionNeeded)
    assert isinstance(journal.claim(new_job("c")), Existing)
    newest = max(job.id for job in journal.recent())
    claim = journal.claim(new_job("new"))
    assert isinstance(claim, Claimed) and claim.job.id > newest
    journal.close()


def test_an_older_record_can_be_moved(places: tuple[Place, Place]) -> None:
    source, target = places
    source[0].mkdir()
    shutil.copy(OLD, source[0] / "jobs.sqlite3")
    assert copy_record(source, target) == 14
    assert everything(target) == everything(source)


def test_there_and_back_is_the_same(places: tuple[Place, Place], tmp_path: Path) -> None:
    here, there = places
    fill(here)
    copy_record(here, there)
    copy_record(there, (tmp_path / "back", ""))
    assert everything((tmp_path / "back", "")) == everything(there)


def test_a_record_with_jobs_is_not_written_over(way: tuple[Place, Place]) -> None:
    source, target = way
    fill(source)
    journal = opened(target)
    job = accepted(journal, "mine", "r1")
    journal.close()
    with pytest.raises(PackError, match="holds jobs already: nothing was copied"):
        copy_record(source, target)
    journal = opened(target)
    assert journal.recent() == [job]
    journal.close()


def test_a_record_is_not_copied_onto_itself(way: tuple[Place, Place]) -> None:
    with pytest.raises(PackError, match="same record"):
        copy_record(way[0], way[0])


@pytest.mark.parametrize("busy", ["claims", "waits"])
def test_a_record_in_use_is_not_copied(way: tuple[Place, Place], busy: str) -> None:
    source, target = way
    journal = opened(source)
    if busy == "claims":
        claimed(journal)
    else:
        journal.wait_for(accepted(journal))
    with pytest.raises(PackError, match="works on a job"):
        copy_record(source, target)
    journal.close()
    assert copy_record(source, target) == 1


def test_a_copy_that_breaks_leaves_nothing(way: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = way
    fill(source)
    before = everything(target)
    for kind in (SQLiteSession, PostgresSession):
        monkeypatch.setattr(kind, "fill", breaking(kind.fill))
    with pytest.raises(JournalError):
        copy_record(source, target)
    monkeypatch.undo()
    assert everything(target) == before
    assert copy_record(source, target) == 4


def breaking(fill: Callable[..., None]) -> Callable[..., None]:
    def broken(session: object, table: str, *values: object) -> None:
        fill(session, table, *values)
        if table == "jobs":
            raise OSError("the disk is gone")

    return broken
