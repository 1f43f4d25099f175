"""The life of one paid job: claim, submit, wait, collect. The one place that is async."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import random
from typing import TypeVar

import torch

from . import workers
from .client import Client
from .collection import collect, decode_kept, keep
from .downloads import Downloader
from .errors import (
    GENERATIONS_PAGE,
    Charge,
    DownloadError,
    FileGone,
    JobCancelled,
    JobFailed,
    JobTimedOut,
    JournalError,
    NotFound,
    PackError,
    SubmissionUnknown,
)
from .journal import Busy, Claimed, Job, Journal, Known, Lost, Order
from .kept import Kept
from .pace import plan, poll_delay
from .progress import Progress, Stage
from .retry import What, delay_after
from .submission import Submission, cancel
from .waiting import Clock, Observer, Stopped, Watch
from .wire import Cancelled, Failed, Queued, Running, State, Succeeded

T = TypeVar("T")

BUSY_LOOK_SECONDS = 0.2
LATE_COST_SECONDS = 2.0
RECOVERABLE = "Run the same inputs again: the pack goes on with this job and does not pay twice."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A request ready to be posted, and a line for each reference on how it travels."""

    body: bytes
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What is to be run. ``prepare`` is blocking and called only where a job has to be submitted."""

    order: Order
    images_wanted: int
    prepare: Callable[[], Prepared]


@dataclass(frozen=True)
class Delivery:
    """The pictures of a job: float32 ``[N,H,W,3]`` in 0..1, one batch for each size, and their hosted URLs."""

    request_id: str
    batches: list[torch.Tensor]
    urls: tuple[str, ...]
    progress: Progress


class _Superseded(Exception):
    """A remembered job can no longer deliver, and nobody was charged for nothing: a new one takes its place."""


class Jobs:
    """Runs the jobs of one account with one journal. Holds no event loop: each prompt of the host has its own."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        kept: Kept,
        downloader: Downloader,
        *,
        budget: float | None = None,
        deadline: float = 1800.0,
        clock: Clock | None = None,
    ) -> None:
        self.client = client
        self.journal = journal
        self.kept = kept
        self.downloader = downloader
        self.budget = budget
        self.deadline = deadline
        self.clock = clock or Clock()

    async def run(self, request: Request, observer: Observer) -> Delivery:
        """Deliver the pictures of a request, paying for it once at most.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = _Run(self, Watch(observer, self.clock, self.deadline), request.images_wanted)
        while True:
            job, ours, sent = await run.obtain(request)
            try:
                return await run.deliver(job, ours, sent)
            except _Superseded:
                log.info("Request %s cannot deliver any more and is replaced by a new job", job.request_id)

    async def collect(self, job: Job, observer: Observer) -> Delivery:
        """Deliver the pictures of an accepted job, whoever submitted it. Nothing is ever submitted.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = _Run(self, Watch(observer, self.clock, self.deadline), 0, cancels=False)
        try:
            return await run.deliver(job, ours=True, sent=())
        except _Superseded as error:
            raise error.__cause__ or error from None


class _Run:
    """One run: a job, who watches it, and how far it is. ``cancels``: Stop asks for the end of the job, too."""

    def __init__(self, jobs: Jobs, watch: Watch, images_wanted: int, *, cancels: bool = True) -> None:
        self._jobs = jobs
        self._journal = jobs.journal
        self._client = jobs.client
        self._watch = watch
        self._wanted = images_wanted
        self._cancels = cancels
        self._progress = Progress(Stage.PREPARING)

    async def obtain(self, request: Request) -> tuple[Job, bool, tuple[str, ...]]:
        """Return an accepted job, whether this run submitted it, and how its references were sent."""
        while True:
            claim = await self._blocking(self._journal.claim, request.order, self._jobs.budget)
            match claim:
                case Known(job):
                    return job, False, ()
                case Claimed(job):
                    prepared, job = await self._submit(job, request.prepare)
                    return job, True, prepared.sent
                case Lost(job):
                    raise SubmissionUnknown(
                        "An earlier run of the same inputs was sent, and RunComfy's answer to it was lost. "
                        "It may have been accepted. Nothing was sent now."
                    )
                case Busy():
                    await self._watch.sleep(BUSY_LOOK_SECONDS)

    async def deliver(self, job: Job, ours: bool, sent: tuple[str, ...]) -> Delivery:
        """Hand out the kept pictures of a job, or wait for it and collect them."""
        self._progress = Progress(Stage.SUBMITTING, request_id=job.request_id, sent=sent)
        if job.state == "delivered":
            batches = await self._blocking(self._from_kept, job)
            if batches:
                return self._delivery(job, batches, kept=True)
        try:
            return await self._collect(job, ours)
        except Stopped:
            if self._cancels and job.state != "delivered":
                workers.start(cancel, self._client, self._journal, job, self._watch.observer)
            raise
        except PackError as error:
            await self._settle(job, ours, error)
            raise _with_request(error, job) from None

    async def _submit(self, job: Job, prepare: Callable[[], Prepared]) -> tuple[Prepared, Job]:
        submission = Submission(self._client, self._journal, job, self._watch.observer)
        try:
            self._report(stage=Stage.PREPARING)
            prepared = await self._blocking(prepare)
            await self._blocking(self._journal.submitting, job)
            self._report(stage=Stage.SUBMITTING, sent=prepared.sent)
            post = partial(submission.attempt, prepared.body)
            return prepared, await self._repeat("POST", What.SUBMIT, post)
        except Stopped:
            workers.start(submission.stop)
            raise
        except SubmissionUnknown:
            await self._blocking(self._journal.told, job)
            raise
        except BaseException:
            # Refused, out of tries, or cancelled by the host because another node failed.
            workers.start(submission.withdraw)
            raise

    async def _collect(self, job: Job, ours: bool) -> Delivery:
        files = job.files
        if not files:
            done = await self._wait(job)
            duration = self._seconds(job) if ours else None
            files = done.files
            job = await self._record(job, self._journal.finished, job, files, done.cost, duration)
        if not files:
            raise JobFailed(
                "The job ended without a picture: most often a safety filter held it back.",
                cost=job.cost,
                advice="Look at the prompt, the references and safety_tolerance; then run again with another seed.",
            )
        self._report(stage=Stage.DOWNLOADING, done=0, total=len(files))
        (batches, originals), job = await asyncio.gather(
            collect(files, self._jobs.downloader, self._read, self._arrived), self._late_cost(job, files)
        )
        await self._blocking(keep, self._jobs.kept, job.id, originals)
        await self._record(job, self._journal.delivered, job)
        return self._delivery(job, batches, kept=False)

    async def _wait(self, job: Job) -> Succeeded:
        times = plan(await self._blocking(self._journal.durations, job.model_id, job.variant))
        while True:
            state = await self._read(What.STATUS, partial(self._client.status, job.request_id or ""))
            if isinstance(state, Succeeded):
                state = await self._read(What.RESULT, partial(self._client.result, job.request_id or ""))
            match state:
                case Succeeded():
                    return state
                case Failed(reason, cost):
                    await self._record(job, self._journal.ended, job, "failed", reason or "", cost)
                    raise JobFailed(
                        "The job failed at the provider.",
                        reason=reason,
                        cost=cost,
                        charge=_charge(cost),
                        advice="Look at the prompt, the references and the safety settings, then run again.",
                    )
                case Cancelled():
                    await self._record(job, self._journal.ended, job, "cancelled")
                    raise JobCancelled("The job was cancelled while it was queued.")
                case Queued() | Running():
                    self._show(job, state)
                    position = state.position if isinstance(state, Queued) else None
                    delay = poll_delay(self._seconds(job), times, position)
                    await self._watch.sleep(delay, partial(self._show, job, state))

    async def _settle(self, job: Job, ours: bool, error: PackError) -> None:
        """Record an end that no later run can mend; a remembered job that nobody paid for in vain is replaced."""
        if isinstance(error, JobCancelled) and not ours:
            raise _Superseded from error
        if isinstance(error, FileGone | NotFound):
            await self._record(job, self._journal.ended, job, "expired", error.message)
            if job.state == "delivered":
                raise _Superseded from error

    def _from_kept(self, job: Job) -> list[torch.Tensor] | None:
        files = self._jobs.kept.get(job.id)
        return decode_kept(files) if files else None

    async def _late_cost(self, job: Job, files: tuple[str, ...]) -> Job:
        """Ask once more for a cost that the result did not tell, while the files are fetched."""
        if job.cost is not None or job.state == "delivered" or files[0].startswith("data:"):
            return job
        with contextlib.suppress(PackError, asyncio.TimeoutError):
            ask = workers.start(self._client.result, job.request_id or "")
            state = await asyncio.wait_for(self._watch.result(ask), LATE_COST_SECONDS)
            if isinstance(state, Succeeded) and state.cost is not None:
                await self._record(job, self._journal.costs, job, state.cost)
                return replace(job, cost=state.cost)
        return job

    async def _record(self, job: Job, write: Callable[..., Job | None], *values: object) -> Job:
        """Write to the journal what is already paid for: a full disk must not cost the pictures."""
        try:
            return await self._blocking(write, *values) or job
        except JournalError as error:
            log.error("Request %s: %s", job.request_id, error.message)
            return job

    async def _read(self, what: What, call: Callable[[], T]) -> T:
        return await self._repeat("GET", what, call)

    async def _repeat(self, method: str, what: What, call: Callable[[], T]) -> T:
        attempt = 0
        while True:
            try:
                return await self._blocking(call)
            except PackError as error:
                delay = delay_after(method, what, attempt, error, random())
                if delay is None:
                    raise
                log.info("%s is repeated in %.1f s: %s", what.value, delay, error.message)
            await self._watch.sleep(delay)
            attempt += 1

    async def _blocking(self, function: Callable[..., T], *values: object) -> T:
        return await self._watch.result(workers.start(function, *values))

    def _seconds(self, job: Job) -> float:
        return max(0.0, self._journal.now() - (job.submitted_at or job.created_at))

    def _arrived(self, done: int) -> None:
        self._report(done=done)

    def _show(self, job: Job, state: State) -> None:
        if isinstance(state, Queued):
            self._report(stage=Stage.QUEUED, seconds=self._seconds(job), position=state.position)
        else:
            self._report(stage=Stage.RUNNING, seconds=self._seconds(job), position=None)

    def _report(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self._watch.observer.report(self._progress)

    def _delivery(self, job: Job, batches: list[torch.Tensor], *, kept: bool) -> Delivery:
        count = sum(len(batch) for batch in batches)
        notes = (
            (f"{count} of {self._wanted} images came: a safety filter or limit_generations held the others back.",)
            if count < self._wanted
            else ()
        )
        self._report(
            stage=Stage.DELIVERED,
            seconds=job.duration or 0.0,
            total=count,
            done=count,
            cost=job.cost,
            kept=kept,
            notes=notes,
        )
        return Delivery(job.request_id or "", batches, job.files, self._progress)


def _charge(cost: float | None) -> Charge:
    if cost is None:
        return Charge.UNKNOWN
    return Charge.YES if cost > 0 else Charge.NO


def _with_request(error: PackError, job: Job) -> PackError:
    """Complete the receipt of an accepted job."""
    error.request_id = error.request_id or job.request_id
    if error.cost is None:
        error.cost = job.cost
    if isinstance(error, JobFailed | JobCancelled | DownloadError):
        return error
    error.charge = _charge(job.cost)
    if isinstance(error, NotFound):
        error.advice = f"Look at {GENERATIONS_PAGE}. Running again submits a new job, which is charged on its own."
    elif not isinstance(error, JobTimedOut):
        error.advice = f"{error.advice} {RECOVERABLE}".strip()
    return error
