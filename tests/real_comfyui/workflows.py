"""Saved workflows: what their nodes' values are called, and the same graph as ``POST /prompt`` takes it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Workflow = dict[str, Any]
InputTypes = Mapping[str, Mapping[str, tuple[Any, ...]]]

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
NAMES = (
    TEXT_TO_IMAGE := "Nano Banana 2 - text to image",
    "Nano Banana 2 - 1K draft, then 4K",
    "Nano Banana 2 - product shot",
    "Nano Banana 2 - several takes compared",
    LIST_OF_PROMPTS := "Nano Banana 2 - list of prompts",
    EDIT := "Nano Banana Pro - edit an image",
    SEVERAL_REFERENCES := "Nano Banana Pro - several references",
    "Nano Banana Pro - character sheet",
    "Nano Banana Pro - style transfer",
    BY_ADDRESS := "Nano Banana 2 into Pro - edit by address",
    "Nano Banana 2 into Pro - chain of edits",
    COLLECT := "Nano Banana - collect a paid job",
)

PAGE_ONLY = frozenset({"MarkdownNote"})
"""Node types that only the page knows: they are never sent."""

# Widgets of ComfyUI's own nodes in their order; None stands for a value that the page keeps to itself.
CORE_WIDGETS: Mapping[str, tuple[str | None, ...]] = {
    "EmptyImage": ("width", "height", "batch_size", "color"),
    "ImageBatch": (),
    "ImageCrop": ("width", "height", "x", "y"),
    "ImageStitch": ("direction", "match_image_size", "spacing_width", "spacing_color"),
    "LoadImage": ("image", None),
    "PreviewAny": (),
    "PreviewImage": (),
    "RebatchImages": ("batch_size",),
    "SaveImage": ("filename_prefix",),
}
_WIDGET_TYPES = ("BOOLEAN", "FLOAT", "INT", "STRING")


def load(name: str) -> Workflow:
    """Read an example workflow."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def inputs_of(types: InputTypes) -> dict[str, tuple[Any, ...]]:
    """Return a node's inputs in the order of the page: required ones first."""
    return {**types.get("required", {}), **types.get("optional", {})}


def is_widget(kind: object) -> bool:
    """Whether an input of this type is a widget: the list form of a choice, or a scalar."""
    return isinstance(kind, list) or kind in _WIDGET_TYPES


def widget_names(types: InputTypes) -> tuple[str | None, ...]:
    """Return what each value of a saved node stands for; None for the seed's control, which is never sent."""
    names: list[str | None] = []
    for name, (kind, *rest) in inputs_of(types).items():
        if is_widget(kind):
            names.append(name)
            if rest and rest[0].get("control_after_generate"):
                names.append(None)
    return tuple(names)


def values_of(node: Mapping[str, Any], definitions: Mapping[str, InputTypes]) -> dict[str, Any]:
    """Return the widget values of a saved node by name; of the pack's nodes, defaults stand for what is not saved.

    Raises: ValueError where there are too many, or of another node too few.
    """
    kind, values = node["type"], node.get("widgets_values", [])
    if kind in definitions:
        names, defaults = widget_names(definitions[kind]), inputs_of(definitions[kind])
        values = [*values, *(defaults[name][1]["default"] for name in names[len(values) :] if name)]
    else:
        names = CORE_WIDGETS[kind]
    return {name: value for name, value in zip(names, values, strict=True) if name is not None}


def to_prompt(workflow: Workflow, definitions: Mapping[str, InputTypes]) -> dict[str, dict[str, Any]]:
    """Return the API form of a saved workflow. ``definitions``: the pack's INPUT_TYPES by node type."""
    origins = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    return {
        str(node["id"]): {
            "class_type": node["type"],
            "inputs": {
                **values_of(node, definitions),
                **{
                    socket["name"]: origins[socket["link"]]
                    for socket in node.get("inputs", [])
                    if socket.get("link") is not None
                },
            },
        }
        for node in workflow["nodes"]
        if node["type"] not in PAGE_ONLY
    }
