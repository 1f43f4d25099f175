"""ModelSpec -> V1 node class; wires a node to the jobs."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch

from ..core import workers
from ..core.errors import PackError
from ..core.jobs import Delivery, Request
from ..core.journal import Job
from ..core.ordering import build_request, check_inputs
from ..core.progress import Progress, Stage
from ..core.schema import ModelSpec
from ..core.service import Service, open_service
from ..core.settings import Settings, read_settings
from ..core.waiting import Clock, Observer, Stopped, Watch
from .inputs import InputTypes, input_types

T = TypeVar("T")

ORDER_SECONDS = 120.0

log = logging.getLogger(__name__)


class Host(Protocol):
    """What a node needs of the program that runs it: ComfyUI, or a shell."""

    def observer(self) -> Observer:
        """Return who watches the node that is being run now."""

    def interrupt(self) -> BaseException:
        """Return what to raise after Stop."""

    def state_folder(self) -> Path | None:
        """Return a folder for the pack's files that the host does not serve, or None."""


class PackNode:
    """What all nodes of the pack share: their outputs, and how a run ends."""

    HOST: ClassVar[Host]
    FUNCTION = "generate"
    RETURN_TYPES = ("IMAGE", "STRING", "STRING")
    RETURN_NAMES = ("images", "image_urls", "request_id")
    OUTPUT_IS_LIST = (True, False, False)
    OUTPUT_TOOLTIPS = (
        "The images. Those of one size are one batch; of several sizes, a list of batches, one for each size.",
        "The hosted address of each image, one a line: for image_urls of an edit node, without an upload.",
        "The id of the request at RunComfy.",
    )

    async def generate(self, **values: object) -> tuple[list[torch.Tensor], str, str]:
        """Return the batches of one job, the hosted URLs by line, and the request id.

        Raises:
            PackError: a receipt. After Stop, the host's own interrupt.
        """
        observer = self.HOST.observer()
        delivery = await _guarded(self.HOST, observer, lambda: self.deliver(values, observer))
        return delivery.batches, "\n".join(delivery.urls), delivery.request_id

    async def deliver(self, values: Mapping[str, object], observer: Observer) -> Delivery:
        """Run the job that the inputs ask for."""
        raise NotImplementedError


class ModelNode(PackNode):
    """Runs a model. ``SPEC`` is set by ``node_class``."""

    SPEC: ClassVar[ModelSpec]

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        return input_types(cls.SPEC)

    async def deliver(self, values: Mapping[str, object], observer: Observer) -> Delivery:
        """Submit a job, or find the one that the same inputs made before."""
        service, request = await _in_thread(observer, _order, self.SPEC, values, self.HOST)
        return await service.jobs.run(request, observer)


class CollectNode(PackNode):
    """Collects an accepted job of the account by its request id. Nothing is submitted and nothing charged."""

    CATEGORY = "RunComfy/Image"
    DESCRIPTION = (
        "Collect the images of a job that is already paid for, by its request id. Nothing is submitted or charged."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = ["recover", "resume", "request id"]

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        tip = "The id of the request, as a node, its error or RunComfy's Generations page shows it."
        return {"required": {"request_id": ("STRING", {"default": "", "multiline": False, "tooltip": tip})}}

    async def deliver(self, values: Mapping[str, object], observer: Observer) -> Delivery:
        """Wait for the job if it still runs, and collect its pictures."""
        request_id = str(values.get("request_id", "")).strip()
        service, job = await _in_thread(observer, _find, request_id, self.HOST)
        return await service.jobs.collect(job, observer)


def node_class(spec: ModelSpec, host: Host) -> type[ModelNode]:
    """Return the node class of a model."""
    return type(
        spec.node_id,
        (ModelNode,),
        {
            "__doc__": spec.description,
            "SPEC": spec,
            "HOST": host,
            "CATEGORY": spec.category,
            "DESCRIPTION": spec.description,
            "SEARCH_ALIASES": list(spec.search_aliases),
        },
    )


def collect_class(host: Host) -> type[CollectNode]:
    """Return the class of the node that collects."""
    return type("RunComfyCollect", (CollectNode,), {"__doc__": CollectNode.DESCRIPTION, "HOST": host})


def current_settings(host: Host) -> Settings:
    """Read the settings as they are now.

    Raises:
        ConfigError: naming the variable.
    """
    return read_settings(os.environ, Path.home(), host.state_folder())


async def _in_thread(observer: Observer, function: Callable[..., T], *values: object) -> T:
    return await Watch(observer, Clock(), ORDER_SECONDS).result(workers.start(function, *values))


def _order(spec: ModelSpec, values: Mapping[str, object], host: Host) -> tuple[Service, Request]:
    """Check everything that can be checked without the network, then make the request. Blocking."""
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    service = open_service(settings)
    price = partial(service.estimate, spec.model_id)
    return service, build_request(arguments, references, service.journal, service.account, price)


def _find(request_id: str, host: Host) -> tuple[Service, Job]:
    """Blocking."""
    service = open_service(current_settings(host))
    return service, service.accepted(request_id)


async def _guarded(host: Host, observer: Observer, run: Callable[[], Awaitable[Delivery]]) -> Delivery:
    """Run, show and log the end, and let out only what the host can take."""
    # Of the items of a list, one that fails before its first await keeps the later ones from starting.
    await asyncio.sleep(0)
    try:
        delivery = await run()
    except Stopped:
        raise host.interrupt() from None
    except PackError as error:
        observer.report(Progress(Stage.FAILED, request_id=error.request_id, notes=(str(error),)))
        raise
    except asyncio.CancelledError:
        if _cancelled_by_host():
            raise
        raise PackError(
            "The run was broken off inside the pack.", advice="Run the same inputs again; a job is not paid twice."
        ) from None
    log.info("%s", delivery.progress.text().replace("\n", "; "))
    return delivery


def _cancelled_by_host() -> bool:
    """Whether the host ends this node. A CancelledError of any other origin would end its prompt worker.

    Before Python 3.11 a task cannot tell, and the host is believed.
    """
    task: Any = asyncio.current_task()
    return not hasattr(task, "cancelling") or task.cancelling() > 0
