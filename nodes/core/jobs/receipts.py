"""What a person reads of an accepted job that did not deliver: charged or not, which request, what next. Pure."""

from __future__ import annotations

from ..api.responses import Cancelled, Failed, Succeeded
from ..api.retry import NO_SUCH_REQUEST
from ..errors import (
    GENERATIONS_PAGE,
    Charge,
    DownloadError,
    FileGone,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    NotFound,
    PackError,
    Rejected,
)
from ..store.job import Job

RECOVERABLE = "Run the same inputs again: the pack goes on with this job and does not pay twice."
FRESH_SECONDS = 3600.0
_NEW_JOB = "Running again submits a new job, which is charged on its own."


def of_end(state: Failed | Cancelled | Succeeded) -> JobError:
    """Return the error of a job that ended without an image."""
    match state:
        case Cancelled():
            return JobCancelled("The job was cancelled while it was queued.")
        case Failed(reason, cost):
            return JobFailed(
                "The job failed at the provider.",
                reason=reason,
                cost=cost,
                charge=charge_of(cost),
                advice=f"Look at the prompt, the references and the safety settings. {_NEW_JOB}",
            )
        case Succeeded(cost=cost):
            return JobFailed(
                "The job ended without an image: most often a safety filter held it back.",
                cost=cost,
                charge=charge_of(cost),
                advice=f"Look at the prompt, the references and safety settings, or change the seed. {_NEW_JOB}",
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
    """Add to an error what is known of the accepted job that it befell, ``seconds`` after its submission."""
    error.request_id = error.request_id or job.request_id
    if error.cost is None:
        error.cost = job.cost
    if isinstance(error, JobFailed | JobCancelled):
        return error
    if isinstance(error, DownloadError):
        if isinstance(error, FileGone) and not is_gone(error, seconds):
            error.advice = DownloadError.default_advice
        return error
    error.charge = charge_of(error.cost)
    if is_gone(error, seconds):
        error.advice = f"Look at {GENERATIONS_PAGE}. {_NEW_JOB}"
    elif isinstance(error, Rejected | NotFound):
        error.advice = f"The job itself was accepted. {RECOVERABLE}"
    elif not isinstance(error, JobTimedOut):
        error.advice = f"{error.advice} {RECOVERABLE}".strip()
    return error


def of_collecting(error: PackError, seconds: float) -> PackError:
    """Correct the advice of a completed error where the job was only collected: that never submits a new one."""
    if isinstance(error, NotFound):
        error.advice = f"Compare the request id with {GENERATIONS_PAGE}."
    elif isinstance(error, JobFailed | JobCancelled) or is_gone(error, seconds):
        error.advice = "There is nothing to collect. A new job is charged on its own."
    return error


def charge_of(cost: float | None) -> Charge:
    """Tell from a cost in USD whether money was taken."""
    if cost is None:
        return Charge.UNKNOWN
    return Charge.YES if cost > 0 else Charge.NO
