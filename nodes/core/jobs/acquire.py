"""How a run comes to an accepted job: one that is there already, or a new one that is paid for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from .. import threads
from ..api.retry import Operation
from ..errors import PackError, SubmissionUnknown
from ..request.request import EncodedRequest, Request
from ..store.job import Busy, Claim, Claimed, Existing, Job, NewJob, OutcomeUnknown
from ..store.journal import Journal
from ..texts import note
from .context import RunContext
from .progress import Progress, Stage
from .submit import Submission, recorded

BUSY_LOOK_SECONDS = 0.2


async def obtain(run: RunContext, request: Request) -> tuple[Job, bool]:
    """Return an accepted job, and whether this run submitted it.

    Raises:
        PackError: nothing was accepted, or it is not known (``SubmissionUnknown``). Stopped.
    """
    run.progress = Progress(Stage.PREPARING)
    waited_for = None
    while True:
        match await _claim(run, request.new_job, waited_for):
            case Existing(job):
                if job.state == "submitted":
                    run.note(note("note.not_paid_twice"))
                return job, False
            case Claimed(job):
                return await _submit(run, job, request.prepare), True
            case OutcomeUnknown(job):
                _tell(run, job)
                raise SubmissionUnknown("earlier_answer_lost")
            case Busy(job):
                waited_for = job.id
                await run.wait.sleep(BUSY_LOOK_SECONDS)


async def _claim(run: RunContext, new_job: NewJob, waited_for: int | None) -> Claim:
    claiming = threads.start(run.dependencies.journal.claim, new_job, run.dependencies.budget, waited_for)
    try:
        return await run.wait.result(claiming)
    except BaseException:
        # Stopped, or cancelled by the host, while the thread goes on: nobody would submit what it claims.
        threads.start(_give_back, run.dependencies.journal, claiming)
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
        run.report(stage=Stage.SUBMITTING, sent=prepared.sent)
        return await run.repeat("POST", Operation.SUBMIT, partial(submission.attempt, prepared.body))
    except SubmissionUnknown:
        _tell(run, job)
        raise
    except BaseException:
        # Refused, out of tries, stopped, or cancelled by the host because another node failed.
        threads.start(submission.give_up, cancel=run.run_host.stopped())
        raise


def _tell(run: RunContext, job: Job) -> None:
    # The caller raises at once, without an await between: no Stop can come between the record and the error.
    threads.start(recorded, run.dependencies.journal.mark_reported, job)
