"""NodeSpec -> V1 node class. What a run needs is loaded with the first run, not with the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..app.host import Host
from ..core.docs.node_texts import NodeTexts
from ..core.errors import PackError
from ..core.schema.model import ModelSpec, NodeSpec
from .collect import COLLECT, REQUEST_ID
from .inputs import InputTypes, input_types
from .markup import error_without_markup

if TYPE_CHECKING:
    from ..core.jobs.context import Delivery


class PackNode:
    """What all nodes of the pack share: their inputs and outputs, and how a run ends."""

    SPEC: ClassVar[NodeSpec]
    HOST: ClassVar[Host]
    FUNCTION = "generate"
    # How many deliveries of this process lacked a file.
    incomplete: ClassVar[int] = 0

    @classmethod
    def IS_CHANGED(cls, **_: object) -> int:
        """Return another number after a delivery that lacked a file: the host then runs the nodes again.

        The next run of the same inputs fetches what is missing; without this, the host would not make one. All
        else comes from the kept copies, and nothing is charged.
        """
        return PackNode.incomplete

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        return input_types(cls.SPEC)

    async def generate(self, **values: object) -> tuple[object, ...]:
        """Return what the job brought, the hosted URLs by line, and the request id.

        Raises:
            PackError: a receipt. After Stop, the host's own interrupt.
        """
        try:
            delivery = await self.deliver(values)
        except PackError as error:
            raise error_without_markup(error) from None
        if delivery.missing:
            PackNode.incomplete += 1
        return delivery.batches, "\n".join(delivery.urls), delivery.request_id

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Run the job that the inputs ask for."""
        raise NotImplementedError


class ModelNode(PackNode):
    """Runs a model."""

    SPEC: ClassVar[ModelSpec]

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Submit a job, or find the one that the same inputs made before."""
        from ..app.run import run_model

        return await run_model(self.SPEC, values, self.HOST)


class CollectNode(PackNode):
    """Collects an accepted job of the account by its request id. Nothing is submitted and nothing charged."""

    # It can be run alone, with nothing connected to it.
    OUTPUT_NODE = True

    async def deliver(self, values: dict[str, object]) -> Delivery:
        """Wait for the job if it still runs, and collect its images."""
        from ..app.run import run_collect

        return await run_collect(values.get(REQUEST_ID), self.HOST)


def node_class(spec: ModelSpec, host: Host) -> type[ModelNode]:
    """Return the node class of a model."""
    return type(spec.node_id, (ModelNode,), _attributes(spec, host))


def collect_class(host: Host) -> type[CollectNode]:
    """Return the class of the node that collects."""
    return type(COLLECT.node_id, (CollectNode,), _attributes(COLLECT, host))


def _attributes(spec: NodeSpec, host: Host) -> dict[str, object]:
    texts, returned = NodeTexts(spec), spec.output.returned
    return {
        "__doc__": spec.description,
        "SPEC": spec,
        "HOST": host,
        "CATEGORY": spec.category,
        "DESCRIPTION": spec.description,
        "SEARCH_ALIASES": list(spec.search_aliases),
        "RETURN_TYPES": tuple(one.type for one in returned),
        "RETURN_NAMES": tuple(one.name for one in returned),
        "OUTPUT_IS_LIST": tuple(one.is_list for one in returned),
        "OUTPUT_TOOLTIPS": tuple(str(texts.output(one.name)["tooltip"]) for one in returned),
    }
