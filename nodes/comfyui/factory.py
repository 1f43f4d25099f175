"""NodeSpec -> V1 node class. What a run needs is loaded with the first run, not with the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..app.host import Host
from ..core.docs.node_texts import NodeTexts
from ..core.errors import InvalidInput, PackError
from ..core.schema.model import ModelSpec, NodeSpec
from ..core.schema.own import ON_FAILURE, SKIP
from .collect import COLLECT, REQUEST_ID
from .inputs import InputTypes, input_types
from .markup import error_without_markup
from .previews import Shown

if TYPE_CHECKING:
    from ..app.items import Item
    from ..core.jobs.context import Delivery


class NodeHost(Host, Protocol):
    """What a node needs of ComfyUI besides: both are called in the node's own context."""

    def shown(self, files: Sequence[Path]) -> Shown:
        """Return what the page shows on the node of its files; {} for nothing."""

    def show(self, files: Sequence[Path]) -> None:
        """Show files on the node before it has ended."""


class PackNode:
    """What all nodes of the pack share: their inputs and outputs, and how a run ends.

    The host hands over whole lists, so that a node knows all items of one: they have one state and one receipt.
    """

    SPEC: ClassVar[NodeSpec]
    HOST: ClassVar[NodeHost]
    FUNCTION = "generate"
    INPUT_IS_LIST = True
    # How many deliveries of this process lacked a file.
    incomplete: ClassVar[int] = 0

    @classmethod
    def IS_CHANGED(cls, **_: object) -> int:
        """Return another number after a delivery that lacked a file or an item: the host then runs the nodes again.

        The next run of the same inputs fetches what is missing; without this, the host would not make one. All
        else comes from the kept copies, and nothing is charged.
        """
        return PackNode.incomplete

    @classmethod
    def INPUT_TYPES(cls) -> InputTypes:
        """Return the inputs as ComfyUI asks for them."""
        return input_types(cls.SPEC)

    async def generate(self, **lists: Sequence[object]) -> dict[str, object]:
        """Return what the jobs brought, the hosted URLs by line, and the request ids: one after the other.

        They are the host's ``result``; its ``ui`` is what the page shows on the node.

        ``lists`` hold the values of each input; what has fewer than others goes on with its last one.

        Raises:
            PackError: a receipt. After Stop, the host's own interrupt.
        """
        from ..app.run import run_items

        try:
            items = items_of(lists)
            skip = items[0].get(ON_FAILURE) == SKIP
            runs = [self.item(values) for values in items]
            deliveries = await run_items(runs, self.HOST, skip=skip, arrived=self._show)
        except PackError as error:
            raise error_without_markup(error) from None
        if len(deliveries) < len(items) or any(delivery.missing for delivery in deliveries):
            PackNode.incomplete += 1
        handed = list(chain.from_iterable(delivery.batches for delivery in deliveries))
        masks: list[object] = []
        if any(one.type == "MASK" for one in self.SPEC.output.returned):
            handed, masks = [images for images, _ in handed], [mask for _, mask in handed]
        result = (
            handed,
            ["\n".join(delivery.urls) for delivery in deliveries],
            [delivery.request_id for delivery in deliveries],
            *([masks] if masks else []),
        )
        return {"ui": self.HOST.shown(_files(deliveries)), "result": result}

    def _show(self, deliveries: Sequence[Delivery]) -> None:
        self.HOST.show(_files(deliveries))

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run of the job that these inputs ask for."""
        raise NotImplementedError


class ModelNode(PackNode):
    """Runs a model: submits a job, or finds the one that the same inputs made before."""

    SPEC: ClassVar[ModelSpec]

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run of a job."""
        from ..app.run import ModelRun

        return ModelRun(self.SPEC, values, self.HOST)


class CollectNode(PackNode):
    """Collects an accepted job of the account by its request id. Nothing is submitted and nothing charged.

    It runs also where nothing follows it: it shows what it has collected.
    """

    OUTPUT_NODE = True

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run that waits for the job if it still runs, and collects its files."""
        from ..app.run import CollectRun

        return CollectRun(values.get(REQUEST_ID), self.HOST)


def _files(deliveries: Sequence[Delivery]) -> list[Path]:
    return list(chain.from_iterable(delivery.files for delivery in deliveries))


def items_of(lists: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """Return the inputs of each item. The host's own rule: a list that is shorter goes on with its last value.

    Raises:
        InvalidInput: nothing came over an input.
    """
    for name, values in lists.items():
        if not values:
            raise InvalidInput(name, "list_empty")
    count = max((len(values) for values in lists.values()), default=1)
    return [{name: values[min(place, len(values) - 1)] for name, values in lists.items()} for place in range(count)]


def node_class(spec: ModelSpec, host: NodeHost) -> type[ModelNode]:
    """Return the node class of a model."""
    return type(spec.node_id, (ModelNode,), attributes(spec, host))


def collect_class(host: NodeHost) -> type[CollectNode]:
    """Return the class of the node that collects."""
    return type(COLLECT.node_id, (CollectNode,), attributes(COLLECT, host))


def attributes(spec: NodeSpec, host: Host) -> dict[str, object]:
    """Return what the host reads of a node's class."""
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
        "OUTPUT_IS_LIST": tuple(True for _ in returned),
        "OUTPUT_TOOLTIPS": tuple(str(texts.output(one.name)["tooltip"]) for one in returned),
    }
