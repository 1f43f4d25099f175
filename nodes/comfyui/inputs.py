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
    """Return the inputs of a node as ComfyUI asks for them, made anew: others write into what they are given.

    The inputs of an array have its ``stem`` besides: the page shows as many of its sockets as are needed. Rare ones
    are ``advanced``: newer hosts fold them away.
    """
    texts = NodeTexts(node)
    arrays = [field for field in node.fields if len(field.sockets) > 1]
    stems = {one.name: field.sockets[0].stem for field in arrays for one in field.inputs}
    rare = {one.name for field in (*node.fields, *node.own_fields) if field.rare for one in field.inputs}
    inputs: InputTypes = {"required": {}, "optional": {}}
    for one in node.inputs:
        declared = _declared(one, texts.tooltip(one), stems.get(one.name), rare=one.name in rare)
        inputs["required" if one.required else "optional"][one.name] = declared
    return inputs


def _declared(
    one: Widget | Socket, tooltip: str, stem: str | None, *, rare: bool
) -> tuple[object, dict[str, object]]:
    # A list in the place of a type is the host's way to say what can be chosen.
    kind = list(one.type) if isinstance(one.type, tuple) else one.type
    row = {"stem": stem} if stem else {}
    return kind, {**one.options, **row, **({"advanced": True} if rare else {}), "tooltip": tooltip}
