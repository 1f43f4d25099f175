"""The structure of an input schema: names, types, choices, bounds, and what is required.

Texts, order, defaults and formats are no part of it: two sources write them in two ways.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..checks import ends
from ..document import JSON

BOUNDS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")
MAX_PROPERTIES = 256
MAX_CHOICES = 1024
_TYPES = {"float": "number"}

Choice = str | int | float | bool | None


@dataclass(frozen=True)
class Shape:
    """What one property takes. ``type`` is '' where the schema names none, or several.

    ``choices`` are None where any value will do; ``items`` is the shape of an array's items, None where the schema
    asks nothing of them.
    """

    type: str = ""
    choices: tuple[Choice, ...] | None = None
    bounds: Mapping[str, float] = field(default_factory=dict)
    items: Shape | None = None

    def canonical(self) -> JSON:
        """Return it as a JSON value that is the same for the same shape."""
        choices = None if self.choices is None else sorted(json.dumps(one) for one in self.choices)
        bounds = {name: self.bounds[name] for name in sorted(self.bounds)}
        return [self.type, choices, bounds, self.items.canonical() if self.items else None]


@dataclass(frozen=True)
class Structure:
    """The shape of each property, and which of them a request needs."""

    properties: Mapping[str, Shape]
    required: frozenset[str]

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of it."""
        shapes = {name: self.properties[name].canonical() for name in sorted(self.properties)}
        written = json.dumps([shapes, sorted(self.required)])
        return hashlib.sha256(written.encode("ascii")).hexdigest()


def read_structure(schema: JSON) -> Structure | None:
    """Return the structure of an input schema; None where it cannot be read, or has no property at all."""
    try:
        return _read(schema)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def _read(schema: JSON) -> Structure:
    properties = _mapping(_mapping(schema).get("properties"))
    required = _mapping(schema).get("required") or []
    if not 0 < len(properties) <= MAX_PROPERTIES or not isinstance(required, list):
        raise ValueError("no properties, too many, or no list of what is required")
    if len(required) > MAX_PROPERTIES or not all(isinstance(name, str) for name in required):
        raise ValueError("not a list of names")
    shapes = {name: _shape(_mapping(one)) for name, one in properties.items()}
    return Structure(shapes, frozenset(map(str, required)))


def _shape(schema: Mapping[str, JSON]) -> Shape:
    kind = _type(schema.get("type"))
    choices = _choices(schema.get("enum"))
    bounds = {name: _bound(schema[name]) for name in BOUNDS if schema.get(name) is not None}
    between = ends(list(choices)) if kind == "integer" and choices else None
    if between:
        # An enum without gaps says the same as bounds.
        choices, bounds = None, {**bounds, "minimum": float(between[0]), "maximum": float(between[1])}
    items = schema.get("items")
    inner = _shape(items) if kind == "array" and isinstance(items, Mapping) else None
    # Some arrays tell nothing of their items, others that they are strings: files, either way.
    return Shape(kind, choices, bounds, inner if inner and (inner.choices is not None or inner.bounds) else None)


def _type(found: JSON) -> str:
    named = [one for one in found if one != "null"] if isinstance(found, list) else [found]
    kind = named[0] if len(named) == 1 else ""
    return _TYPES.get(kind, kind) if isinstance(kind, str) else ""


def _choices(found: JSON) -> tuple[Choice, ...] | None:
    if found is None:
        return None
    if not isinstance(found, list) or not 0 < len(found) <= MAX_CHOICES:
        raise ValueError("not a list of choices")
    if not all(one is None or isinstance(one, str | int | float) for one in found):
        raise ValueError("a choice that is not a plain value")
    return tuple(found)


def _bound(found: JSON) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(float(found)):
        raise ValueError("a bound that is not a number")
    return float(found)


def _mapping(found: JSON) -> Mapping[str, JSON]:
    if not isinstance(found, Mapping):
        raise TypeError("not an object")
    return found
