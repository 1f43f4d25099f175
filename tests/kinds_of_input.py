"""A property of a schema as the field that it becomes."""

from __future__ import annotations

from typing import Any

from model_files import model_file

from nodes.core.schema.kind import Field
from nodes.core.schema.parse import parse_model


def read(prop: dict[str, Any], name: str = "x", required: bool = False) -> Field:
    """Return the only field of a model that has this property."""
    (field,) = parse_model(model_file(required=(name,) if required else (), **{name: prop})).fields
    return field
