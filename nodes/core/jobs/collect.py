"""From an accepted job to its files: kept ones, or wait and collect; and what is recorded where none come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from .. import threads
from ..api.responses import Cancelled, Failed, HostedFile, Queued, ResultFile, Running, State, Succeeded
from ..api.retry import Operation
from ..errors import Charge, JobCancelled, JournalError, NotFound, OtherMedium, PackError, TooLarge
from ..media.outputs import output_medium
from ..media.pixels import Floats
from ..request.delivered import differences
from ..request.request import Request
from ..schema.outputs import output_of
from ..store.away.kept_jobs import label
from ..store.job import Job
from ..texts import Note, note
from . import receipts
from .context import Delivery, RunContext
from .fetch import Fetched, addresses, fetch, not_understood, take_kept
from .polling import duration_of, plan, poll_delay
from .progress import Progress, Stage, expected_fraction
from .submit import leave, log_unrecorded, recorded, stop_waiting
from .waiting import Stopped

LATE_COST_SECONDS = 2.0
LOOKS_FOR_FILES = 4
LOOK_FOR_FILES_SECONDS = 1.5
MEMORY_FROM = 0.45
# Of a job that was submitted elsewhere.
UNKNOWN_WANTED = 4

log = logging.getLogger(__name__)


class JobReplaced(Exception):
    """A remembered job cannot deliver any more, and a new one takes its place. ``note`` says why."""

    def __init__(self, kind: str, request_id: str | None) -> None:
        super().__init__(kind)
        self.note: Note = note(f"note.{kind}", request_id=request_id)


class ResultCollector:
    """The job of a run, as it is known now. ``ours``: this run submitted it.

    Without a ``request`` nobody asked for the job in this run: Stop leaves it alone, and nothing takes its place.
    ``output`` is the kind of its files.
    """

    def __init__(self, run: RunContext, job: Job, request: Request | None, output: str, *, ours: bool) -> None:
        self._run = run
        self._job = job
        self._request = request
        self._output = output
        self._medium = output_medium(output)
        self._files_are = output_of(output).medium
        self._ours = ours
        # Counted on by a clock that nobody puts back.
        self._age = 0.0 if ours else job.age(run.dependencies.journal.now())
        self._began = run.dependencies.clock.now()
        self._durations: list[float] = []
        self._unfinished = 0.0
        self._memory: Future[Floats | None] | None = None
        self._waiting: Future[int] | None = None

    async def deliver(self) -> Delivery:
        """Hand out the kept images of the job, or wait for it and collect them.

        Raises:
            PackError: a receipt. JobReplaced: a new job may take the place of this one. Stopped.
        """
        job = self._job
        self._run.progress = replace(self._run.progress, request_id=job.request_id)
        if job.state == "delivered":
            kept = await self._run.blocking(self._from_kept)
            if kept is not None:
                return self._delivery(kept, job.files)
        self._waiting = threads.start(self._run.dependencies.journal.wait_for, job)
        try:
            return await self._collect()
        except (Stopped, asyncio.CancelledError):
            # After Stop, the host cancels the siblings of the node that looked first.
            if self._run.run_host.stopped():
                self._leave()
            raise
        except PackError as error:
            told = await self._settle(error)
            receipt = receipts.complete(told, self._job, self._seconds())
            raise (receipt if self._request else receipts.of_collecting(receipt, self._seconds())) from None
        finally:
            self._free_memory()
            self._stop_waiting()

    async def _collect(self) -> Delivery:
        known = tuple(map(HostedFile, self._job.files))
        fetched = await self._fetch(known or await self._result())
        if known and any(not isinstance(error, TooLarge | OtherMedium) for error in fetched.missing.values()):
            # The API may know them under another address by now.
            files = await self._look() if fetched.any_whole else await self._result(self._most_hopeful(fetched))
            if files != known:
                fetched = await self._fetch(files)
        if not fetched.any_whole:
            raise self._most_hopeful(fetched)
        return await self._delivered(fetched)

    async def _result(self, unfetched: PackError | None = None) -> tuple[ResultFile, ...]:
        """Wait for the result, record it and return its files.

        ``unfetched``: why none of the files could be had that were told before. The job did not end without them.
        """
        done = await self._wait(unfetched)
        duration = self._job.duration
        if self._ours:
            duration = duration_of(done.seconds, self._unfinished, self._seconds())
        await self._finished(replace(self._job, files=addresses(done.files), duration=duration), done.cost)
        recorded_by_another = tuple(map(HostedFile, self._job.files))
        return recorded_by_another if len(recorded_by_another) > len(done.files) else done.files

    async def _look(self) -> tuple[ResultFile, ...]:
        """Return the files as the API tells them now. It is asked once: others are there, and wait."""
        client, job = self._run.dependencies.client, self._job
        known = tuple(map(HostedFile, job.files))
        try:
            state = await self._run.blocking(client.result, job.request_id or "", job.model_id)
        except PackError as error:
            log.info("Request %s cannot be asked for its files anew: %s", job.request_id, error.message)
            return known
        if isinstance(state, Succeeded):
            state = state.of_medium(self._files_are)
        if not isinstance(state, Succeeded) or len(addresses(state.files)) != len(known) or state.files == known:
            return known
        await self._finished(replace(job, files=addresses(state.files)), state.cost)
        return state.files

    async def _finished(self, job: Job, cost: float | None) -> None:
        self._job = replace(job, cost=job.cost if cost is None else cost)
        await self._record(self._run.dependencies.journal.mark_finished)

    async def _fetch(self, files: tuple[ResultFile, ...]) -> Fetched:
        self._run.report(stage=Stage.DOWNLOADING, done=0, total=len(files))
        late_cost = asyncio.ensure_future(self._late_cost(files))
        late_cost.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            wanted = self._request.images_wanted if self._request else UNKNOWN_WANTED
            memory, media_host = await self._memory_got_ready(), self._run.media_host
            decoder = self._medium.decoder(len(files), memory, wanted, media_host)
            fetched = await fetch(self._run, self._job.name, files, self._output, decoder)
            await late_cost
            return fetched
        finally:
            late_cost.cancel()

    def _most_hopeful(self, fetched: Fetched) -> PackError:
        """Return why nothing could be had; a reason that may pass, where there is one."""
        return min(fetched.missing.values(), key=lambda error: receipts.is_gone(error, self._seconds()))

    async def _delivered(self, fetched: Fetched) -> Delivery:
        """Hand out the whole files, and name the others: then the job stays as it is, and the next run goes on."""
        for index, error in fetched.missing.items():
            self._run.note(receipts.of_missing_file(error, index + 1, len(fetched.files), self._files_are))
        if not fetched.missing:
            await self._record(self._run.dependencies.journal.mark_delivered)
            if self._run.dependencies.journal.may_be_away:
                await self._run.blocking(label, self._run.dependencies.file_cache, self._job)
        return self._delivery(fetched, fetched.urls)

    async def _wait(self, unfetched: PackError | None) -> Succeeded:
        with contextlib.suppress(JournalError):
            self._durations = await self._run.blocking(
                self._run.dependencies.journal.durations, self._job.model_id, self._job.size, self._job.count
            )
        times = plan(self._durations)
        looks = 0 if self._job.without_image else LOOKS_FOR_FILES
        if self._ours:
            await self._run.wait.sleep(times[0] - self._seconds())
        while True:
            match state := await self._ask():
                case Queued() | Running():
                    self._unfinished = self._seconds()
                    self._show(state)
                    position = state.position if isinstance(state, Queued) else None
                    self._expect_images(state)
                    delay = poll_delay(self._seconds(), times, position)
                    await self._run.wait.sleep(delay, partial(self._show, state))
                case Succeeded() if state.readable:
                    return state
                case Succeeded() if unfetched is not None:
                    raise unfetched
                case Succeeded() if looks:
                    # Not told yet, or a safety block: only the second ends a job that is paid for.
                    looks -= 1
                    await self._run.wait.sleep(LOOK_FOR_FILES_SECONDS)
                case _:
                    raise await self._ended(state)

    async def _ask(self) -> State:
        """Return the state of the job; of a finished one, the result."""
        client, request_id = self._run.dependencies.client, self._job.request_id or ""
        state = await self._run.read(Operation.STATUS, partial(client.status, request_id))
        if not isinstance(state, Succeeded):
            return state
        state = await self._run.read(Operation.RESULT, partial(client.result, request_id, self._job.model_id))
        return state.of_medium(self._files_are) if isinstance(state, Succeeded) else state

    async def _ended(self, state: Failed | Cancelled | Succeeded) -> PackError:
        """Record an end without images and return its error."""
        if isinstance(state, Succeeded) and state.files:
            await self._finished(self._job, state.cost)
            return not_understood()
        error = receipts.of_end(state, self._job, self._files_are)
        journal, known = self._run.dependencies.journal, error.failure
        maybe_unpaid = isinstance(state, Succeeded) and known.charge is not Charge.YES
        if maybe_unpaid and not self._job.without_image:
            # The next run of the same inputs asks once more before a new job takes its place.
            write = partial(recorded, journal.mark_without_image, self._job, error.note, known.cost)
            return error.once_told(partial(threads.start, write))
        kind = "cancelled" if isinstance(error, JobCancelled) else "failed"
        await self._record(journal.mark_ended, kind, error.note, known.cost)
        if maybe_unpaid and self._request is not None:
            raise JobReplaced("replaces_empty", self._job.request_id)
        return error

    async def _settle(self, error: PackError) -> PackError:
        """Record an end that no later run can mend, and return what to tell. A cancelled job is replaced."""
        journal = self._run.dependencies.journal
        if refused := receipts.of_refused(error, self._job):
            await self._record(journal.mark_ended, "failed", refused.note, 0.0)
            return refused
        if isinstance(error, NotFound) and receipts.only_collected(self._job):
            await self._run.finishing(recorded, journal.disown, self._job)
        elif receipts.is_gone(error, self._seconds()) and self._may_be_known(error):
            await self._record(journal.mark_ended, "expired", error.note)
        if isinstance(error, JobCancelled) and self._request is not None and not self._ours:
            raise JobReplaced("replaces_cancelled", self._job.request_id)
        return error

    def _may_be_known(self, error: PackError) -> bool:
        """Whether the API of now is that of the job: an id alone does not tell, the same inputs or account do."""
        same = self._request is not None or self._job.account == self._run.dependencies.account
        return same or not isinstance(error, NotFound)

    def _leave(self) -> None:
        """After Stop: ask for the end of a job that may still be queued, and that nobody else waits for."""
        job, dependencies, run_host = self._job, self._run.dependencies, self._run.run_host
        if self._request is None or job.state == "delivered":
            return
        if job.files:
            run_host.report(Progress(Stage.STOPPED, request_id=job.request_id, notes=(note("cancel.ended"),)))
            return
        waiting, self._waiting = self._waiting, None
        threads.CANCELS.start(leave, dependencies.client, dependencies.journal, job, run_host, waiting)

    def _stop_waiting(self) -> None:
        """Of a job that has ended nobody asks who waits for it."""
        if self._waiting is not None and self._job.state == "submitted":
            threads.start(stop_waiting, self._run.dependencies.journal, self._job, self._waiting)

    def _from_kept(self) -> Fetched | None:
        kept = self._run.dependencies.file_cache.get(self._job.name)
        if list(kept) != list(range(max(1, len(self._job.files), len(kept)))):
            return None
        return take_kept(self._run, self._job.name, list(kept.values()), self._output)

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
            client, request_id = self._run.dependencies.client, self._job.request_id or ""
            ask = threads.start_abandonable(client.result, request_id, self._job.model_id)
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
        """Return the seconds since the submission."""
        return self._age + self._run.dependencies.clock.now() - self._began

    def _show(self, state: State) -> None:
        stage, position = (Stage.QUEUED, state.position) if isinstance(state, Queued) else (Stage.RUNNING, None)
        seconds = self._seconds()
        fraction = expected_fraction(seconds, self._durations)
        self._run.report(stage=stage, seconds=seconds, position=position, fraction=fraction)

    def _delivery(self, fetched: Fetched, urls: tuple[str, ...]) -> Delivery:
        job, batches, missing, files = self._job, fetched.batches, len(fetched.missing), fetched.lent
        count = max(self._medium.count(batches), len(files))
        if self._request:
            for told in differences(self._request, count + missing, self._medium.sizes(batches)):
                self._run.note(told)
        self._run.report(
            stage=Stage.DELIVERED,
            seconds=job.duration or 0.0,
            total=count,
            done=count,
            cost=job.cost,
            kept=fetched.kept,
            medium=fetched.medium,
        )
        return Delivery(
            job.request_id or "", self._output, batches, urls, self._run.progress, missing, fetched.lent
        )
