"""From an accepted job to its images: kept ones, or wait and collect; and what is recorded where none come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import torch

from .. import threads
from ..api.responses import Cancelled, Failed, HostedFile, Queued, ResultFile, Running, State, Succeeded
from ..api.retry import Operation
from ..errors import DownloadError, JobCancelled, JobError, JournalError, PackError, TooLarge
from ..media.pixels import BatchDecoder, Floats
from ..request.request import Request
from ..store.job import Job
from ..texts import Note, note
from . import receipts
from .context import Delivery, RunContext
from .fetch import collect, decode_kept
from .polling import plan, poll_delay
from .progress import Progress, Stage, expected_fraction
from .submit import cancel, log_unrecorded
from .waiting import Stopped

LATE_COST_SECONDS = 2.0
EMPTY_LOOKS = 2
EMPTY_LOOK_SECONDS = 1.0
MEMORY_FROM = 0.45

log = logging.getLogger(__name__)


class JobReplaced(Exception):
    """A remembered job cannot deliver any more, and a new one takes its place. ``note`` says why."""

    def __init__(self, kind: str, request_id: str | None) -> None:
        super().__init__(kind)
        self.note: Note = note(f"note.{kind}", request_id=request_id)


class ResultCollector:
    """The job of a run, as it is known now. ``ours``: this run submitted it.

    Without a ``request`` nobody asked for the job in this run: Stop leaves it alone, and nothing takes its place.
    """

    def __init__(self, run: RunContext, job: Job, request: Request | None, *, ours: bool) -> None:
        self._run = run
        self._job = job
        self._request = request
        self._ours = ours
        self._began = run.dependencies.clock.now()
        self._durations: list[float] = []
        self._memory: Future[Floats | None] | None = None

    async def deliver(self) -> Delivery:
        """Hand out the kept images of the job, or wait for it and collect them.

        Raises:
            PackError: a receipt. JobReplaced: a new job may take the place of this one. Stopped.
        """
        job = self._job
        self._run.progress = replace(self._run.progress, request_id=job.request_id)
        if job.state == "delivered":
            batches = await self._run.blocking(self._from_kept)
            if batches:
                return self._delivery(batches, kept=True)
        try:
            return await self._collect()
        except (Stopped, asyncio.CancelledError):
            # After Stop, the host cancels the siblings of the node that looked first.
            if self._run.run_host.stopped():
                self._leave()
            raise
        except PackError as error:
            await self._settle(error)
            receipt = receipts.complete(error, self._job, self._seconds())
            raise (receipt if self._request else receipts.of_collecting(receipt, self._seconds())) from None
        finally:
            self._free_memory()

    async def _collect(self) -> Delivery:
        if self._job.files:
            try:
                return await self._fetch(tuple(map(HostedFile, self._job.files)))
            except TooLarge:
                raise
            except DownloadError as error:
                # The API may know them under another address by now.
                log.info("Request %s is asked for its files anew: %s", self._job.request_id, error.message)
        done = await self._wait()
        hosted = tuple(file.url for file in done.files if isinstance(file, HostedFile))
        duration = self._seconds() if self._ours else self._job.duration
        cost = self._job.cost if done.cost is None else done.cost
        self._job = replace(self._job, files=hosted, cost=cost, duration=duration)
        await self._record(self._run.dependencies.journal.mark_finished)
        return await self._fetch(done.files)

    async def _fetch(self, files: tuple[ResultFile, ...]) -> Delivery:
        self._run.report(stage=Stage.DOWNLOADING, done=0, total=len(files))
        late_cost = asyncio.ensure_future(self._late_cost(files))
        late_cost.add_done_callback(lambda done: done.cancelled() or done.exception())
        writer = self._run.dependencies.file_cache.writer(self._job.name)
        try:
            decoder = BatchDecoder(len(files), await self._memory_got_ready())
            await collect(files, decoder, writer, self._run.dependencies.downloader, self._run.read, self._arrived)
            batches = await self._run.blocking(decoder.batches)
            await late_cost
            await self._run.finishing(writer.commit)
        finally:
            late_cost.cancel()
            threads.start(writer.close)
        await self._record(self._run.dependencies.journal.mark_delivered)
        return self._delivery(batches, kept=False)

    async def _wait(self) -> Succeeded:
        request_id = self._job.request_id or ""
        with contextlib.suppress(JournalError):
            self._durations = await self._run.blocking(
                self._run.dependencies.journal.durations, self._job.model_id, self._job.size, self._job.count
            )
        times = plan(self._durations)
        empty = 0
        while True:
            state = await self._run.read(
                Operation.STATUS, partial(self._run.dependencies.client.status, request_id)
            )
            if isinstance(state, Succeeded):
                state = await self._run.read(
                    Operation.RESULT, partial(self._run.dependencies.client.result, request_id, self._job.model_id)
                )
            match state:
                case Succeeded(files) if files:
                    return state
                case Succeeded() if empty < EMPTY_LOOKS:
                    # Not told yet, or a safety block: only the second ends a job that is paid for.
                    empty += 1
                    await self._run.wait.sleep(EMPTY_LOOK_SECONDS)
                case Queued() | Running():
                    self._show(state)
                    position = state.position if isinstance(state, Queued) else None
                    self._expect_images(state)
                    delay = poll_delay(self._seconds(), times, position)
                    await self._run.wait.sleep(delay, partial(self._show, state))
                case _:
                    raise await self._ended(state)

    async def _ended(self, state: Failed | Cancelled | Succeeded) -> JobError:
        error = receipts.of_end(state, self._job)
        kind = "cancelled" if isinstance(error, JobCancelled) else "failed"
        await self._record(self._run.dependencies.journal.mark_ended, kind, error.note, error.failure.cost)
        return error

    async def _settle(self, error: PackError) -> None:
        """Record an end that no later run can mend. The job of an earlier run is replaced where that is honest."""
        was_delivered = self._job.state == "delivered"
        gone = receipts.is_gone(error, self._seconds())
        if gone:
            await self._record(self._run.dependencies.journal.mark_ended, "expired", error.note)
        if self._request is None or self._ours:
            return
        if gone and was_delivered:
            raise JobReplaced("replaces_expired", self._job.request_id)
        if isinstance(error, JobCancelled):
            raise JobReplaced("replaces_cancelled", self._job.request_id)

    def _leave(self) -> None:
        """After Stop: ask for the end of a job that may still be queued."""
        job = self._job
        if self._request is None or job.state == "delivered":
            return
        if not job.files:
            threads.CANCELS.start(
                cancel, self._run.dependencies.client, self._run.dependencies.journal, job, self._run.run_host
            )
            return
        told = note("cancel.ended")
        self._run.run_host.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(told,)))

    def _from_kept(self) -> list[torch.Tensor] | None:
        files = self._run.dependencies.file_cache.get(self._job.name)
        return decode_kept(files) if len(files) >= max(1, len(self._job.files)) else None

    def _expect_images(self, state: State) -> None:
        """Get memory ready for them once the job runs and, as far as is known, has done half of its time."""
        if self._memory is not None or self._request is None or not isinstance(state, Running):
            return
        fraction = expected_fraction(self._seconds(), self._durations)
        if fraction is None or fraction >= MEMORY_FROM:
            self._memory = threads.start_abandonable(
                self._run.dependencies.buffers.take, self._request.pixels_expected
            )

    async def _memory_got_ready(self) -> Floats | None:
        if self._memory is None:
            return None
        memory = await self._run.wait.result(self._memory)
        self._free_memory()
        return memory

    def _free_memory(self) -> None:
        """Leave what was got ready to the images in it, or to nobody."""
        if self._memory is not None:
            memory, self._memory = self._memory, None
            memory.add_done_callback(lambda taken: self._run.dependencies.buffers.give_back(taken.result()))

    async def _late_cost(self, files: tuple[ResultFile, ...]) -> None:
        """Ask once more for a cost that the result did not tell, while the files are fetched."""
        if self._job.cost is not None or self._job.state == "delivered" or not isinstance(files[0], HostedFile):
            return
        with contextlib.suppress(PackError, asyncio.TimeoutError):
            ask = threads.start_abandonable(
                self._run.dependencies.client.result, self._job.request_id or "", self._job.model_id
            )
            state = await asyncio.wait_for(self._run.wait.result(ask), LATE_COST_SECONDS)
            if isinstance(state, Succeeded) and state.cost is not None:
                self._job = replace(self._job, cost=state.cost)
                await self._record(self._run.dependencies.journal.mark_finished)

    async def _record(self, write: Callable[..., Job], *values: object) -> None:
        """Write to the journal what is already paid for: a full disk must not cost the images."""
        try:
            self._job = await self._run.finishing(write, self._job, *values)
        except JournalError as error:
            log_unrecorded(self._job, error)

    def _seconds(self) -> float:
        """Return the seconds since the submission; of a job of this run, whatever the computer's clock does."""
        if self._ours:
            return self._run.dependencies.clock.now() - self._began
        return max(0.0, self._run.dependencies.journal.now() - (self._job.submitted_at or self._job.created_at))

    def _arrived(self, done: int) -> None:
        self._run.report(done=done)

    def _show(self, state: State) -> None:
        stage, position = (Stage.QUEUED, state.position) if isinstance(state, Queued) else (Stage.RUNNING, None)
        seconds = self._seconds()
        fraction = expected_fraction(seconds, self._durations)
        self._run.report(stage=stage, seconds=seconds, position=position, fraction=fraction)

    def _delivery(self, batches: list[torch.Tensor], *, kept: bool) -> Delivery:
        job = self._job
        count = sum(len(batch) for batch in batches)
        wanted = self._request.images_wanted if self._request else 0
        if count < wanted:
            self._run.note(note("note.fewer_images", count=count, wanted=wanted))
        self._run.report(
            stage=Stage.DELIVERED,
            seconds=job.duration or 0.0,
            total=count,
            done=count,
            cost=job.cost,
            kept=kept,
        )
        return Delivery(job.request_id or "", batches, job.files, self._run.progress)
