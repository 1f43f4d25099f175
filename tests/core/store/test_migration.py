"""A journal of an earlier version opens, is migrated, and its jobs are found. ``journals/`` holds the files."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.core.store import history, inputs
from nodes.core.store.engines.sqlite import MIGRATIONS
from nodes.core.store.job import Claimed, Existing, NewJob, OutcomeUnknown, PermissionNeeded
from nodes.core.store.journal import FILE_NAME, Journal
from nodes.core.texts import note

JOURNALS = Path(__file__).resolve().parent / "journals"
TEXT_TO_IMAGE, PRO_EDIT = "google/nano-banana-2/text-to-image", "google/nano-banana/pro/edit"


@pytest.fixture
def newest(tmp_path: Path) -> Iterator[Journal]:
    """The journal of before the inputs were kept beside the jobs: fourteen jobs of each fate."""
    (tmp_path / "state").mkdir()
    shutil.copy(JOURNALS / "version-4.sqlite3", tmp_path / "state" / FILE_NAME)
    opened = Journal(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """The journal that version 0.1.0 wrote: one job of each fate."""
    (tmp_path / "state").mkdir()
    shutil.copy(JOURNALS / "0.1.0.sqlite3", tmp_path / "state" / FILE_NAME)
    opened = Journal(tmp_path / "state")
    yield opened
    opened.close()


def test_every_job_is_there_with_what_was_asked_for(journal: Journal) -> None:
    assert [(job.id, job.model_id, job.state, job.size, job.count) for job in reversed(journal.recent())] == [
        (1, TEXT_TO_IMAGE, "delivered", "0.5K", 2),
        (2, PRO_EDIT, "delivered", "2K", 1),
        (3, TEXT_TO_IMAGE, "failed", "4K", 1),
        (4, TEXT_TO_IMAGE, "refused", "4K", 1),
        (5, TEXT_TO_IMAGE, "cancelled", "1K", 1),
        (6, TEXT_TO_IMAGE, "submitted", "2K", 3),
        (7, TEXT_TO_IMAGE, "expired", "1K", 1),
        (8, TEXT_TO_IMAGE, "lost", "1K", 1),
        (9, "", "submitted", "", None),
    ]


def test_a_sentence_of_then_is_shown_as_it_is(journal: Journal) -> None:
    cancelled = journal.find("request-cancelled")
    assert cancelled is not None
    assert cancelled.outcome == note("outcome.sentence", text="Cancelled while it was queued: not charged.")
    assert str(cancelled.outcome) == "Cancelled while it was queued: not charged."
    delivered = journal.recent()[-1]
    assert delivered.outcome is None and len(delivered.files) == 2


def test_what_is_recorded_now_is_data(journal: Journal) -> None:
    running = journal.find("request-running")
    assert running is not None
    told = note("cancel.unconfirmed", cause=note("failure.answer_late"))
    journal.set_outcome(running, told)
    found = journal.find("request-running")
    assert found is not None and found.outcome == told


def test_the_same_inputs_find_their_job(journal: Journal) -> None:
    for job in journal.recent():
        same = NewJob(job.fingerprint, job.account, job.model_id, job.size, job.count)
        claim = journal.claim(same)
        if job.state in ("delivered", "submitted"):
            assert claim == Existing(job)
        elif job.state == "lost":
            assert isinstance(claim, OutcomeUnknown)
        else:
            assert isinstance(claim, Claimed)
            assert journal.recent(1) == [replace(claim.job, id=claim.job.id)]
            journal.release(claim.job)


def test_earlier_durations_set_the_pace_of_the_same_size_and_count(journal: Journal) -> None:
    assert len(journal.durations(TEXT_TO_IMAGE, "0.5K", 2)) == 1
    assert journal.durations(TEXT_TO_IMAGE, "0.5K", 1) == []


def test_the_migrated_file_opens_again_and_an_older_pack_would_refuse_it(tmp_path: Path, journal: Journal) -> None:
    before = journal.recent()
    journal.close()
    again = Journal(tmp_path / "state")
    assert again.recent() == before
    again.close()
    db = sqlite3.connect(tmp_path / "state" / FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    db.close()


def test_jobs_of_before_their_inputs_were_kept_are_listed_with_what_they_need(newest: Journal) -> None:
    entries = newest.read(lambda db, owner: history.page(db, owner, history.Wanted(), 50))
    assert [(entry.job.id, entry.job.state, entry.need) for entry in reversed(entries)] == [
        (1, "delivered", ""),
        (2, "delivered", ""),
        (3, "submitted", "collect"),
        (4, "failed", "permission"),
        (5, "failed", ""),
        (6, "refused", ""),
        (7, "cancelled", ""),
        (8, "expired", "permission"),
        (9, "submitted", "collect"),
        (10, "submitted", "collect"),
        (11, "lost", "look"),
        (12, "unknown", "look"),
        (13, "submitting", "look"),
        (14, "submitted", "collect"),
    ]
    assert {(entry.prompt, entry.seed, entry.live, entry.job.kind) for entry in entries} == {("", None, False, "")}
    assert newest.read(history.count_in_need) == 9
    assert newest.read(lambda db, _: [inputs.of_job(db, entry.job.id) for entry in entries]) == [None] * 14


def test_jobs_of_before_their_inputs_were_kept_are_found_by_their_inputs(newest: Journal) -> None:
    for job in newest.recent():
        claim = newest.claim(NewJob(job.fingerprint, job.account, job.model_id, job.size, job.count))
        if job.state in ("delivered", "submitted", "expired"):
            assert claim == Existing(job)
        elif job.state in ("lost", "submitting"):
            assert isinstance(claim, OutcomeUnknown)
        elif job.request_id == "request-charged":
            assert isinstance(claim, PermissionNeeded)
        else:
            assert isinstance(claim, Claimed)
