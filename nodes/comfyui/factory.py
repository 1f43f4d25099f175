"""ModelSpec -> V1 node class; wires a node to the jobs."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch

from ..core import workers
from ..core.errors import PackError
from ..core.jobs import Delivery, Request
from ..core.ordering import build_request, check_inputs
from ..core.progress import Progress, Stage
from ..core.schema import ModelSpec
from ..core.service import Service, open_service
from ..core.settings import Settings, read_settings
from ..core.waiting import Clock, Observer, Stopped, Watch
from .inputs import InputTypes, input_types

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


class ModelNode:
    """What all nodes of the pack share. ``SPEC`` and ``HOST`` are set by ``node_class``."""

    SPEC: ClassVar[ModelSpec]
    HOST: ClassVar[Host]
    CATEGORY: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    SEARCH_ALIASES: ClassVar[list[str]]
    FUNCTION = "generate"
    RETURN_TYPES = ("IMAGE", "STRING", "STRING")
    RETURN_NAMES = ("images", "image_urls", "request_id")
    OUTPUT_IS_LIST = (True, False, False)
    OUTPUT_TOOLTIPS = (
        "The images. Those of one size are one batch; of several sizes, a list of batches, one for each size.",
        "The hosted address of each image, one a line: for image_urls of an edit node, without an upload.",
        "The id of the request at RunComfy.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        return input_types(cls.SPEC)

    async def generate(self, **values: object) -> tuple[list[torch.Tensor], str, str]:
        """Run one job and return its batches, the hosted URLs by line, and the request id.

        Raises:
            PackError: a receipt. After Stop, the host's own interrupt.
        """
        observer = self.HOST.observer()
        delivery = await _guarded(self.HOST, observer, lambda: _run(self.SPEC, values, self.HOST, observer))
        return delivery.batches, "\n".join(delivery.urls), delivery.request_id


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


def current_settings(host: Host) -> Settings:
    """Read the settings as they are now.

    Raises:
        ConfigError: naming the variable.
    """
    return read_settings(os.environ, Path.home(), host.state_folder())


async def _run(spec: ModelSpec, values: Mapping[str, object], host: Host, observer: Observer) -> Delivery:
    watch = Watch(observer, Clock(), ORDER_SECONDS)
    service, request = await watch.result(workers.start(_order, spec, values, host))
    return await service.jobs.run(request, observer)


def _order(spec: ModelSpec, values: Mapping[str, object], host: Host) -> tuple[Service, Request]:
    """Check everything that can be checked without the network, then make the request. Blocking."""
    settings = current_settings(host)
    arguments, references = check_inputs(spec, values, settings.local_origin)
    service = open_service(settings)
    price = partial(service.estimate, spec.model_id)
    return service, build_request(arguments, references, service.journal, service.account, price)


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
