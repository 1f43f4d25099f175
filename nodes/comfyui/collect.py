"""The node that collects a paid job, as data: it is no model's."""

from __future__ import annotations

from ..core.schema.kind import Field
from ..core.schema.kinds.text import Text
from ..core.schema.model import NodeSpec
from ..core.schema.outputs import DEFAULT_OUTPUT

REQUEST_ID = "request_id"

COLLECT = NodeSpec(
    node_id="RunComfyCollect",
    display_name="Collect a paid job (RunComfy)",
    category="RunComfy/Image",
    description="Collect the images of a job that is already paid for, by its request id. "
    "Nothing is submitted or charged.",
    search_aliases=("recover", "resume", "request id"),
    output_kind=DEFAULT_OUTPUT,
    read_fields=lambda: (
        Field(
            REQUEST_ID,
            Text(),
            required=True,
            title="Request id",
            description="The id of the request, as a node, its error or RunComfy's Generations page shows it.",
        ),
    ),
)
