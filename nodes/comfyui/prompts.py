"""The node that makes a list of prompts of a text: ComfyUI's own nodes make no list of texts."""

from __future__ import annotations

from collections.abc import Sequence

from ..app.host import Host
from ..core.errors import InvalidInput
from ..core.schema.kind import Field
from ..core.schema.kinds.text import Text
from ..core.schema.model import NodeSpec
from ..core.schema.outputs import Output, Returned
from .factory import PackNode, attributes
from .markup import error_without_markup

LINES = "prompts"


class PromptsSpec(NodeSpec):
    """A node that begins a graph."""

    @property
    def output(self) -> Output:
        """Return the lines, one by one."""
        return Output("prompts", (Returned("prompts", "STRING", is_list=True),))


PROMPTS = PromptsSpec(
    node_id="RunComfyPrompts",
    display_name="List of prompts (RunComfy)",
    category="RunComfy",
    description="Make a list of prompts, one a line: the node that it is connected to makes a job for each. "
    "Nothing is submitted or charged here.",
    search_aliases=("prompt list", "text list", "lines", "batch of prompts", "nano banana"),
    output_kind="",
    read_fields=lambda: (
        Field(
            LINES,
            Text(multiline=True),
            required=True,
            title="Prompts",
            description="One prompt a line. Empty lines are left out.",
        ),
    ),
)


class PromptsNode(PackNode):
    """Hands on the lines of a text as a list."""

    async def generate(self, **lists: Sequence[object]) -> dict[str, object]:
        """Return the lines that are not empty.

        Raises:
            InvalidInput: there is none.
        """
        lines = [line.strip() for text in lists[LINES] for line in str(text).splitlines()]
        if not any(lines):
            raise error_without_markup(InvalidInput(LINES, "empty"))
        return {"result": ([line for line in lines if line],)}


def prompts_class(host: Host) -> type[PromptsNode]:
    """Return the class of the node that makes a list."""
    return type(PROMPTS.node_id, (PromptsNode,), attributes(PROMPTS, host))
