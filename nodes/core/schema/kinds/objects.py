"""An array of objects whose shape no schema tells: left out, and the help page says so."""

from __future__ import annotations

from dataclasses import dataclass

from ..inputs import Flag, Socket, Widget
from ..kind import UNSENT, Field, Given, Kind, Property, Unsent


@dataclass(frozen=True)
class Objects(Kind):
    """What has no input here, and is never sent."""

    @classmethod
    def read(cls, prop: Property) -> Objects | None:
        """Read an array of objects, or an object; one that is required cannot be left out."""
        schema = prop.schema
        kind = schema.get("type")
        items = schema.object("items", {}) if kind == "array" else schema
        if items.get("type") != "object":
            return None
        if prop.required:
            raise schema.fault("type", "the model needs objects, and no widget stands for one")
        return cls()

    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def flags(self, field: Field) -> tuple[Flag, ...]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def check(self, field: Field, given: Given) -> Unsent:  # noqa: ARG002
        """Return that it is not sent."""
        return UNSENT


KIND = Objects
