"""One POST and its bookkeeping. It runs in a thread and outlives the run that started it, so that no id is lost."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from random import random

from . import workers
from .client import CANCEL_TIMEOUT, Client
from .errors import ConnectionFailed, JournalError, PackError, RateLimited, StatusError, SubmissionUnknown
from .journal import Job, Journal
from .progress import Progress, Stage
from .retry import What, delay_after
from .waiting import Observer
from .wire import CancelOutcome

_OBSTACLES = {
    CancelOutcome.NOT_CANCELLABLE: "The job can no longer be cancelled.",
    CancelOutcome.REQUESTED: "The cancel was asked for and is not confirmed yet.",
}

log = logging.getLogger(__name__)


class Submission:
    """The submission of one claimed job. After ``stop``, the job is cancelled as soon as its id is known."""

    def __init__(self, client: Client, journal: Journal, job: Job, observer: Observer) -> None:
        self._client = client
        self._journal = journal
        self._observer = observer
        self._lock = threading.Lock()
        self._stopped = False
        self._posting = False
        self.job = job

    def attempt(self, body: bytes) -> Job:
        """Post once and record what became of it. Blocking.

        Raises:
            ConnectionFailed, RateLimited: nothing was accepted; it may be tried again.
            SubmissionUnknown, StatusError: recorded; it must not be tried again.
        """
        with self._lock:
            if self._stopped:
                return self.job
            self._posting = True
        try:
            job = self._post(body)
        finally:
            with self._lock:
                self._posting = False
        with self._lock:
            self.job = job
            stopped = self._stopped
        if stopped:
            cancel(self._client, self._journal, job, self._observer)
        return job

    def stop(self) -> None:
        """Take the submission back as far as that is still possible, without waiting for it."""
        with self._lock:
            self._stopped = True
            posting, job = self._posting, self.job
        if job.request_id is not None:
            workers.start(cancel, self._client, self._journal, job, self._observer)
        elif not posting:
            self.withdraw()

    def withdraw(self) -> None:
        """Give the claim back where nothing has been accepted and no POST is on its way."""
        with self._lock:
            unsent = not self._posting and self.job.request_id is None
        if unsent:
            self._journal.release(self.job)

    def _post(self, body: bytes) -> Job:
        try:
            request_id = self._client.submit(self.job.model_id, body)
        except SubmissionUnknown:
            self._journal.lost(self.job)
            raise
        except (ConnectionFailed, RateLimited):
            raise
        except StatusError as error:
            self._journal.refused(self.job, error.message)
            raise
        try:
            return self._journal.submitted(self.job, request_id)
        except JournalError as error:
            # The job is paid for: it goes on from memory, and the next write records the id.
            log.error("Request %s runs and could not be recorded: %s", request_id, error.message)
            return dataclasses.replace(
                self.job, state="submitted", request_id=request_id, submitted_at=self.job.created_at
            )


def cancel(client: Client, journal: Journal, job: Job, observer: Observer) -> None:
    """Ask for the end of a job, for five seconds at most, and record and show what the API says. Blocking."""
    outcome, problem = _ask_for_cancel(client, job.request_id or "")
    if outcome is CancelOutcome.CANCELLED:
        note = "Cancelled while it was queued: not charged."
        journal.ended(job, "cancelled", note)
    else:
        note = f"{problem} If the job runs on, it is charged; the same inputs collect it without paying twice."
        journal.noted(job, note)
    observer.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(note,)))


def _ask_for_cancel(client: Client, request_id: str) -> tuple[CancelOutcome | None, str]:
    """Return the outcome, None where no answer came, and a sentence on what stands against a cancel."""
    ends = time.monotonic() + CANCEL_TIMEOUT
    attempt = 0
    while True:
        try:
            outcome = client.cancel(request_id, max(0.1, ends - time.monotonic()))
            return outcome, _OBSTACLES.get(outcome, "")
        except PackError as error:
            delay = delay_after("POST", What.CANCEL, attempt, error, random())
            if delay is None or time.monotonic() + delay > ends:
                return None, f"The cancel did not arrive: {error.message}"
        time.sleep(delay)
        attempt += 1
