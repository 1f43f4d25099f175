"""The record of every paid job and what became of it, safe across processes, and on a server across hosts.

It holds no token and no pixels; the prompt and the other inputs stand beside a job only where a person has not
switched that off. The fingerprint is a keyed hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from ..errors import RUN_SAME_INPUTS, InvalidInput, JournalError, PackError
from ..texts import Note
from . import budget as budgets
from . import claims, history, inputs, waiters
from .away.identity import Identity, Remembered, read_identity
from .away.kept_jobs import UNRECORDED
from .away.owed import OwedWrites, Write
from .budget import Budget
from .engines import open_engine
from .engines.engine import Lease, Session
from .engines.sqlite import FILE_NAME as FILE_NAME
from .job import BEFORE, JUST_NOW, Asked, Claim, Claimed, Job, JobState, NewJob, PriceAwaited
from .rows import by_id, many, one, written
from .spending import began

T = TypeVar("T")

log = logging.getLogger(__name__)


class Journal:
    """The journal of one state folder. Every method is blocking, thread-safe, and one transaction.

    What happened to a claimed job is never dropped: what could not be written is kept in memory, and the next
    transaction begins with it.

    Raises (all methods):
        JournalError: the file cannot be read or written, with the folder's name and what to do.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time, address: str = "") -> None:
        self.folder, self.address = folder, address
        self._clock = clock
        self._engine = open_engine(folder, address)
        with contextlib.ExitStack() as opened:
            opened.callback(self._engine.close)
            self._owner = self._engine.lease
            self._known = self._identity()
            opened.pop_all()
        self._owed = OwedWrites(folder / "owed", self._keyed("record")[:16], self._owner.name)
        self._took_over = False
        self._lock = threading.RLock()
        self._engine.when_back(self._settle)

    @property
    def may_be_away(self) -> bool:
        """Whether it lies on a server, so that runs may go on while it cannot be reached."""
        return self._engine.may_return

    def now(self) -> float:
        """Return the journal's time, in seconds since the epoch."""
        return self._clock()

    def account(self, token: str, base_url: str) -> str:
        """Return a keyed hash that stands for a token at an API; the token cannot be found from it."""
        return self._keyed(f"{base_url}\n{token}")

    def fingerprint(self, base_url: str, content: object) -> str:
        """Return a keyed hash of an API and a JSON value: the same inputs give the same job, whatever the token."""
        return self._keyed(f"{base_url}\n{json.dumps(content, sort_keys=True)}")

    def former_fingerprints(self, content: object) -> tuple[str, ...]:
        """Return what ``fingerprint`` was before 0.2, once for each account that had a job then."""
        text = json.dumps(content, sort_keys=True)
        return tuple(self._keyed(account + text) for account in self._known.former_accounts)

    def claim(self, new_job: NewJob, budget: Budget | None = None, asked: Asked = JUST_NOW) -> Claim:
        """Claim a job durably, or find out what has become of the same one, whatever token it was made with.

        A lost answer that was told to somebody else while this caller waited concerns it, too.

        Raises:
            OverBudget: a new job would pass the budget, or its price is not known; nothing was claimed.
        """
        made: list[Job] = []
        try:
            with self._transaction() as db:
                return self._claim(db, new_job, budget, asked, made.append)
        except JournalError:
            # A server may have the claim although its answer was lost.
            for job in made:
                self._owed.add(Write(job.id, job.name, ("preparing",)))
            raise

    def release(self, job: Job) -> None:
        """Remove a claim that led to no job."""
        self._remove(job, "preparing", "submitting")

    def mark_submitting(self, job: Job) -> None:
        """Record, durably, that the POST is about to be made.

        Raises:
            JournalError: also if another run has taken over the claim. The POST must not be made.
        """
        # Not owed where it fails: then nothing is sent.
        with self._transaction() as db:
            _change(job, "submitting", {}).apply(db)
            now = one(db, "SELECT * FROM jobs WHERE id = :id", id=job.id)
        if now is None or now.state != "submitting":
            raise JournalError("claim_taken_over", next=(RUN_SAME_INPUTS,))

    def mark_unsent(self, job: Job) -> None:
        """Record that the POST was not accepted and may be made again."""
        self._set(job, "preparing")

    def mark_submitted(self, job: Job, request_id: str) -> None:
        """Record the request id of an accepted job."""
        self._set(job, "submitted", request_id=request_id, submitted_at=self._clock())

    def mark_lost(self, job: Job) -> None:
        """Record that the answer to the POST was lost; until ``mark_reported``, the next identical run tells it."""
        self._set(job, "lost")

    def mark_reported(self, job: Job, at: float | None = None) -> None:
        """Record that a person was told of the lost answer, now or ``at`` a moment: who asks later submits anew."""
        self._set(job, "unknown", ended_at=self._clock() if at is None else at)

    def mark_refused(self, job: Job, outcome: Note) -> None:
        """Record that the API refused the job; nothing was charged."""
        self._set(job, "refused", note=written(outcome), ended_at=self._clock())

    def mark_owned(self, job: Job, account: str) -> Job:
        """Record that a job is that of ``account``: its API tells this token of it."""
        return self._set(job, account=account)

    def allow_retry(self, request_id: str) -> Job:
        """Let a new job be paid for, once, in place of this one, and return it: the next identical run submits it.

        The permission ends with the job that it was given for: it counts while that is the newest of its inputs.

        Raises:
            InvalidInput: no such job is recorded. PackError: its inputs may be run again without this.
        """
        with self._transaction() as db:
            named = _by_request(db, request_id)
            if named is None:
                raise InvalidInput("request_id", "not_recorded")
            newest = "SELECT * FROM jobs WHERE fingerprint = :fingerprint AND account = :account ORDER BY id DESC"
            job = one(db, newest, fingerprint=named.fingerprint, account=named.account)
            if job is None or not job.ended_paid:
                raise PackError("no_permission_needed", next=(RUN_SAME_INPUTS,))
            db.execute("UPDATE jobs SET retry_allowed = 1 WHERE id = :id", {"id": job.id})
            return by_id(db, job.id)

    def adopt(self, new_job: NewJob, request_id: str) -> Job:
        """Record a job that was submitted elsewhere, to collect it here. It does not count towards the budget."""
        with self._transaction() as db:
            live = claims.live(db, new_job)
            return (
                live[0] if live else self._insert(db, new_job, state="submitted", request_id=request_id, owner="")
            )

    def mark_finished(self, job: Job) -> Job:
        """Record the result of a job: the URLs of its files, its cost and its duration, where they are known.

        Of two runs that were told different ones, that of more files stays: an answer takes no paid file away.
        """
        known = {"has_result": 1, "cost": job.cost, "duration": job.duration, "ended_at": self._clock()}
        write = _change(job, None, {**known, "files": json.dumps(job.files)})
        with self._writing(write) as db:
            fewer = len(job.files) < len(by_id(db, job.id).files)
            (_change(job, None, known) if fewer else write).apply(db)
            return by_id(db, job.id)

    def mark_over(self, job: Job, cost: float | None) -> Job:
        """Record that a job has ended, so that nobody waits for its cost; its files may still appear."""
        return self._set(job, cost=cost, ended_at=self._clock())

    def mark_delivered(self, job: Job) -> Job:
        """Record that every image has been decoded and handed out, unless another run knows of more files.

        A permission to pay again ends with that, too.
        """
        write = _change(job, "delivered", {"retry_allowed": 0})
        with self._writing(write) as db:
            if not 0 < len(job.files) < len(by_id(db, job.id).files):
                write.apply(db)
            return by_id(db, job.id)

    def mark_ended(self, job: Job, state: JobState, outcome: Note, cost: float | None = None) -> Job:
        """Record an end without images: ``failed``, ``cancelled`` or ``expired``."""
        return self._set(job, state, note=written(outcome), cost=cost, ended_at=self._clock())

    def mark_without_image(self, job: Job, outcome: Note, cost: float | None) -> Job:
        """Record that a job has ended without an image so far: the next identical run asks for one once more."""
        return self._set(job, note=written(outcome), cost=cost, ended_at=self._clock())

    def set_outcome(self, job: Job, outcome: Note) -> None:
        """Record what happened to a job that goes on, such as the answer to a cancel."""
        self._set(job, note=written(outcome))

    def wait_for(self, job: Job) -> int:
        """Record that a run of this process waits for a job; return a number for ``stop_waiting``."""
        with self._transaction() as db:
            return waiters.join(db, self._owner, job.id)

    def stop_waiting(self, job: Job, number: int | None) -> bool:
        """Record that a run does not wait any more; return whether no other run does, in any living process."""
        with self._transaction() as db:
            return waiters.leave(db, self._owner, job.id, number)

    def disown(self, job: Job) -> None:
        """Forget a job that was adopted, and that the API does not know."""
        if job.owner == "":
            self._remove(job, "submitted")

    def find(self, request_id: str) -> Job | None:
        """Return the newest job with this request id."""
        with self._transaction(reading=True) as db:
            return _by_request(db, request_id)

    def recent(self, limit: int = 50, model_id: str | None = None, *, accepted: bool = False) -> list[Job]:
        """Return the newest jobs first, of every token: all, those of a model, or the accepted ones."""
        with self._transaction(reading=True) as db:
            return many(
                db,
                "SELECT * FROM jobs WHERE (:model_id IS NULL OR model_id = :model_id) "
                f"{'AND request_id IS NOT NULL ' if accepted else ''}ORDER BY id DESC LIMIT :limit",
                model_id=model_id,
                limit=limit,
            )

    def durations(self, model_id: str, size: str, count: int | None, limit: int = 50) -> list[float]:
        """Return how many seconds the newest jobs of a model, a size and a count took, newest first."""
        with self._transaction(reading=True) as db:
            rows = db.execute(
                "SELECT duration FROM jobs WHERE model_id = ? AND size = ? AND count IS ? AND duration IS NOT NULL "
                "ORDER BY id DESC LIMIT ?",
                (model_id, size, count, limit),
            )
            return [float(row[0]) for row in rows]

    def spent_today(self) -> float:
        """Return the USD of the jobs made since local midnight; an estimate stands where no cost is known."""
        with self._transaction() as db:
            return self._spent(db)

    def read(self, query: Callable[[Session, Lease], T]) -> T:
        """Return what a query finds: it is given the file within a transaction, and tells which processes live."""
        with self._transaction(reading=True) as db:
            return query(db, self._owner)

    def write(self, change: Callable[[Session], None]) -> None:
        """Make a change that concerns no job, within a transaction."""
        with self._transaction() as db:
            change(db)

    def forget(self, job: Job) -> None:
        """Remove a job and its inputs. What it cost still counts for its day.

        Raises:
            PackError: a living process works on it.
        """
        with self._transaction() as db:
            if history.is_live(db, self._owner, job):
                raise PackError("job_is_live", request_id=job.request_id)
            budgets.keep_cost(db, job)
            db.execute("DELETE FROM jobs WHERE id = :id", {"id": job.id})
        self._engine.clear_traces()

    def forget_inputs(self) -> None:
        """Erase the inputs that are kept beside the jobs."""
        with self._transaction() as db:
            inputs.erase_all(db)
        self._engine.clear_traces()

    def close(self) -> None:
        """Close the record and end the ownership of unfinished claims."""
        if not self._owed.is_saved:
            # Nobody could take it over.
            self._settle()
        self._engine.close()

    def _keyed(self, text: str) -> str:
        return hmac.new(self._known.key, text.encode(), hashlib.sha256).hexdigest()

    def _identity(self) -> Identity:
        """Return what the record is known by; where it cannot be reached, what was remembered of it."""
        remembered = Remembered(self.folder, self._engine.place)
        try:
            with self._engine.transaction() as db:
                identity = read_identity(db)
        except JournalError:
            identity_of_before = remembered.read() if self._engine.may_return else None
            if identity_of_before is None:
                raise
            return identity_of_before
        if self._engine.may_return:
            remembered.write(identity)
        return identity

    def _claim(
        self,
        db: Session,
        new_job: NewJob,
        budget: Budget | None,
        asked: Asked,
        made: Callable[[Job], None],
    ) -> Claim:
        """Return what a claim finds, and tell of a new row at once."""
        claims.carry_forward(db, new_job)
        found = claims.found(db, self._owner, new_job, asked, self._clock())
        if found is not None:
            return found
        reckoned = None
        if budget is not None:
            reckoned = budgets.estimate(db, new_job, budget)
            now = self._clock()
            claims.remove_dead(db, self._owner, budgets.first_moment(budget, now))
            budgets.require(db, budget, new_job, reckoned, now)
            if reckoned.base_only:
                first = budgets.first_of_its_price(db, self._owner, new_job, asked, now)
                if first is not None:
                    return PriceAwaited(first)
        made(job := self._insert(db, new_job, estimate=reckoned.usd if reckoned else None))
        return Claimed(job)

    def _insert(self, db: Session, new_job: NewJob, **values: str | float | None) -> Job:
        row: dict[str, str | float | None] = {
            "fingerprint": new_job.fingerprint,
            "account": new_job.account,
            "model_id": new_job.model_id,
            "size": new_job.size,
            "count": new_job.count,
            "variant": "",
            "kind": new_job.kind,
            "node_id": new_job.node_id,
            "take": new_job.take,
            "user_name": new_job.author.user,
            "host_name": new_job.author.host,
            "project": new_job.author.project,
            # Of its kept files; never that of another job, whatever becomes of the record.
            "name": secrets.token_hex(12),
            "state": "preparing",
            "owner": self._owner.name,
            "created_at": self._clock(),
        } | values
        made = by_id(db, db.insert("jobs", row))
        if new_job.inputs is not None:
            inputs.keep(db, made.id, new_job.inputs)
        return made

    def _spent(self, db: Session) -> float:
        midnight = began("day", self._clock())
        claims.remove_dead(db, self._owner, midnight)
        return budgets.spent_since(db, midnight)

    def _set(self, job: Job, state: JobState | None = None, **values: str | float | None) -> Job:
        """Change a row if its state may become ``state``; None changes no column. Return the new row."""
        write = _change(job, state, values)
        with self._writing(write) as db:
            write.apply(db)
            return by_id(db, job.id)

    def _remove(self, job: Job, *states: JobState) -> None:
        """Remove a row that is in one of these states."""
        write = Write(job.id, job.name, states)
        with self._writing(write) as db:
            write.apply(db)

    @contextlib.contextmanager
    def _writing(self, write: Write) -> Iterator[Session]:
        """Owe what has happened where it cannot be written: the next transaction begins with it."""
        try:
            with self._transaction() as db:
                yield db
        except JournalError:
            if write.id != UNRECORDED:
                self._owed.add(write)
            raise

    def _settle(self) -> bool:
        """Write what is owed, where anything is; return whether the record has it."""
        if self._owed.pending:
            with contextlib.suppress(JournalError), self._transaction():
                log.info("What happened while the record was away is being written.")
        return not self._owed.pending

    @contextlib.contextmanager
    def _transaction(self, *, reading: bool = False) -> Iterator[Session]:
        # What is owed must be written first, and by one of them: a second time it could undo what came after it.
        with self._lock:
            only_reads = reading and self._took_over and not self._owed.pending
            with self._engine.transaction(reading=only_reads) as db:
                owed = () if only_reads else self._write_owed(db)
                yield db
            self._took_over = True
            if owed:
                self._owed.settled(owed)

    def _write_owed(self, db: Session) -> tuple[Write, ...]:
        """Write what this process owes, and what one that has died by now has left; return it."""
        self._owed.take_over(self._owner.is_connected)
        owed = self._owed.pending
        for write in owed:
            write.apply(db)
        return owed


def _by_request(db: Session, request_id: str) -> Job | None:
    """Return the newest job with a request id, one that was only collected last: of that nothing else is known."""
    rows = many(db, "SELECT * FROM jobs WHERE request_id = :request_id", request_id=request_id)
    return max(rows, key=lambda row: (row.owner != "", row.id), default=None)


def _change(job: Job, state: JobState | None, values: Mapping[str, str | float | None]) -> Write:
    changes = {column: value for column, value in {"state": state, **values}.items() if value is not None}
    return Write(job.id, job.name, BEFORE[state] if state else tuple(BEFORE), changes)
