"""A small description of a graph -> the workflow that ComfyUI saves. Pure.

The pack's nodes are read from their definitions, so that their inputs, labels and orders are those of today.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nodes.core.docs.node_texts import NodeTexts
from nodes.core.schema.inputs import Socket
from nodes.core.schema.model import NodeSpec

JSONObject: TypeAlias = dict[str, Any]
Point: TypeAlias = tuple[int, int]

OPTIONAL, LIST = 7, 6
"""The host's numbers for the shapes of slots."""
NAMESPACE = uuid.UUID("6c1d2a50-2f0e-4a55-9a41-51f4c2f3a000")

# ComfyUI's own nodes: their inputs (name, type, whether it is a widget) and outputs (name, type).
CORE: Mapping[str, tuple[Sequence[tuple[str, str, bool]], Sequence[tuple[str, str]]]] = {
    "LoadImage": (
        (("image", "COMBO", True), ("upload", "IMAGEUPLOAD", True)),
        (("IMAGE", "IMAGE"), ("MASK", "MASK")),
    ),
    "ImageCrop": (
        (("image", "IMAGE", False), *((name, "INT", True) for name in ("width", "height", "x", "y"))),
        (("IMAGE", "IMAGE"),),
    ),
    "EmptyImage": (
        tuple((name, "INT", True) for name in ("width", "height", "batch_size", "color")),
        (("IMAGE", "IMAGE"),),
    ),
    "ImageBatch": ((("image1", "IMAGE", False), ("image2", "IMAGE", False)), (("IMAGE", "IMAGE"),)),
    "RebatchImages": ((("images", "IMAGE", False), ("batch_size", "INT", True)), (("IMAGE", "IMAGE"),)),
    "ImageStitch": (
        (
            ("image1", "IMAGE", False),
            ("image2", "IMAGE", False),
            ("direction", "COMBO", True),
            ("match_image_size", "BOOLEAN", True),
            ("spacing_width", "INT", True),
            ("spacing_color", "COMBO", True),
        ),
        (("IMAGE", "IMAGE"),),
    ),
    "PreviewImage": ((("images", "IMAGE", False),), ()),
    "PreviewAny": ((("source", "*", False),), ()),
    "SaveImage": ((("images", "IMAGE", False), ("filename_prefix", "STRING", True)), ()),
}


@dataclass(frozen=True)
class Node:
    """A node: its name within the description, its type, where it lies, and what it is given.

    ``values`` are those of its widgets: by name for the pack's own nodes, whose defaults stand for the others, by
    position for ComfyUI's. ``links`` lead from an input to (name of a node, number of its output).
    """

    name: str
    type: str
    pos: Point
    size: Point
    values: Mapping[str, object] | Sequence[object] = ()
    links: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True)
class Template:
    """A workflow: its title, which is also its file's name, the text of its note, and its nodes."""

    title: str
    note: str
    note_size: Point
    nodes: Sequence[Node]


def workflow(template: Template, specs: Mapping[str, NodeSpec]) -> JSONObject:
    """Return the workflow as ComfyUI saves it."""
    ids = {node.name: number for number, node in enumerate(template.nodes, start=2)}
    made = [_note(template), *(_node(ids[node.name], node, specs) for node in template.nodes)]
    links = list(_linked(template, ids, {node["id"]: node for node in made}))
    return {
        "id": str(uuid.uuid5(NAMESPACE, template.title)),
        "revision": 0,
        "last_node_id": len(made),
        "last_link_id": len(links),
        "nodes": made,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {"ds": {"scale": 0.8, "offset": [180, 140]}},
        "version": 0.4,
    }


def _note(template: Template) -> JSONObject:
    # Without colours of its own it follows the theme.
    return {
        **_placed(1, "MarkdownNote", (0, 0), template.note_size),
        "inputs": [],
        "outputs": [],
        "title": "About this workflow",
        "properties": {},
        "widgets_values": [template.note],
    }


def _placed(number: int, kind: str, pos: Point, size: Point) -> JSONObject:
    place = {"id": number, "type": kind, "pos": list(pos), "size": list(size)}
    return {**place, "flags": {}, "order": number - 1, "mode": 0}


def _node(number: int, node: Node, specs: Mapping[str, NodeSpec]) -> JSONObject:
    spec = specs.get(node.type)
    inputs, outputs, values = _own(spec, node) if spec else _core(node)
    return {
        **_placed(number, node.type, node.pos, node.size),
        "inputs": inputs,
        "outputs": outputs,
        **({"title": node.title} if node.title else {}),
        "properties": {"Node name for S&R": node.type},
        "widgets_values": values,
    }


def _core(node: Node) -> tuple[list[JSONObject], list[JSONObject], list[object]]:
    inputs, outputs = CORE[node.type]
    values = node.values
    assert not isinstance(values, Mapping)
    return (
        [_slot(name, name, kind, widget=widget) for name, kind, widget in inputs],
        [_output(name, kind) for name, kind in outputs],
        list(values),
    )


def _own(spec: NodeSpec, node: Node) -> tuple[list[JSONObject], list[JSONObject], list[object]]:
    texts = NodeTexts(spec)
    widgets = [one for one in spec.inputs if not isinstance(one, Socket)]
    sockets = [one for one in spec.inputs if isinstance(one, Socket)]
    slots = [
        _slot(one.name, texts.label(one), _kind(one.type), widget=True, optional=not one.required)
        for one in widgets
    ]
    # The connected ones and a free one, as the page shows them.
    shown = sockets[: sum(one.name in node.links for one in sockets) + 1]
    slots += [_slot(one.name, texts.label(one), str(one.type), widget=False, optional=True) for one in shown]
    values = dict(node.values) if isinstance(node.values, Mapping) else {}
    saved: list[object] = []
    for one in widgets:
        saved.append(values.pop(one.name, one.options.get("default", "")))
        if one.options.get("control_after_generate"):
            saved.append("fixed")
    assert not values, f"{spec.node_id} has no {', '.join(values)}"
    outputs = [_output(one.name, one.type, is_list=one.is_list) for one in spec.output.returned]
    return slots, outputs, saved


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else "COMBO"


def _slot(name: str, label: str, kind: str, *, widget: bool, optional: bool = False) -> JSONObject:
    return {
        "localized_name": label,
        "name": name,
        **({"shape": OPTIONAL} if optional else {}),
        "type": kind,
        **({"widget": {"name": name}} if widget else {}),
        "link": None,
    }


def _output(name: str, kind: str, *, is_list: bool = False) -> JSONObject:
    return {
        "localized_name": name,
        "name": name,
        **({"shape": LIST} if is_list else {}),
        "type": kind,
        "links": None,
    }


def _linked(template: Template, ids: Mapping[str, int], made: Mapping[int, JSONObject]) -> Iterator[list[object]]:
    """Write each link into the nodes at both of its ends, and return it as the workflow lists it."""
    number = 0
    for node in template.nodes:
        for name, (source, output) in node.links.items():
            number += 1
            origin, target = made[ids[source]], made[ids[node.name]]
            place = next(at for at, slot in enumerate(target["inputs"]) if slot["name"] == name)
            target["inputs"][place]["link"] = number
            slot = origin["outputs"][output]
            slot["links"] = [*(slot["links"] or []), number]
            yield [number, origin["id"], output, target["id"], place, slot["type"]]
