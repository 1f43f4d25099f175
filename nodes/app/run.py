"""Wires a run: settings and inputs -> a job -> what the host can take. Loaded with the first run of a node."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..core import threads
from ..core.config.settings import Settings, read_settings
from ..core.errors import RUN_AGAIN, Charge, JobTimedOut, PackError, step
from ..core.jobs.context import Delivery
from ..core.jobs.progress import Progress, Stage
from ..core.jobs.waiting import CancellableWait, Clock, RunHost, Stopped
from ..core.request.build import build_request, check_inputs
from ..core.request.request import Request
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
        service, request = await _in_thread(run_host, _order, spec, values, host)
        return await service.jobs.run(request, run_host)

    return await _guarded(host, deliver)


async def run_collect(request_id: object, host: Host) -> Delivery:
    """Wait for an accepted job if it still runs, and deliver its images.

    Raises:
        PackError: a receipt. After Stop, the host's own interrupt.
    """

    async def deliver(run_host: RunHost) -> Delivery:
        service, job = await _in_thread(run_host, _find, request_id, host)
        return await service.jobs.collect(job, run_host, _output_of(job))

    return await _guarded(host, deliver)


def current_settings(host: Host) -> Settings:
    """Read the settings as they are now.

    Raises:
        ConfigError: naming the variable.
    """
    return read_settings(os.environ, Path.home(), host.state_folder())


async def _in_thread(run_host: RunHost, function: Callable[..., T], *values: object) -> T:
    try:
        return await CancellableWait(run_host, Clock(), ORDER_SECONDS).result(threads.start(function, *values))
    except JobTimedOut:
        # There is no job yet, so its receipt would not be true.
        raise PackError("preparing_too_long", seconds=round(ORDER_SECONDS), next=(RUN_AGAIN,)) from None


def _order(spec: ModelSpec, values: Mapping[str, object], host: Host) -> tuple[Service, Request]:
    """Check everything that can be checked without the network, then make the request. Blocking."""
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    service = open_service(settings)
    price = partial(service.estimate, spec.model_id)
    return service, build_request(arguments, references, service.encoder, service.journal, service.account, price)


def _find(request_id: object, host: Host) -> tuple[Service, Job]:
    """Blocking."""
    service = open_service(current_settings(host))
    return service, service.accepted(request_id.strip() if isinstance(request_id, str) else request_id)


def _output_of(job: Job) -> str:
    """Return the kind of a job's files; of a model that is not known here, the usual one."""
    kinds = {spec.model_id: spec.output_kind for spec in load_models()}
    return kinds.get(job.model_id, DEFAULT_OUTPUT)


async def _guarded(host: Host, deliver: Callable[[RunHost], Awaitable[Delivery]]) -> Delivery:
    """Run, show and log the end, and let out only what the host can take."""
    # Of the items of a list, one that fails before its first await keeps the later ones from starting.
    await asyncio.sleep(0)
    run_host = host.run_host()
    try:
        delivery = await deliver(run_host)
    except Stopped:
        raise host.interrupt() from None
    except PackError as error:
        run_host.report(Progress(Stage.FAILED, request_id=error.failure.request_id, failure=error.failure))
        raise
    except asyncio.CancelledError:
        if _cancelled_by_host():
            raise
        raise PackError("broken_off", charge=Charge.UNKNOWN, next=(step("run_safely"),)) from None
    log.info("%s", delivery.progress.text().replace("\n", "; "))
    return delivery


def _cancelled_by_host() -> bool:
    """Whether the host ends this node. A CancelledError of any other origin would end its prompt worker.

    Before Python 3.11 a task cannot tell, and the host is believed.
    """
    task: Any = asyncio.current_task()
    return not hasattr(task, "cancelling") or task.cancelling() > 0
