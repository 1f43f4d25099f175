"""One POST and its bookkeeping. It runs in a thread and outlives the run that started it, so that no id is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from random import random

from .. import threads
from ..api.client import CANCEL_TIMEOUT, Client
from ..api.responses import CancelOutcome
from ..api.retry import Operation, backoff, delay_after
from ..errors import ConnectionFailed, JournalError, PackError, RateLimited, StatusError
from ..store.job import Job
from ..store.journal import Journal
from ..texts import Note, note
from . import receipts
from .progress import Progress, Stage
from .waiting import RunHost

log = logging.getLogger(__name__)


class Submission:
    """The submission of one claimed job. Once its run has given it up, it clears up after itself."""

    def __init__(self, client: Client, journal: Journal, job: Job, run_host: RunHost) -> None:
        self._client = client
        self._journal = journal
        self._observer = run_host
        self._lock = threading.Lock()
        self._posting = False
        self._given_up = False
        self._unwanted = False
        self.job = job

    def attempt(self, body: bytes) -> Job:
        """Post once and record what became of it. Blocking.

        Raises:
            ConnectionFailed, RateLimited: nothing was accepted; it may be tried again.
            SubmissionUnknown, StatusError: recorded; it must not be tried again.
            JournalError: nothing was sent.
        """
        with self._lock:
            if self._given_up:
                return self.job
            self._posting = True
        try:
            self.job = self._post(body)
            return self.job
        finally:
            with self._lock:
                self._posting = False
                given_up = self._given_up
            if given_up:
                self._clear_up()

    def give_up(self, *, cancel: bool) -> None:
        """Leave the submission to itself: nothing is posted any more, and an unused claim is given back.

        With ``cancel``, a job that is accepted, now or by the POST under way, is cancelled. Blocking.
        """
        with self._lock:
            self._given_up = True
            self._unwanted = cancel
            if self._posting:
                return
        self._clear_up()

    def _clear_up(self) -> None:
        if self.job.request_id is None:
            recorded(self._journal.release, self.job)
        elif self._unwanted:
            threads.CANCELS.start(leave, self._client, self._journal, self.job, self._observer)

    def _post(self, body: bytes) -> Job:
        self._journal.mark_submitting(self.job)
        try:
            request_id = self._client.submit(self.job.model_id, body)
        except (ConnectionFailed, StatusError) as error:
            if error.failure.request_id is not None:
                return self._accepted(error.failure.request_id, receipts.refused(error))
            if isinstance(error, ConnectionFailed | RateLimited):
                recorded(self._journal.mark_unsent, self.job)
            else:
                recorded(self._journal.mark_refused, self.job, error.note)
            raise
        except BaseException:
            # Whatever broke: the job may have been accepted.
            recorded(self._journal.mark_lost, self.job)
            raise
        return self._accepted(request_id)

    def _accepted(self, request_id: str, outcome: Note | None = None) -> Job:
        now = self._journal.now()
        job = replace(self.job, state="submitted", request_id=request_id, submitted_at=now, outcome=outcome)
        recorded(self._journal.mark_submitted, job, request_id)
        if outcome is not None:
            recorded(self._journal.set_outcome, job, outcome)
        return job


def recorded(write: Callable[..., object], job: Job, *values: object) -> None:
    """Write to the journal what has happened already. A full disk must not hide it, nor cost the images."""
    try:
        write(job, *values)
    except JournalError as error:
        log_unrecorded(job, error)


def log_unrecorded(job: Job, error: JournalError) -> None:
    """Log that the journal owes a record."""
    told = "Job %s, request %s: what became of it is recorded as soon as the record can be written again (%s)."
    log.error(told, job.id, job.request_id or "unknown", _cause(error))


def _cause(error: JournalError) -> object:
    """Return what stood against the record; the error itself speaks of a run that has not spent anything."""
    return error.note.params.get("error", error.failure.kind)


def leave(
    client: Client, journal: Journal, job: Job, run_host: RunHost, waiting: Future[int] | None = None
) -> None:
    """After Stop: cancel a job that may still be queued, unless another run waits for it. Blocking.

    ``waiting`` is what ``Journal.wait_for`` returns of this run.
    """
    if _nobody_waits(journal, job, waiting):
        cancel(client, journal, job, run_host)
    else:
        told = note("cancel.awaited")
        run_host.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(told,)))


def stop_waiting(journal: Journal, job: Job, waiting: Future[int]) -> None:
    """Record that a run that was not stopped waits no longer. Blocking."""
    _nobody_waits(journal, job, waiting)


def _nobody_waits(journal: Journal, job: Job, waiting: Future[int] | None = None) -> bool:
    try:
        return journal.stop_waiting(job, waiting.result() if waiting else None)
    except JournalError as error:
        # The cancel is asked for, then: a run that waits all the same submits the job again, and pays for it once.
        log.warning("Who waits for request %s is not known (%s).", job.request_id, _cause(error))
        return True


def cancel(client: Client, journal: Journal, job: Job, run_host: RunHost) -> None:
    """Ask for the end of a job, for five seconds at most, and record and show what the API says. Blocking."""
    told = _ask_for_cancel(client, job.request_id or "", partial(_nobody_waits, journal, job))
    if told == _said(CancelOutcome.CANCELLED):
        recorded(journal.mark_ended, job, "cancelled", told)
    else:
        recorded(journal.set_outcome, job, told)
    run_host.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(told,)))


def _said(outcome: CancelOutcome) -> Note:
    return note(f"cancel.{outcome.value}")


def _ask_for_cancel(client: Client, request_id: str, is_wanted: Callable[[], bool]) -> Note:
    """Return what became of the cancel. It is repeated only while it ``is_wanted``."""
    ends = time.monotonic() + CANCEL_TIMEOUT
    attempt = 0
    while True:
        delay = None
        try:
            outcome = client.cancel(request_id, max(0.1, ends - time.monotonic()))
            told = _said(outcome)
            if outcome is CancelOutcome.REQUESTED:
                delay = backoff(attempt)
        except PackError as error:
            told = note("cancel.unconfirmed", cause=error.note)
            delay = delay_after("POST", Operation.CANCEL, attempt, error, random())
        if delay is None or time.monotonic() + delay > ends:
            return told
        time.sleep(delay)
        if not is_wanted():
            return told
        attempt += 1
