"""The node that collects a paid job of any model by its request id, whatever its files are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.host import Host
from ..core import threads
from ..core.jobs.waiting import RunHost
from ..core.schema.kind import Field
from ..core.schema.kinds.text import Text
from ..core.schema.model import NodeSpec
from ..core.schema.outputs import DEFAULT_OUTPUT, Output, output_of
from ..core.store.job import Author
from ..core.texts import note
from .factory import NodeHost, PackNode, attributes

if TYPE_CHECKING:
    from ..app.items import Item
    from ..core.jobs.context import Delivery
    from ..core.media.host import MediaHost

REQUEST_ID = "request_id"
# In the order of the node's outputs: what came later stands last.
_MEDIA = ("image", "video", "audio")


class CollectSpec(NodeSpec):
    """A node whose job may be that of any model."""

    @property
    def output(self) -> Output:
        """Return what an image node returns, as it always was, and behind it the files of the other media."""
        images, *others = (output_of(medium).returned for medium in _MEDIA)
        return Output("collected", (*images, *(returned[0] for returned in others)), DEFAULT_OUTPUT)


COLLECT = CollectSpec(
    node_id="RunComfyCollect",
    display_name="Collect a paid job (RunComfy)",
    category="RunComfy/Image",
    description="Collect the images, videos or sounds of a job that is already paid for, by its request id. "
    "Nothing is submitted or charged.",
    search_aliases=("recover", "resume", "request id"),
    output_kind=DEFAULT_OUTPUT,
    read_fields=lambda: (
        Field(
            REQUEST_ID,
            Text(),
            required=True,
            title="Request id",
            description="The id of the request, as a node, its error or RunComfy's Generations page shows it; "
            "several with spaces between them.",
        ),
    ),
)


@dataclass(frozen=True)
class LendingHost:
    """The host of a node that wants the files alone, in a folder of its own."""

    host: Host
    folder: Path

    def run_host(self) -> RunHost:
        """Return who watches the node."""
        return self.host.run_host()

    def interrupt(self) -> BaseException:
        """Return what to raise after Stop."""
        return self.host.interrupt()

    def state_folder(self) -> Path | None:
        """Return the host's own."""
        return self.host.state_folder()

    def media_host(self) -> MediaHost:
        """Return who takes the files."""
        from ..core.media.host import FilesOnly

        return FilesOnly(self.folder)

    def author(self) -> Author:
        """Return who runs the node now."""
        return self.host.author()


class CollectNode(PackNode):
    """Collects an accepted job of the account by its request id. Nothing is submitted and nothing charged.

    It runs also where nothing follows it: it shows what it has collected.
    """

    OUTPUT_NODE = True

    def item(self, values: Mapping[str, object]) -> Item:
        """Return the run that waits for the job if it still runs, and collects its files."""
        from ..app.run import CollectRun

        return CollectRun(values.get(REQUEST_ID), LendingHost(self.HOST, self.HOST.media_host().folder))

    def items(self, lists: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
        """Return an item for each id: a text may hold several, with spaces or commas between them."""
        ids = chain.from_iterable(_ids(values.get(REQUEST_ID)) for values in super().items(lists))
        return [{REQUEST_ID: one} for one in ids]

    def skips(self, values: Mapping[str, object]) -> bool:
        """What can be collected is handed on: nothing is paid for."""
        del values
        return True

    async def returned(self, deliveries: Sequence[Delivery]) -> tuple[Sequence[object], ...]:
        """Return what the files are, each medium in its own place.

        Raises:
            PackError: a file cannot be decoded here.
        """
        from ..core.media.outputs import by_medium

        found: dict[str, list[object]] = {medium: [] for medium in _MEDIA}
        for one in deliveries:
            files = [(file, output_of(one.output).medium) for file in one.files]
            decoded = await asyncio.wrap_future(threads.start(by_medium, files, self.HOST.media_host(), _MEDIA))
            for medium, handed in decoded.items():
                found[medium] += handed
        images, *others = (found[medium] or [self._blocked(found)] for medium in _MEDIA)
        _, urls, ids = await super().returned(deliveries)
        return (images, urls, ids, *others)

    def _blocked(self, found: Mapping[str, Sequence[object]]) -> object:
        """Return what tells, in place of a medium that did not come, which output has what came."""
        medium = next((medium for medium in _MEDIA if found[medium]), DEFAULT_OUTPUT)
        output = output_of(medium).returned[0].name
        return self.HOST.blocked(str(note("note.another_output", found=note(f"medium.{medium}"), output=output)))


def _ids(text: object) -> list[object]:
    return [*re.split(r"[\s,;]+", text.strip(" \t\r\n,;"))] if isinstance(text, str) else [text]


def collect_class(host: NodeHost) -> type[CollectNode]:
    """Return the class of the node that collects."""
    return type(COLLECT.node_id, (CollectNode,), attributes(COLLECT, host))
