"""Wires a run: settings and inputs -> a job -> what the host can take. Loaded with the first run of a node."""

from __future__ import annotations

import logging
import os
import textwrap
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from ..core import threads
from ..core.config.settings import Settings, read_settings
from ..core.errors import RUN_AGAIN, JobTimedOut, NotFound, PackError, Rejected
from ..core.jobs.context import Delivery
from ..core.jobs.progress import Progress, Stage
from ..core.jobs.waiting import CancellableWait, Clock, RunHost, Stopped
from ..core.request.build import check_inputs, check_values
from ..core.request.encode_once import Reference
from ..core.request.validate import Arguments
from ..core.schema.model import ModelSpec
from ..core.store.job import Job, Moment
from .entries import kind_of
from .host import Host
from .items import Arrived, Item, ListRun, apart, as_receipt
from .service import Service, open_service

T = TypeVar("T")

ORDER_SECONDS = 120.0
TOLD_LENGTH = 60

log = logging.getLogger(__name__)


class ModelRun:
    """Submits a job, or finds the one that the same inputs made before, and delivers its files."""

    def __init__(self, spec: ModelSpec, values: Mapping[str, object], host: Host) -> None:
        self._spec = spec
        self._values = values
        self._host = host
        self._since = Moment(time.time(), time.monotonic())

    @property
    def told(self) -> str:
        """The start of the prompt."""
        prompt = self._spec.role("prompt")
        text = str(self._values.get(prompt.name, "")) if prompt else ""
        return textwrap.shorten(text, TOLD_LENGTH, placeholder=" \u2026")

    async def check(self, run_host: RunHost) -> None:
        """Check everything but the references themselves.

        Raises:
            PackError: a receipt. Stopped.
        """
        await _in_thread(run_host, _check_values, self._spec, self._values, self._host)

    async def deliver(self, run_host: RunHost) -> Delivery:
        """Raises: PackError, which is a receipt. Stopped."""
        service, arguments, references = await _in_thread(run_host, _check, self._spec, self._values, self._host)
        # Waited for without a thread: others must not wait behind a catalogue that is slow.
        asked = service.settings.has_budget
        price = (await _in_time(run_host, service.entries.for_run(self._spec.model_id))).price if asked else None
        author = self._host.author()
        request = await _in_thread(run_host, service.request, arguments, references, price, author)
        try:
            return await service.jobs.run(request, run_host, self._host.media_host(), self._since)
        except (Rejected, NotFound):
            # The model may have changed since its entry was read.
            service.entries.forget(self._spec.model_id)
            raise


class CollectRun:
    """Waits for an accepted job if it still runs, and delivers its files."""

    def __init__(self, request_id: object, host: Host) -> None:
        self._request_id = request_id
        self._host = host

    @property
    def told(self) -> str:
        """The request's id."""
        return str(self._request_id)

    async def check(self, run_host: RunHost) -> None:
        """Nothing is paid for, so there is nothing to check before."""

    async def deliver(self, run_host: RunHost) -> Delivery:
        """Raises: PackError, which is a receipt. Stopped."""
        request_id = self._request_id.strip() if isinstance(self._request_id, str) else ""
        service, job = await _in_thread(run_host, _find, request_id, self._host)
        if job is None:
            # A wrong request id leaves nothing in the record.
            await service.jobs.confirm(request_id, run_host)
            job = await _in_thread(run_host, service.adopt, request_id)
        return await service.jobs.collect(job, run_host, kind_of(job), self._host.media_host())


async def run_model(spec: ModelSpec, values: Mapping[str, object], host: Host) -> Delivery:
    """Submit a job, or find the one that the same inputs made before, and deliver its files.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """
    return await run_one(ModelRun(spec, values, host), host)


async def run_collect(request_id: object, host: Host) -> Delivery:
    """Wait for an accepted job if it still runs, and deliver its files.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """
    return await run_one(CollectRun(request_id, host), host)


async def run_items(items: Sequence[Item], host: Host, *, skip: bool, arrived: Arrived) -> list[Delivery]:
    """Run the items of a list, and deliver what they bring, in their order.

    ``skip``: one that fails is left out, and the others go on. ``arrived`` hears what is there so far.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """
    if len(items) == 1:
        return [await run_one(items[0], host)]
    return await _guarded(host, lambda run_host: ListRun(items, run_host, arrived, skip=skip).deliver())


async def run_one(item: Item, host: Host) -> Delivery:
    """Run one item and deliver what it brings.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """
    delivery = await _guarded(host, item.deliver)
    log.info("%s", delivery.progress.text().replace("\n", "; "))
    return delivery


def current_settings(host: Host) -> Settings:
    """Read the settings as they are now.

    Raises:
        ConfigError: naming the variable.
    """
    return read_settings(os.environ, Path.home(), host.state_folder())


async def _in_thread(run_host: RunHost, function: Callable[..., T], *values: object) -> T:
    return await _in_time(run_host, threads.start_abandonable(function, *values))


async def _in_time(run_host: RunHost, future: Future[T]) -> T:
    try:
        return await CancellableWait(run_host, Clock(), ORDER_SECONDS).result(future)
    except JobTimedOut:
        # There is no job yet, so its receipt would not be true.
        raise PackError("preparing_too_long", seconds=round(ORDER_SECONDS), next=(RUN_AGAIN,)) from None


def _check_values(spec: ModelSpec, values: Mapping[str, object], host: Host) -> None:
    """Blocking."""
    check_values(spec, values, current_settings(host).local_origin)


def _check(spec: ModelSpec, values: Mapping[str, object], host: Host) -> tuple[Service, Arguments, list[Reference]]:
    """Check everything that can be checked without the network. Blocking."""
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    return open_service(settings), arguments, references


def _find(request_id: str, host: Host) -> tuple[Service, Job | None]:
    """Blocking."""
    service = open_service(current_settings(host))
    return service, service.find(request_id)


async def _guarded(host: Host, deliver: Callable[[RunHost], Coroutine[None, None, T]]) -> T:
    """Run, show the end, and let out only what the host can take."""
    run_host = host.run_host()
    try:
        return await apart(deliver(run_host))
    except Stopped:
        raise host.interrupt() from None
    except (PackError, MemoryError) as error:
        told = as_receipt(error)
        run_host.report(Progress(Stage.FAILED, request_id=told.failure.request_id, failure=told.failure))
        told.was_told()
        raise told from None
