"""The life of one paid job: claim, submit, wait, collect. The one place that is async."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from random import random
from typing import TypeVar

import torch

from . import receipts, workers
from .client import Client
from .collection import collect, decode_kept, keep
from .downloads import Downloader
from .errors import DownloadError, JobCancelled, JobError, JournalError, PackError, RateLimited, SubmissionUnknown
from .journal import Journal
from .kept import Kept
from .limit import Limit
from .pace import plan, poll_delay
from .progress import Progress, Stage, expected_fraction
from .records import Busy, Claim, Claimed, Job, Known, Lost, Order
from .retry import What, delay_after
from .submission import Submission, cancel, note
from .waiting import Clock, Observer, Stopped, Watch
from .wire import Cancelled, Failed, Queued, Running, State, Succeeded

T = TypeVar("T")

BUSY_LOOK_SECONDS = 0.2
LATE_COST_SECONDS = 2.0
EMPTY_LOOKS = 2
EMPTY_LOOK_SECONDS = 1.0

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
    """A remembered job cannot deliver any more, and a new one takes its place. The text says why."""


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
        self.limit = Limit()

    async def run(self, request: Request, observer: Observer) -> Delivery:
        """Deliver the pictures of a request, paying for it once at most.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = _Run(self, Watch(observer, self.clock, self.deadline), request.images_wanted)
        while True:
            job = await run.obtain(request)
            try:
                return await run.deliver(job)
            except _Superseded as reason:
                run.note(f"{reason} This is a new job.")

    async def collect(self, job: Job, observer: Observer) -> Delivery:
        """Deliver the pictures of an accepted job, whoever submitted it. Nothing is ever submitted.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        return await _Run(self, Watch(observer, self.clock, self.deadline), collects=True).deliver(job)


class _Run:
    """One run: who watches it, its job as it is known now, and how far it is. One that ``collects`` has no request:
    it submits nothing, and Stop leaves the job alone."""

    def __init__(self, jobs: Jobs, watch: Watch, images_wanted: int = 0, *, collects: bool = False) -> None:
        self._jobs = jobs
        self._journal = jobs.journal
        self._client = jobs.client
        self._watch = watch
        self._wanted = images_wanted
        self._collects = collects
        self._ours = False
        self._notes: tuple[str, ...] = ()
        self._durations: list[float] = []
        self._progress = Progress(Stage.PREPARING)
        self._job: Job

    async def obtain(self, request: Request) -> Job:
        """Return an accepted job: one that is there already, or a new one."""
        self._ours = False
        self._progress = Progress(Stage.PREPARING)
        waited_for = None
        while True:
            match await self._claim(request.order, waited_for):
                case Known(job):
                    if job.state == "submitted":
                        self.note("The same inputs were submitted before: this is that job, it is not paid twice.")
                    return job
                case Claimed(job):
                    self._ours = True
                    return await self._submit(job, request.prepare)
                case Lost(job):
                    self._tell(job)
                    raise SubmissionUnknown(
                        "An earlier run of the same inputs was sent, and RunComfy's answer to it was lost. "
                        "It may have been accepted. Nothing was sent now."
                    )
                case Busy(job):
                    waited_for = job.id
                    await self._watch.sleep(BUSY_LOOK_SECONDS)

    async def deliver(self, job: Job) -> Delivery:
        """Hand out the kept pictures of a job, or wait for it and collect them."""
        self._job = job
        self._progress = replace(self._progress, request_id=job.request_id)
        if job.state == "delivered":
            batches = await self._blocking(self._from_kept)
            if batches:
                return self._delivery(batches, kept=True)
        try:
            return await self._collect()
        except (Stopped, asyncio.CancelledError):
            # After Stop, the host cancels the siblings of the node that looked first.
            if self._watch.observer.stopped():
                self._leave()
            raise
        except PackError as error:
            await self._settle(error)
            raise receipts.complete(error, self._job, self._seconds()) from None

    def note(self, sentence: str) -> None:
        """Show a sentence from now on."""
        self._notes += (sentence,)

    async def _claim(self, order: Order, waited_for: int | None) -> Claim:
        claiming = workers.start(self._journal.claim, order, self._jobs.budget, waited_for)
        try:
            return await self._watch.result(claiming)
        except BaseException:
            # Stopped, or cancelled by the host, while the thread goes on: nobody would submit what it claims.
            workers.start(self._give_back, claiming)
            raise

    def _give_back(self, claiming: Future[Claim]) -> None:
        with contextlib.suppress(PackError):
            claim = claiming.result()
            if isinstance(claim, Claimed):
                self._journal.release(claim.job)

    async def _submit(self, job: Job, prepare: Callable[[], Prepared]) -> Job:
        submission = Submission(self._client, self._journal, job, self._watch.observer)
        try:
            self._report(stage=Stage.PREPARING)
            prepared = await self._blocking(prepare)
            self._report(stage=Stage.SUBMITTING, sent=prepared.sent)
            return await self._repeat("POST", What.SUBMIT, partial(submission.attempt, prepared.body))
        except SubmissionUnknown:
            self._tell(job)
            raise
        except BaseException:
            # Refused, out of tries, stopped, or cancelled by the host because another node failed.
            workers.start(submission.give_up, cancel=self._watch.observer.stopped())
            raise

    def _tell(self, job: Job) -> None:
        # In this thread: a Stop between the record and the error would leave the loss recorded as told and untold.
        note(self._journal.told, job)

    async def _collect(self) -> Delivery:
        if self._job.files:
            try:
                return await self._fetch(self._job.files)
            except DownloadError as error:
                # The API may know them under another address by now.
                log.info("Request %s is asked for its files anew: %s", self._job.request_id, error.message)
        done = await self._wait()
        hosted = tuple(file for file in done.files if not file.startswith("data:"))
        duration = self._seconds() if self._ours else self._job.duration
        cost = self._job.cost if done.cost is None else done.cost
        self._job = replace(self._job, files=hosted, cost=cost, duration=duration)
        await self._record(self._journal.finished)
        return await self._fetch(done.files)

    async def _fetch(self, files: tuple[str, ...]) -> Delivery:
        self._report(stage=Stage.DOWNLOADING, done=0, total=len(files))
        (batches, originals), _ = await asyncio.gather(
            collect(files, self._jobs.downloader, self._read, self._arrived), self._late_cost(files)
        )
        await self._blocking(keep, self._jobs.kept, self._job.name, originals)
        await self._record(self._journal.delivered)
        return self._delivery(batches, kept=False)

    async def _wait(self) -> Succeeded:
        request_id = self._job.request_id or ""
        with contextlib.suppress(JournalError):
            self._durations = await self._blocking(self._journal.durations, self._job.model_id, self._job.variant)
        times = plan(self._durations)
        empty = 0
        while True:
            state = await self._read(What.STATUS, partial(self._client.status, request_id))
            if isinstance(state, Succeeded):
                state = await self._read(What.RESULT, partial(self._client.result, request_id))
            match state:
                case Succeeded(files) if files:
                    return state
                case Succeeded() if empty < EMPTY_LOOKS:
                    # Not told yet, or a safety block: only the second ends a job that is paid for.
                    empty += 1
                    await self._watch.sleep(EMPTY_LOOK_SECONDS)
                case Queued() | Running():
                    self._show(state)
                    position = state.position if isinstance(state, Queued) else None
                    delay = poll_delay(self._seconds(), times, position)
                    await self._watch.sleep(delay, partial(self._show, state))
                case _:
                    raise await self._ended(state)

    async def _ended(self, state: Failed | Cancelled | Succeeded) -> JobError:
        error = receipts.of_end(state)
        kind = "cancelled" if isinstance(state, Cancelled) else "failed"
        await self._record(self._journal.ended, kind, error.reason or error.message, error.cost)
        return error

    async def _settle(self, error: PackError) -> None:
        """Record an end that no later run can mend. The job of an earlier run is replaced where that is honest."""
        was_delivered = self._job.state == "delivered"
        gone = receipts.is_gone(error, self._seconds())
        if gone:
            await self._record(self._journal.ended, "expired", error.message)
        if self._collects or self._ours:
            return
        if gone and was_delivered:
            raise _Superseded(f"The pictures of request {self._job.request_id} were delivered and have expired.")
        if isinstance(error, JobCancelled):
            raise _Superseded(f"Request {self._job.request_id} was cancelled while it was queued.")

    def _leave(self) -> None:
        """After Stop: ask for the end of a job that may still be queued."""
        job = self._job
        if self._collects or job.state == "delivered":
            return
        if not job.files:
            workers.start(cancel, self._client, self._journal, job, self._watch.observer)
            return
        told = "The job has ended: the same inputs fetch its pictures without a new charge."
        self._watch.observer.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(told,)))

    def _from_kept(self) -> list[torch.Tensor] | None:
        files = self._jobs.kept.get(self._job.name)
        return decode_kept(files) if files else None

    async def _late_cost(self, files: tuple[str, ...]) -> None:
        """Ask once more for a cost that the result did not tell, while the files are fetched."""
        if self._job.cost is not None or self._job.state == "delivered" or files[0].startswith("data:"):
            return
        with contextlib.suppress(PackError, asyncio.TimeoutError):
            ask = workers.start(self._client.result, self._job.request_id or "")
            state = await asyncio.wait_for(self._watch.result(ask), LATE_COST_SECONDS)
            if isinstance(state, Succeeded) and state.cost is not None:
                self._job = replace(self._job, cost=state.cost)
                await self._record(self._journal.finished)

    async def _record(self, write: Callable[..., Job], *values: object) -> None:
        """Write to the journal what is already paid for: a full disk must not cost the pictures."""
        try:
            self._job = await self._blocking(write, self._job, *values)
        except JournalError as error:
            log.error("Request %s: %s", self._job.request_id, error.message)

    async def _read(self, what: What, call: Callable[[], T]) -> T:
        return await self._repeat("GET", what, call)

    async def _repeat(self, method: str, what: What, call: Callable[[], T]) -> T:
        attempt = 0
        # The files lie on another host, which knows nothing of the account.
        limit = Limit() if what is What.FILE else self._jobs.limit
        while True:
            if held := limit.wait(self._jobs.clock.now(), random()):
                await self._watch.sleep(held)
            try:
                return await self._blocking(call)
            except PackError as error:
                delay = delay_after(method, what, attempt, error, random())
                if delay is None:
                    raise
                log.info("%s is repeated in %.1f s: %s", what.value, delay, error.message)
                if isinstance(error, RateLimited):
                    limit.hold(self._jobs.clock.now() + delay)
            await self._watch.sleep(delay)
            attempt += 1

    async def _blocking(self, function: Callable[..., T], *values: object) -> T:
        return await self._watch.result(workers.start(function, *values))

    def _seconds(self) -> float:
        return max(0.0, self._journal.now() - (self._job.submitted_at or self._job.created_at))

    def _arrived(self, done: int) -> None:
        self._report(done=done)

    def _show(self, state: State) -> None:
        stage, position = (Stage.QUEUED, state.position) if isinstance(state, Queued) else (Stage.RUNNING, None)
        seconds = self._seconds()
        fraction = expected_fraction(seconds, self._durations)
        self._report(stage=stage, seconds=seconds, position=position, fraction=fraction)

    def _report(self, **changes: object) -> None:
        self._progress = replace(self._progress, notes=self._notes, **changes)  # type: ignore[arg-type]
        self._watch.observer.report(self._progress)

    def _delivery(self, batches: list[torch.Tensor], *, kept: bool) -> Delivery:
        job = self._job
        count = sum(len(batch) for batch in batches)
        if count < self._wanted:
            self.note(
                f"{count} of {self._wanted} images came: a safety filter or limit_generations held back others."
            )
        self._report(
            stage=Stage.DELIVERED,
            seconds=job.duration or 0.0,
            total=count,
            done=count,
            cost=job.cost,
            kept=kept,
        )
        return Delivery(job.request_id or "", batches, job.files, self._progress)
