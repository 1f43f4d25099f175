"""Bugs to be found: each breaks one promise of the pack, in this real process of the simulation alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodes.core.api.client import Client
from nodes.core.api.responses import CancelOutcome
from nodes.core.errors import Charge, JournalError, PackError, SubmissionUnknown
from nodes.core.media.tensors import BatchDecoder
from nodes.core.store.engines import sqlite
from nodes.core.store.file_cache import FileCache
from nodes.core.store.job import Claim, Claimed, Job, NewJob
from nodes.core.store.journal import Journal


@dataclass(frozen=True)
class Planted:
    """A bug, and how it gets into the pack."""

    name: str
    about: str
    plant: Callable[[], None]


PLANTED: dict[str, Planted] = {}


def bug(about: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Name a function that plants a bug."""

    def note(plant: Callable[[], None]) -> Callable[[], None]:
        PLANTED[plant.__name__] = Planted(plant.__name__, about, plant)
        return plant

    return note


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


@bug("the POST is repeated after a lost answer")
def posts_again() -> None:
    def make(real: Callable[..., str]) -> Callable[..., str]:
        def submit_twice(client: Client, *values: Any) -> str:
            try:
                return real(client, *values)
            except SubmissionUnknown:
                return real(client, *values)

        return submit_twice

    _replace(Client, "submit", make)


@bug("the claim is written only after the POST was answered")
def claims_late() -> None:
    held: dict[tuple[Path, int], NewJob] = {}

    def write(journal: Journal, job: Job) -> None:
        new_job = held.pop((journal.folder, job.id), None)
        if new_job is not None:
            with journal._transaction() as db:
                journal._insert(db, new_job, id=str(job.id), state="submitting")

    def claiming(real: Callable[..., Claim]) -> Callable[..., Claim]:
        def claim(journal: Journal, new_job: NewJob, *values: Any) -> Claim:
            found = real(journal, new_job, *values)
            if isinstance(found, Claimed):
                journal.release(found.job)
                held[journal.folder, found.job.id] = new_job
            return found

        return claim

    def late(real: Callable[..., Any]) -> Callable[..., Any]:
        def mark(journal: Journal, job: Job, *values: Any) -> Any:
            write(journal, job)
            return real(journal, job, *values)

        return mark

    _replace(Journal, "claim", claiming)
    _replace(Journal, "mark_submitting", lambda _: lambda _journal, _job: None)
    for name in ("mark_submitted", "mark_lost", "mark_refused", "mark_unsent"):
        _replace(Journal, name, late)


@bug("the claim of another process is given back")
def releases_foreign_claims() -> None:
    def make(real: Callable[..., Claim]) -> Callable[..., Claim]:
        def claim(journal: Journal, new_job: NewJob, *values: Any) -> Claim:
            which = "fingerprint = ? AND state IN ('preparing', 'submitting') AND owner != ?"
            with journal._transaction() as db:
                db.execute(f"DELETE FROM jobs WHERE {which}", (new_job.fingerprint, journal._owner.name))
            return real(journal, new_job, *values)

        return claim

    _replace(Journal, "claim", make)


@bug("a lost claim is given back as if nothing had been sent")
def releases_lost_claims() -> None:
    def release(journal: Journal, job: Job) -> None:
        with journal._transaction() as db:
            db.execute("DELETE FROM jobs WHERE id = ? AND request_id IS NULL", (job.id,))

    _replace(Journal, "release", lambda _: release)


@bug("a cancel is believed without an answer")
def believes_cancels() -> None:
    def make(real: Callable[..., CancelOutcome]) -> Callable[..., CancelOutcome]:
        def cancel(client: Client, *values: Any) -> CancelOutcome:
            try:
                return real(client, *values)
            except PackError:
                return CancelOutcome.CANCELLED

        return cancel

    _replace(Client, "cancel", make)


@bug("the kept copy of another job is handed out")
def mixes_kept_copies() -> None:
    def make(real: Callable[..., list[Path]]) -> Callable[..., list[Path]]:
        def get(cache: FileCache, name: str) -> list[Path]:
            names = sorted(folder.name for folder in cache._root.glob("*") if folder.name.count(".") == 0)
            return real(cache, names[0] if name in names else name)

        return get

    _replace(FileCache, "get", make)


@bug("the cost of a job is counted twice")
def counts_twice() -> None:
    def make(real: Callable[..., float]) -> Callable[..., float]:
        def spent(journal: Journal, db: Any) -> float:
            twice = db.execute("SELECT TOTAL(cost) FROM jobs WHERE state = 'delivered'").fetchone()[0]
            return real(journal, db) + float(twice)

        return spent

    _replace(Journal, "_spent", make)


@bug("the answer to a cancel sets the state of a job backwards")
def sets_states_back() -> None:
    def make(real: Callable[..., None]) -> Callable[..., None]:
        def outcome(journal: Journal, job: Job, told: Any) -> None:
            real(journal, job, told)
            with journal._transaction() as db:
                db.execute("UPDATE jobs SET state = 'preparing' WHERE id = ? AND state = 'submitted'", (job.id,))

        return outcome

    _replace(Journal, "set_outcome", make)


@bug("what is written to the journal is not synced to the disk")
def misses_a_sync() -> None:
    def make(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(path: Path) -> Any:
            db = real(path)
            db.execute("PRAGMA synchronous = NORMAL")
            return db

        return connect

    _replace(sqlite, "_connect", make)


@bug("a loss is recorded as told, and told to nobody")
def tells_nobody() -> None:
    def mark_lost(journal: Journal, job: Job) -> None:
        journal.mark_reported(job)

    _replace(Journal, "mark_lost", lambda _: mark_lost)


@bug("a receipt says that a lost submission was not charged")
def denies_charges() -> None:
    SubmissionUnknown.default_charge = Charge.NO


@bug("the images of a job are handed out in the wrong order")
def turns_images_around() -> None:
    def make(real: Callable[..., None]) -> Callable[..., None]:
        def decode(decoder: BatchDecoder, index: int, data: bytes) -> None:
            real(decoder, decoder._count - 1 - index, data)

        return decode

    _replace(BatchDecoder, "decode", make)


@bug("the request id of an accepted job is not written")
def forgets_ids() -> None:
    def make(real: Callable[..., None]) -> Callable[..., None]:
        def mark(journal: Journal, job: Job, request_id: str) -> None:
            if int(request_id[1:]) % 3:
                real(journal, job, request_id)
            else:
                raise JournalError("claim_taken_over")

        return mark

    _replace(Journal, "mark_submitted", make)


@bug("Stop is heard only after the job has ended")
def hears_stop_late() -> None:
    from nodes.core.jobs.waiting import CancellableWait

    def check(wait: CancellableWait) -> None:
        del wait

    _replace(CancellableWait, "check", lambda _: check)
