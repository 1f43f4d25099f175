"""Wires a run: settings and inputs -> a job -> what the host can take. Loaded with the first run of a node."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from ..core import threads
from ..core.config.settings import Settings, read_settings
from ..core.errors import RUN_AGAIN, Charge, JobTimedOut, PackError, step
from ..core.jobs.context import Delivery
from ..core.jobs.progress import Progress, Stage
from ..core.jobs.waiting import CancellableWait, Clock, RunHost, Stopped
from ..core.request.build import check_inputs
from ..core.request.encode_once import Reference
from ..core.request.validate import Arguments
from ..core.schema.model import ModelSpec
from ..core.schema.outputs import DEFAULT_OUTPUT
from ..core.schema.registry import load_models
from ..core.store.job import Job
from .host import Host
from .service import Service, open_service

T = TypeVar("T")

ORDER_SECONDS = 120.0

log = logging.getLogger(__name__)


async def run_model(spec: ModelSpec, values: Mapping[str, object], host: Host) -> Delivery:
    """Submit a job, or find the one that the same inputs made before, and deliver its images.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """

    async def deliver(run_host: RunHost) -> Delivery:
        service, arguments, references = await _in_thread(run_host, _check, spec, values, host)
        # Waited for without a thread: others must not wait behind a catalogue that is slow.
        asked = service.settings.daily_budget_usd is not None
        price = await _in_time(run_host, service.prices.of(spec.model_id)) if asked else None
        request = await _in_thread(run_host, service.request, arguments, references, price)
        return await service.jobs.run(request, run_host, host.media_host())

    return await _guarded(host, deliver)


async def run_collect(request_id: object, host: Host) -> Delivery:
    """Wait for an accepted job if it still runs, and deliver its images.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """

    async def deliver(run_host: RunHost) -> Delivery:
        service, job = await _in_thread(run_host, _find, request_id, host)
        return await service.jobs.collect(job, run_host, _output_of(job), host.media_host())

    return await _guarded(host, deliver)


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


def _check(spec: ModelSpec, values: Mapping[str, object], host: Host) -> tuple[Service, Arguments, list[Reference]]:
    """Check everything that can be checked without the network. Blocking."""
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    return open_service(settings), arguments, references


def _find(request_id: object, host: Host) -> tuple[Service, Job]:
    """Blocking."""
    service = open_service(current_settings(host))
    return service, service.accepted(request_id.strip() if isinstance(request_id, str) else request_id)


def _output_of(job: Job) -> str:
    """Return the kind of a job's files; of a model that is not known here, the usual one."""
    kinds = {spec.model_id: spec.output_kind for spec in load_models()}
    return kinds.get(job.model_id, DEFAULT_OUTPUT)


async def _guarded(host: Host, deliver: Callable[[RunHost], Coroutine[None, None, Delivery]]) -> Delivery:
    """Run, show and log the end, and let out only what the host can take."""
    # Of the items of a list, one that fails before its first await keeps the later ones from starting.
    await asyncio.sleep(0)
    run_host = host.run_host()
    try:
        delivery = await _apart(deliver(run_host))
    except Stopped:
        raise host.interrupt() from None
    except (PackError, MemoryError) as error:
        told = error if isinstance(error, PackError) else _out_of_memory()
        run_host.report(Progress(Stage.FAILED, request_id=told.failure.request_id, failure=told.failure))
        raise told from None
    log.info("%s", delivery.progress.text().replace("\n", "; "))
    return delivery


def _out_of_memory() -> PackError:
    return PackError("out_of_memory", charge=Charge.UNKNOWN, next=(step("free_memory"), step("run_safely")))


async def _apart(work: Coroutine[None, None, T]) -> T:
    """Await ``work`` in a task of its own, so that a CancelledError tells where it comes from.

    ``asyncio.wait`` raises one only where the host cancels the caller: then both end. One that ends ``work`` by
    itself would end the host's prompt worker if it were let out.

    Raises:
        CancelledError: the host ends this node, and ``work`` had not failed by then.
        PackError: a CancelledError came from inside. Besides that, whatever ``work`` raises.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        # Nobody asks any more how it ended.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and isinstance(receipt := task.exception(), PackError):
            # It had ended when the host cancelled it. What it records as told must be told.
            raise receipt from None
        raise
    if task.cancelled():
        raise PackError("broken_off", charge=Charge.UNKNOWN, next=(step("run_safely"),))
    return task.result()
