"""What a person is told of an accepted job that did not deliver: charged or not, which request, what next. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..api.responses import Cancelled, Failed, Succeeded
from ..api.retry import NO_SUCH_REQUEST
from ..errors import (
    COLLECT,
    FETCH_AGAIN,
    GENERATIONS_PAGE,
    LOOK_AT_GENERATIONS,
    NEW_JOB,
    Charge,
    DownloadError,
    FileGone,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    NotFound,
    OtherMedium,
    PackError,
    ProtocolError,
    Rejected,
    TooLarge,
    failed,
    step,
)
from ..media.file_type import IMAGE
from ..store.job import Job
from ..texts import Note, note
from ..version import SHELL

FRESH_SECONDS = 3600.0
_REFUSED = "outcome.refused"


def of_end(state: Failed | Cancelled | Succeeded, job: Job, medium: str = IMAGE) -> JobError:
    """Return the error of a job that ended without a file; ``medium`` is what it would have been."""
    if not isinstance(state, Cancelled) and state.cost is None:
        state = replace(state, cost=job.cost)
    match state:
        case Cancelled() if job.has_result or job.paid:
            # It ran to its end, so this cannot be true, and nothing is paid anew on the strength of it.
            return _failed(job, "cancelled_after_delivery", None, job.cost, "look_at_inputs")
        case Cancelled():
            return JobCancelled("cancelled_in_queue")
        case Failed(reason, cost):
            return _failed(job, "job_failed", reason, cost, "look_at_inputs")
        case Succeeded(cost=cost):
            error = _failed(job, "no_image" if medium == IMAGE else "no_file", None, cost, "look_at_inputs_or_seed")
            return error.but(next=(step("ask_again"), *error.failure.next))


def only_collected(job: Job) -> bool:
    """Whether nothing is known of a job but the id that a person has given."""
    return job.owner == "" and job.state == "submitted" and not job.files


def refused(error: PackError) -> Note:
    """Return the outcome of a submission that was refused by an answer that names a request all the same."""
    return note(_REFUSED, cause=error.note, reason=error.failure.reason)


def of_refused(error: PackError, job: Job) -> JobFailed | None:
    """Return the error of a job whose submission was refused, where the API does not know the request either."""
    if not isinstance(error, NotFound) or job.outcome is None or job.outcome.kind != _REFUSED:
        return None
    cause, reason = job.outcome.params["cause"], job.outcome.params["reason"]
    told = "submission_refused"
    return JobFailed(told, cause=cause, reason=str(reason) if reason else None, charge=Charge.NO, next=(NEW_JOB,))


def of_missing_file(error: PackError, number: int, count: int, medium: str = IMAGE) -> Note:
    """Say which file of a result is missing, why, and what next."""
    # Neither becomes smaller, nor better understood, by another try.
    final = isinstance(error, TooLarge | ProtocolError | OtherMedium)
    step_next = LOOK_AT_GENERATIONS if final else FETCH_AGAIN
    kind = "note.file_missing" if medium == IMAGE else "note.other_file_missing"
    return note(kind, number=number, count=count, cause=error.note, next=step_next)


def of_earlier(job: Job) -> JobFailed:
    """Return the error of a job that failed and was charged, for the next run of the same inputs."""
    return JobFailed(
        "failed_before",
        cause=job.outcome or failed("job_failed"),
        charge=Charge.YES,
        cost=job.cost,
        request_id=job.request_id,
        next=(_new_job(job),),
    )


def is_gone(error: PackError, seconds: float) -> bool:
    """Whether a job can never deliver: it, or a file of it, is not there ``seconds`` after its submission.

    A 404, also as a code in another status, may within the first hour come from a storage that lags behind; so may
    a 403 for a file.
    """
    if not isinstance(error, FileGone | NotFound):
        return False
    if isinstance(error, FileGone):
        absent = error.status in (403, 404)
    else:
        absent = error.status == 404 or error.code == NO_SUCH_REQUEST
    return not absent or seconds > FRESH_SECONDS


def complete(error: PackError, job: Job, seconds: float) -> PackError:
    """Return an error with what is known of the accepted job that it befell, ``seconds`` after its submission."""
    known = error.failure
    cost = job.cost if known.cost is None else known.cost
    told = error.but(request_id=known.request_id or job.request_id, cost=cost)
    if isinstance(error, JobFailed | JobCancelled):
        return told
    if isinstance(error, DownloadError):
        if isinstance(error, FileGone):
            gone = is_gone(error, seconds)
            return told.but(next=(step("files_expire"), _new_job(job)) if gone else (FETCH_AGAIN,))
        if isinstance(error, OtherMedium):
            hand_on = step("hand_on", shell=SHELL, request_id=job.request_id)
            return told.but(next=(hand_on, LOOK_AT_GENERATIONS))
        return told
    return told.but(charge=charge_of(cost), next=_next(error, job, seconds))


def of_unknown(error: PackError, request_id: str) -> PackError:
    """Return the error of a request that nothing is known of but its id: whoever made it may have paid for it."""
    told = error.but(request_id=request_id, charge=Charge.UNKNOWN)
    return of_collecting(told, 0.0)


def of_collecting(error: PackError, seconds: float) -> PackError:
    """Return a completed error with the next steps where the job was only collected: that submits no new one."""
    if isinstance(error, NotFound):
        return error.but(next=(step("compare_request_id", url=GENERATIONS_PAGE),))
    if isinstance(error, JobFailed | JobCancelled) or is_gone(error, seconds):
        return error.but(next=(step("nothing_to_collect"),))
    return error


def charge_of(cost: float | None) -> Charge:
    """Tell from a cost in USD whether money was taken."""
    if cost is None:
        return Charge.UNKNOWN
    return Charge.YES if cost > 0 else Charge.NO


def _failed(job: Job, kind: str, reason: str | None, cost: float | None, advice: str) -> JobFailed:
    steps = (step(advice), _new_job(replace(job, cost=cost)))
    return JobFailed(kind, reason=reason, cost=cost, charge=charge_of(cost), next=steps)


def _new_job(job: Job) -> Note:
    """Return the step to a new job in place of one that has ended: a paid one needs a person's permission."""
    return step("allow_retry", shell=SHELL, request_id=job.request_id) if job.paid else NEW_JOB


def _next(error: PackError, job: Job, seconds: float) -> tuple[Note, ...]:
    if is_gone(error, seconds):
        return (LOOK_AT_GENERATIONS, _new_job(job))
    if isinstance(error, Rejected | NotFound):
        return (step("job_was_accepted"), COLLECT)
    return error.failure.next if isinstance(error, JobTimedOut) else (*error.failure.next, COLLECT)
