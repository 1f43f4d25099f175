"""How a run comes to an accepted job: one that is there already, or a new one that is paid for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from .. import threads
from ..api.retry import What
from ..errors import PackError, SubmissionUnknown
from ..store.job import Busy, Claim, Claimed, Job, Known, Lost, Order
from ..store.journal import Journal
from .context import Prepared, Request, Run
from .progress import Progress, Stage
from .submit import Submission, note

BUSY_LOOK_SECONDS = 0.2


async def obtain(run: Run, request: Request) -> tuple[Job, bool]:
    """Return an accepted job, and whether this run submitted it.

    Raises:
        PackError: nothing was accepted, or it is not known (``SubmissionUnknown``). Stopped.
    """
    run.progress = Progress(Stage.PREPARING)
    waited_for = None
    while True:
        match await _claim(run, request.order, waited_for):
            case Known(job):
                if job.state == "submitted":
                    run.note("The same inputs were submitted before: this is that job, it is not paid twice.")
                return job, False
            case Claimed(job):
                return await _submit(run, job, request.prepare), True
            case Lost(job):
                _tell(run, job)
                raise SubmissionUnknown(
                    "An earlier run of the same inputs was sent, and RunComfy's answer to it was lost. "
                    "It may have been accepted. Nothing was sent now."
                )
            case Busy(job):
                waited_for = job.id
                await run.watch.sleep(BUSY_LOOK_SECONDS)


async def _claim(run: Run, order: Order, waited_for: int | None) -> Claim:
    claiming = threads.start(run.means.journal.claim, order, run.means.budget, waited_for)
    try:
        return await run.watch.result(claiming)
    except BaseException:
        # Stopped, or cancelled by the host, while the thread goes on: nobody would submit what it claims.
        threads.start(_give_back, run.means.journal, claiming)
        raise


def _give_back(journal: Journal, claiming: Future[Claim]) -> None:
    with contextlib.suppress(PackError):
        claim = claiming.result()
        if isinstance(claim, Claimed):
            journal.release(claim.job)


async def _submit(run: Run, job: Job, prepare: Callable[[], Prepared]) -> Job:
    submission = Submission(run.means.client, run.means.journal, job, run.observer)
    try:
        run.report(stage=Stage.PREPARING)
        prepared = await run.blocking(prepare)
        run.report(stage=Stage.SUBMITTING, sent=prepared.sent)
        return await run.repeat("POST", What.SUBMIT, partial(submission.attempt, prepared.body))
    except SubmissionUnknown:
        _tell(run, job)
        raise
    except BaseException:
        # Refused, out of tries, stopped, or cancelled by the host because another node failed.
        threads.start(submission.give_up, cancel=run.observer.stopped())
        raise


def _tell(run: Run, job: Job) -> None:
    # In this thread: a Stop between the record and the error would leave the loss recorded as told and untold.
    note(run.means.journal.told, job)
