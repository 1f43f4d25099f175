"""Paid jobs outside of a graph: collected in the background, or cancelled.

Collecting goes on in an event loop in a thread of its own, one task at a time for each job.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import Failure, PackError, step
from ..core.jobs.progress import Progress
from ..core.jobs.runner import JobRunner
from ..core.jobs.submit import leave
from ..core.jobs.waiting import Stopped
from ..core.media.host import FilesOnly
from ..core.store.job import Job
from ..core.texts import Note, note
from .entries import kind_of
from .lending import lending_folder

MOST_AT_ONCE = 64
MOST_FAILURES = 200
_STOP_SECONDS = 10.0

log = logging.getLogger(__name__)


class BackgroundHost:
    """Watches a run that nobody looks at: it ends when the process lets go of its jobs."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self.last: Progress | None = None

    def stopped(self) -> bool:
        """Whether the run is to end here; the job goes on."""
        return self._closing.is_set()

    def report(self, progress: Progress) -> None:
        """Keep the last report."""
        self.last = progress

    def stop(self) -> None:
        """Let the run end here."""
        self._closing.set()


class Collects:
    """Jobs that are being collected, by their ids in the record, and why the last tries failed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[int, tuple[BackgroundHost, Future[Any]]] = {}
        self._failures: OrderedDict[int, Failure] = OrderedDict()

    def start(self, job_id: int, collect: Callable[[BackgroundHost], Coroutine[Any, Any, object]]) -> None:
        """Begin to collect a job, unless that is under way already.

        Raises:
            PackError: too many are being collected.
        """
        with self._lock:
            if job_id in self._under_way:
                return
            if len(self._under_way) >= MOST_AT_ONCE:
                raise PackError("too_many_collected", limit=MOST_AT_ONCE)
            self._failures.pop(job_id, None)
            host = BackgroundHost()
            task = asyncio.run_coroutine_threadsafe(self._run(job_id, collect(host)), self._running_loop())
            self._under_way[job_id] = (host, task)

    def view(self, job_id: int) -> dict[str, object]:
        """Return whether a job is being collected, and why the last try failed: ``collecting`` and ``failure``."""
        with self._lock:
            failure = self._failures.get(job_id)
            return {"collecting": job_id in self._under_way, "failure": failure.payload() if failure else None}

    def close(self) -> None:
        """Leave every job as it is, and wait for what is being recorded of them."""
        with self._lock:
            under_way = list(self._under_way.values())
        for host, _ in under_way:
            host.stop()
        wait([task for _, task in under_way], _STOP_SECONDS)
        with self._lock:
            loop, self._loop = self._loop, None
            self._failures.clear()
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    async def _run(self, job_id: int, collecting: Coroutine[Any, Any, object]) -> None:
        failure: Failure | None = None
        try:
            await collecting
        except PackError as error:
            failure = error.failure
            log.info("A job cannot be collected now: %s", error.message)
        except MemoryError:
            failure = PackError("out_of_memory").failure
        except Stopped:
            log.debug("Collecting is left to another time.")
        finally:
            with self._lock:
                del self._under_way[job_id]
                if failure is not None:
                    self._failures[job_id] = failure
                    while len(self._failures) > MOST_FAILURES:
                        self._failures.popitem(last=False)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_work, args=(self._loop,), name="runcomfy-collects", daemon=True).start()
        return self._loop


def _work(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


COLLECTS = Collects()


def collect(jobs: JobRunner, state_folder: Path, job: Job) -> None:
    """Begin to fetch the files of a job, so that they are kept. Nothing is submitted or charged.

    It goes on whatever becomes of the page; its end is recorded.

    Raises:
        PackError: there is no request to collect, or no place for its files.
    """
    if job.request_id is None or job.state not in ("submitted", "delivered", "failed", "expired"):
        raise PackError("nothing_to_collect", request_id=job.request_id)
    if not jobs.file_cache.max_bytes:
        raise PackError("nothing_is_kept", next=(step("keep_files"),))
    COLLECTS.start(job.id, partial(_collect, jobs, state_folder, job))


def cancel(jobs: JobRunner, job: Job) -> Note:
    """Ask for the end of a job, unless somebody waits for it, and return what became of that. Blocking, for 5 s."""
    host = BackgroundHost()
    if job.request_id is None or job.state != "submitted" or job.has_result:
        return note("cancel.ended")
    leave(jobs.client, jobs.journal, job, host)
    return host.last.notes[-1] if host.last else note("cancel.ended")


async def _collect(jobs: JobRunner, state_folder: Path, job: Job, host: BackgroundHost) -> None:
    with lending_folder(state_folder) as folder:
        await jobs.collect(job, host, kind_of(job), FilesOnly(folder))
