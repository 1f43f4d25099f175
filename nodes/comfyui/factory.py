"""ModelSpec -> V1 node class. What a run needs is loaded with the first run, not with the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..app.host import Host
from ..core.schema.model import ModelSpec
from .inputs import InputTypes, input_types

if TYPE_CHECKING:
    import torch

    from ..core.jobs.context import Delivery


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
        delivery = await self.deliver(values)
        return delivery.batches, "\n".join(delivery.urls), delivery.request_id

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Run the job that the inputs ask for."""
        raise NotImplementedError


class ModelNode(PackNode):
    """Runs a model. ``SPEC`` is set by ``node_class``."""

    SPEC: ClassVar[ModelSpec]

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        return input_types(cls.SPEC)

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Submit a job, or find the one that the same inputs made before."""
        from ..app.run import run_model

        return await run_model(self.SPEC, values, self.HOST)


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

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Wait for the job if it still runs, and collect its images."""
        from ..app.run import run_collect

        return await run_collect(values.get("request_id"), self.HOST)


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
