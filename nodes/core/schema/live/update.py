"""A new version of a model file: the schema as it is now, under the names that the node has already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..conditions import Condition
from ..document import JSON, Document
from ..entry import model_document
from ..model import ModelSpec

_WITH_MASK = "image_with_mask"


def updated_document(old: ModelSpec, entry: Mapping[str, JSON], read_on: str) -> dict[str, JSON]:
    """Return the document of a model's next version, from its entry in the catalogue.

    Names are kept, also those of roles; inputs that are still there keep their order, and new ones come last.

    Raises:
        SchemaError: the entry has no usable id, schema, or kind of output.
    """
    made: dict[str, Any] = model_document(entry, read_on)
    names = set(Document(made["input_schema"]).object("properties"))
    before = [field.name for field in old.fields if field.name in names]
    new = [name for name in made["order"] if name not in before]
    conditions = [_written(one) for one in old.conditions if one.names <= names]
    return {
        **made,
        "node_id": old.node_id,
        **({"command": old.command} if old.command else {}),
        "display_name": old.display_name,
        "category": old.category,
        "description": old.description,
        "search_aliases": list(old.search_aliases),
        "output": _WITH_MASK if _WITH_MASK in (old.output_kind, made["output"]) else made["output"],
        "limits": asdict(old.limits),
        "roles": _roles(old, made["roles"], names),
        "order": [*before, *new],
        **({"conditions": conditions} if conditions else {}),
    }


def _roles(old: ModelSpec, made: Mapping[str, str], names: set[str]) -> dict[str, str]:
    kept = {field.role: field.name for field in old.fields if field.role and field.name in names}
    return kept | {role: name for role, name in made.items() if role not in kept and name not in kept.values()}


def _written(condition: Condition) -> dict[str, JSON]:
    """Return a condition as a model file has it."""
    number: dict[str, JSON] = {"at_most": condition.at_most, "of": condition.of} if condition.of else {}
    others: dict[str, JSON] = {"when": condition.when, "any_of": condition.any_of, "none_of": condition.none_of}
    return {**{key: value for key, value in others.items() if value}, **number}
