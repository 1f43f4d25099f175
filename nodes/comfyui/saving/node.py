"""The node that saves the files of a paid job byte for byte as they came, with a receipt beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol

from ...app.host import Host
from ...core import threads
from ...core.errors import PackError
from ...core.schema.inputs import Widget
from ...core.schema.kind import Field
from ...core.schema.kinds.text import Text
from ...core.schema.model import NodeSpec
from ...core.schema.outputs import Output
from ..collect import REQUEST_ID, LendingHost
from ..factory import PackNode, attributes, items_of
from ..markup import error_without_markup
from ..previews import Shown
from .files import SavePlace, save_files

PREFIX = "filename_prefix"


class SavingHost(Host, Protocol):
    """What the node needs of ComfyUI besides."""

    def save_place(self, prefix: str, width: int, height: int) -> SavePlace:
        """Return where files are saved, by the host's own patterns; the size is that of an image, or 0.

        Raises:
            InvalidInput: outside of the host's output folder.
        """

    def saved(self, files: Sequence[Path]) -> Shown:
        """Return what the page shows on the node of files in the host's output folder."""


class LinkedText(Text):
    """A text that comes over a link alone."""

    def widget(self, field: Field) -> Widget:
        """Return a socket's declaration in the place of a text box."""
        return replace(super().widget(field), options={"forceInput": True})


class SaveSpec(NodeSpec):
    """A node that ends a graph."""

    @property
    def output(self) -> Output:
        """Return nothing to the graph."""
        return Output("", ())


SAVE = SaveSpec(
    node_id="RunComfySaveOriginals",
    display_name="Save originals (RunComfy)",
    category="RunComfy",
    description="Save the files of a paid job byte for byte as they came, with a receipt beside them. "
    "Nothing is submitted or charged.",
    search_aliases=("save image", "save video", "save audio", "original file", "receipt"),
    output_kind="",
    read_fields=lambda: (
        Field(
            REQUEST_ID,
            LinkedText(),
            required=True,
            title="Request id",
            description="The id of the request: connect the output of the node that made the job.",
        ),
        Field(
            PREFIX,
            Text("RunComfy"),
            title="Filename prefix",
            description="What the names of the files begin with, and their folder in the output folder. "
            "Patterns such as %date:yyyy-MM-dd% stand for values, as in ComfyUI's own nodes.",
        ),
    ),
)


class SaveNode(PackNode):
    """Saves the files of accepted jobs; what is not kept is fetched first, free of charge."""

    HOST: ClassVar[SavingHost]  # type: ignore[assignment]
    OUTPUT_NODE = True

    async def generate(self, **lists: Sequence[object]) -> dict[str, object]:
        """Save the files of each request, and show them.

        Raises:
            PackError: a receipt. After Stop, the host's own interrupt.
        """
        try:
            saved = [path for values in items_of(lists) for path in await self._save(values)]
        except PackError as error:
            raise error_without_markup(error) from None
        return {"ui": self.HOST.saved(saved)}

    async def _save(self, values: Mapping[str, object]) -> list[Path]:
        from ...app.lending import lending_folder
        from ...app.run import current_settings, run_collect
        from ...app.service import open_record

        prefix = str(values.get(PREFIX, ""))
        # One that cannot be is told before anything is fetched.
        self.HOST.save_place(prefix, 0, 0)
        state_folder = current_settings(self.HOST).state_folder
        with lending_folder(state_folder) as folder:
            delivery = await run_collect(values.get(REQUEST_ID), LendingHost(self.HOST, folder))

            def save() -> list[Path]:
                receipt = open_record(state_folder).receipt(delivery.request_id)
                return save_files(delivery.files, partial(self.HOST.save_place, prefix), receipt)

            return await asyncio.wrap_future(threads.start(save))


def save_class(host: SavingHost) -> type[SaveNode]:
    """Return the class of the node that saves."""
    return type(SAVE.node_id, (SaveNode,), attributes(SAVE, host))
