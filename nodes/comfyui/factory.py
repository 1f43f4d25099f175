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
from .inputs import InputTypes, input_types
from .markup import error_without_markup
from .previews import Shown

if TYPE_CHECKING:
    from ..app.items import Item
    from ..core.jobs.context import Delivery
    from ..core.media.host import MediaHost


class NodeHost(Host, Protocol):
    """What a node needs of ComfyUI besides. What shows is called in the node's own context."""

    def media_host(self) -> MediaHost:
        """Return who takes the files of results."""

    def blocked(self, told: str) -> object:
        """Return what stands for nothing at an output: the nodes behind it do not run, and this is told there."""

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
            items = self.items(lists)
            runs = [self.item(values) for values in items]
            deliveries = await run_items(runs, self.HOST, skip=self.skips(items[0]), arrived=self._show)
            returned = await self.returned(deliveries)
        except PackError as error:
            raise error_without_markup(error) from None
        if len(deliveries) < len(items) or any(delivery.missing for delivery in deliveries):
            PackNode.incomplete += 1
        return {"ui": self.HOST.shown(_files(deliveries)), "result": returned}

    async def returned(self, deliveries: Sequence[Delivery]) -> tuple[Sequence[object], ...]:
        """Return what stands at each output, in order."""
        handed = list(chain.from_iterable(delivery.batches for delivery in deliveries))
        masks: list[object] = []
        if any(one.type == "MASK" for one in self.SPEC.output.returned):
            handed, masks = [images for images, _ in handed], [mask for _, mask in handed]
        return (
            handed,
            ["\n".join(delivery.urls) for delivery in deliveries],
            [delivery.request_id for delivery in deliveries],
            *([masks] if masks else []),
        )

    def _show(self, deliveries: Sequence[Delivery]) -> None:
        self.HOST.show(_files(deliveries))

    def items(self, lists: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
        """Return the inputs of each item.

        Raises:
            InvalidInput: nothing came over an input.
        """
        return items_of(lists)

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run of the job that these inputs ask for."""
        raise NotImplementedError

    def skips(self, values: Mapping[str, object]) -> bool:
        """Whether an item that fails leaves the others alone."""
        return values.get(ON_FAILURE) == SKIP


class ModelNode(PackNode):
    """Runs a model: submits a job, or finds the one that the same inputs made before."""

    SPEC: ClassVar[ModelSpec]

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run of a job."""
        from ..app.run import ModelRun

        return ModelRun(self.SPEC, values, self.HOST)


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
