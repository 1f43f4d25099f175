"""The inputs of a node -> ``INPUT_TYPES`` of a V1 node. Pure.

Names, order and defaults are a contract: saved workflows store widget values by position.
"""

from __future__ import annotations

from typing import TypeAlias

from ..core.docs.node_texts import NodeTexts
from ..core.schema.inputs import Socket, Widget
from ..core.schema.model import NodeSpec

InputTypes: TypeAlias = dict[str, dict[str, tuple[object, dict[str, object]]]]


def input_types(node: NodeSpec) -> InputTypes:
    """Return the inputs of a node as ComfyUI asks for them, made anew: others write into what they are given."""
    texts = NodeTexts(node)
    inputs: InputTypes = {"required": {}, "optional": {}}
    for one in node.inputs:
        inputs["required" if one.required else "optional"][one.name] = _declared(one, texts.tooltip(one))
    return inputs


def _declared(one: Widget | Socket, tooltip: str) -> tuple[object, dict[str, object]]:
    # A list in the place of a type is the host's way to say what can be chosen.
    kind = list(one.type) if isinstance(one.type, tuple) else one.type
    return kind, {**one.options, "tooltip": tooltip}
