"""A lease on a server that is lost while its process lives, and a connection that breaks at any moment."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journals import accepted, claimed, new_job, sql
from postgres import Server

from nodes.core.errors import JournalError
from nodes.core.store.engines import postgres, postgres_lease, postgres_link
from nodes.core.store.job import Busy, Claimed, JobInputs, OutcomeUnknown
from nodes.core.store.journal import Journal

pytestmark = pytest.mark.postgres


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes look for their leases all the time."""
    monkeypatch.setattr(postgres_lease, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(postgres_lease, "RETRY_SECONDS", 0.05)


def held(name: str, other: Journal) -> bool:
    """Whether another process sees a lease."""
    return other.read(lambda _, lease: lease.is_connected(name))


def until(found: Callable[[], object]) -> None:
    ends = time.monotonic() + 10
    while not found() and time.monotonic() < ends:
        time.sleep(0.02)
    assert found()


@pytest.mark.usefixtures("watched")
def test_a_lease_that_was_lost_is_taken_again(open_journal: Callable[[], Journal], server: Server) -> None:
    one, other = open_journal(), open_journal()
    job = claimed(one)
    one.mark_submitting(job)
    server.terminate_all()
    until(lambda: held(job.owner, other))
    assert claimed(one, "b").owner == job.owner
    assert isinstance(other.claim(new_job()), Busy)
    one.mark_submitted(job, "r1")
    assert other.find("r1") is not None


@pytest.mark.usefixtures("watched")
def test_what_is_owed_is_written_although_the_first_try_comes_too_early(
    journal: Journal, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = accepted(journal)
    with server.away(), pytest.raises(JournalError):
        journal.mark_finished(replace(job, cost=0.5))
    early = iter([psycopg.OperationalError("starting up")])

    def connect(*values: Any) -> postgres_link.Link:
        for error in early:
            raise error
        return postgres_link.connect(*values)

    monkeypatch.setattr(postgres, "connect", connect)
    until(lambda: sql(journal, "SELECT cost FROM jobs") == [(0.5,)])


def test_a_claim_goes_on_only_with_the_lease(open_journal: Callable[[], Journal], server: Server) -> None:
    one, other = open_journal(), open_journal()
    name = claimed(one).owner
    server.terminate_all()
    assert not held(name, other)
    assert claimed(one, "b").owner == name
    assert held(name, other), "taken again with the claim, before anybody watched"


def test_a_claim_that_sent_nothing_is_free_at_once_and_can_never_be_sent(
    open_journal: Callable[[], Journal], server: Server
) -> None:
    one, other = open_journal(), open_journal()
    job = claimed(one)
    server.terminate_all()
    assert isinstance(other.claim(new_job()), Claimed)
    with pytest.raises(JournalError, match="nothing is sent"):
        one.mark_submitting(job)
    assert isinstance(one.claim(new_job()), Busy)


def test_what_may_have_been_sent_is_not_taken_for_lost_at_once(
    open_journal: Callable[[], Journal], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = open_journal(), open_journal()
    job = claimed(one)
    one.mark_submitting(job)
    server.terminate_all()
    for _ in range(2):
        assert isinstance(other.claim(new_job()), Busy), "it may come back"
    monkeypatch.setattr(postgres_lease, "GRACE_SECONDS", 0.0)
    assert isinstance(other.claim(new_job()), OutcomeUnknown)
    one.mark_submitted(job, "r1")
    assert other.find("r1") is not None, "and what it learned is not lost either"


def test_a_process_that_ended_its_lease_itself_is_not_waited_for(open_journal: Callable[[], Journal]) -> None:
    one, other = open_journal(), open_journal()
    one.mark_submitting(claimed(one))
    one.close()
    assert isinstance(other.claim(new_job()), OutcomeUnknown)
    assert sql(other, "SELECT COUNT(*) FROM leases") == [(1,)]


def test_a_row_of_a_process_of_another_engine_is_that_of_a_dead_one(journal: Journal) -> None:
    claimed(journal)
    for name in ("", "o", "0" * 16):
        sql(journal, f"UPDATE jobs SET owner = '{name}'")
        assert journal.read(lambda _, lease, name=name: lease.is_alive(name)) is False
    assert isinstance(journal.claim(new_job()), Claimed)


@pytest.mark.parametrize("cut", ["BEGIN", "SELECT * FROM jobs", "INSERT INTO jobs", "COMMIT"])
def test_a_connection_that_breaks_in_a_claim_leaves_none_behind(
    open_journal: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    one, other = open_journal(), open_journal()
    broken: list[str] = []
    execute = postgres_link.Link.execute

    def breaking(link: Any, query: Any, *values: Any, **options: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else query
        if text.startswith(cut) and not broken:
            broken.append(text)
            if cut == "COMMIT":
                # Done, and the answer is lost.
                execute(link, query, *values, **options)
            link.close()
            raise psycopg.OperationalError("the connection was lost")
        return execute(link, query, *values, **options)

    monkeypatch.setattr(postgres_link.Link, "execute", breaking)
    if cut == "BEGIN":
        assert isinstance(one.claim(new_job()), Claimed), "nobody noticed"
        return
    with pytest.raises(JournalError, match=r"(?s)nothing is spent.*Charged: no"):
        one.claim(new_job())
    assert broken
    assert isinstance(one.claim(new_job()), Claimed)
    assert isinstance(other.claim(new_job()), Busy)
    assert sql(other, "SELECT COUNT(*) FROM jobs") == [(1,)]


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    journal: Journal, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = accepted(journal)
    monkeypatch.setattr(postgres_link, "ANSWER_SECONDS", 0.5)
    server.freeze(True)
    try:
        began = time.monotonic()
        with pytest.raises(JournalError):
            journal.mark_delivered(job)
        assert time.monotonic() - began < 15
    finally:
        server.freeze(False)
    until(lambda: not _fails(journal))
    assert [row.state for row in journal.recent()] == ["delivered"]


def test_a_record_that_was_closed_is_connected_by_nobody_any_more(
    journal: Journal, server: Server, record: str
) -> None:
    accepted(journal)
    journal.close()
    with pytest.raises(JournalError, match="the record is closed"):
        journal.recent()
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    until(lambda: server.sql(f"{sessions} AND datname = current_database()", record) == [(0,)])


def _fails(journal: Journal) -> bool:
    try:
        journal.recent()
    except JournalError:
        return True
    return False


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of 96 MB, for a whole server, whose user must reach it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root of Linux makes a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_of_the_server_spends_nothing_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    with Server(small_disk) as own:
        journal = Journal(tmp_path / "state", address=own.new_database())
        job = accepted(journal)
        ballast = small_disk / "ballast"
        with open(ballast, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        refused = 0
        for number in range(3000):
            try:
                claimed(journal, f"b{number}", inputs=JobInputs("x" * 20000 + str(number)))
            except JournalError as error:
                assert "nothing is spent" in str(error)
                refused += 1
                if refused == 3:
                    break
        assert refused == 3
        with pytest.raises(JournalError):
            journal.mark_finished(replace(job, files=("https://a.example/" + "1" * 50000,), cost=0.5))
        ballast.unlink()
        own.stop()
        own.start()
        until(lambda: not _fails(journal))
        claimed(journal, "after")
        found = journal.find("r1")
        assert found is not None and found.cost == 0.5
        journal.close()
