"""How a run comes to an accepted job: one that is there already, or a new one that is paid for."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from .. import threads
from ..api.responses import Cancelled, Failed, Succeeded
from ..api.retry import Operation
from ..errors import JournalError, NotFound, OtherAccount, PackError, SubmissionUnknown
from ..request.request import EncodedRequest, Request
from ..store.away.kept_jobs import kept_job
from ..store.job import (
    Asked,
    Busy,
    Claim,
    Claimed,
    Existing,
    Job,
    Moment,
    NewJob,
    OutcomeUnknown,
    PermissionNeeded,
    PriceAwaited,
)
from ..store.journal import Journal
from ..texts import note
from . import receipts
from .context import RunContext
from .fetch import addresses
from .progress import Progress, Stage
from .submit import Submission, recorded

BUSY_LOOK_SECONDS = 0.2
# While the cost of another job is awaited: so many looks at the journal, then one at the API.
PRICE_LOOK_SECONDS = 1.0
LOOKS_BEFORE_ASKING = 10

log = logging.getLogger(__name__)


async def obtain(run: RunContext, request: Request, since: Moment) -> tuple[Job, bool]:
    """Return an accepted job, and whether this run submitted it. A person asked for it ``since`` this moment.

    Raises:
        PackError: nothing was accepted, or it is not known (``SubmissionUnknown``). Stopped.
    """
    run.progress = Progress(Stage.PREPARING)
    asked = Asked(since)
    looks = 0
    while True:
        try:
            claim = await _claim(run, request.new_job, asked)
        except JournalError:
            kept = await run.blocking(kept_job, run.dependencies.file_cache, request.new_job.fingerprint)
            if kept is None:
                raise
            run.note(note("note.kept_without_record"))
            return kept, False
        if isinstance(claim, Existing | PermissionNeeded) and _is_to_be_recognized(run, claim.job, asked):
            asked.is_ours[claim.job.id] = await _is_ours(run, claim.job)
            continue
        match claim:
            case Existing(job):
                if job.state == "submitted":
                    run.note(note("note.not_paid_twice"))
                return job, False
            case Claimed(job):
                return await _submit(run, job, request.prepare), True
            case OutcomeUnknown(job):
                raise _lost(run, job, SubmissionUnknown("earlier_answer_lost"))
            case PermissionNeeded(job):
                raise receipts.of_earlier(job)
            case PriceAwaited(job):
                looks += 1
                await _await_price(run)
                if looks % LOOKS_BEFORE_ASKING == 0 and not await _can_be_asked(run, job):
                    asked.is_ours[job.id] = False
            case Busy():
                await run.wait.sleep(BUSY_LOOK_SECONDS)


async def recognize(run: RunContext, job: Job) -> None:
    """Find out, for nothing, whether a job that another token made is this account's. Kept copies need no answer.

    Raises:
        OtherAccount: it is somebody else's. PackError: it cannot be told. Both are receipts. Stopped.
    """
    dependencies = run.dependencies
    if job.account == dependencies.account:
        return
    kept = await run.blocking(dependencies.file_cache.get, job.name)
    if len(kept) >= max(1, len(job.files)):
        return
    try:
        await run.read(Operation.STATUS, partial(dependencies.client.status, job.request_id or ""))
    except PackError as error:
        if isinstance(error, NotFound) and not isinstance(error, OtherAccount):
            # Told as that of a job of its own would be.
            return
        raise receipts.complete(error, job, job.age(dependencies.journal.now())) from None
    await run.finishing(recorded, dependencies.journal.mark_owned, job, dependencies.account)


def _is_to_be_recognized(run: RunContext, job: Job, asked: Asked) -> bool:
    return job.account != run.dependencies.account and job.id not in asked.is_ours


async def _is_ours(run: RunContext, job: Job) -> bool:
    try:
        await recognize(run, job)
    except OtherAccount:
        return False
    return True


async def _await_price(run: RunContext) -> None:
    """Wait a moment for the cost of another job."""
    run.show(note("note.price_awaited"))
    # The time for a job of its own begins with that job.
    run.begin_anew()
    await run.wait.sleep(PRICE_LOOK_SECONDS)


async def _can_be_asked(run: RunContext, job: Job) -> bool:
    """Ask for the end of another job, as nobody may be waiting for it; False where it is of another account."""
    try:
        if job.request_id:
            await run.finishing(_record_end, run, job)
    except OtherAccount:
        return False
    except PackError as error:
        log.info("What request %s costs is not told: %s", job.request_id, error.message)
    return True


def _record_end(run: RunContext, job: Job) -> None:
    """Ask once for the result of a job and record its end. Blocking."""
    journal = run.dependencies.journal
    match state := run.dependencies.client.result(job.request_id or "", job.model_id):
        case Succeeded(files, cost) if files:
            recorded(journal.mark_finished, replace(job, files=addresses(files), cost=cost))
        case Succeeded(cost=cost):
            # What its next run tells of it is left to that run.
            recorded(journal.mark_over, job, cost)
        case Failed(cost=cost):
            recorded(journal.mark_ended, job, "failed", receipts.of_end(state, job).note, cost)
        case Cancelled():
            recorded(journal.mark_ended, job, "cancelled", receipts.of_end(state, job).note)


async def _claim(run: RunContext, new_job: NewJob, asked: Asked) -> Claim:
    journal, budget = run.dependencies.journal, run.dependencies.budget
    claiming = threads.start(journal.claim, new_job, budget, replace(asked, is_ours=dict(asked.is_ours)))
    try:
        return await run.wait.result(claiming)
    except BaseException:
        # Stopped, or cancelled by the host, while the thread goes on: nobody would submit what it claims.
        threads.start(_give_back, journal, claiming)
        raise


def _give_back(journal: Journal, claiming: Future[Claim]) -> None:
    with contextlib.suppress(PackError):
        claim = claiming.result()
        if isinstance(claim, Claimed):
            journal.release(claim.job)


async def _submit(run: RunContext, job: Job, prepare: Callable[[], EncodedRequest]) -> Job:
    submission = Submission(run.dependencies.client, run.dependencies.journal, job, run.run_host)
    try:
        run.report(stage=Stage.PREPARING)
        prepared = await run.blocking(prepare)
        for told in prepared.notes:
            run.note(told)
        run.report(stage=Stage.SUBMITTING, sent=prepared.sent)
        accepted = await run.repeat("POST", Operation.SUBMIT, partial(submission.attempt, prepared.body))
        # The first look at the job may be long in coming; until then, too, a host knows which one it shows.
        run.report(request_id=accepted.request_id)
        return accepted
    except SubmissionUnknown as error:
        raise _lost(run, job, error) from None
    except BaseException:
        # Refused, out of tries, stopped, or cancelled by the host because another node failed.
        threads.start(submission.give_up, cancel=run.run_host.stopped())
        raise


def _lost(run: RunContext, job: Job, error: SubmissionUnknown) -> SubmissionUnknown:
    """Return the error of a lost answer. Only once a person was told, that is recorded."""
    journal = run.dependencies.journal

    def record() -> None:
        threads.start(recorded, journal.mark_reported, job, journal.now())

    return error.once_told(record)
