"""True or false."""

from __future__ import annotations

from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import Field, Property, Scalar


@dataclass(frozen=True)
class Boolean(Scalar):
    """True or false."""

    default: bool

    @classmethod
    def read(cls, prop: Property) -> Boolean | None:
        """Read ``type: boolean``."""
        if prop.schema.get("type") != "boolean":
            return None
        prop.schema.only("title description type default")
        return cls(prop.schema.boolean("default", False))

    def widget(self, field: Field) -> Widget:
        """Return a switch."""
        facts = (Phrase("kind_boolean"), Phrase("default", {"value": self.default}))
        return Widget(field.name, "BOOLEAN", {"default": self.default}, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag and its opposite."""
        return Flag(field.name, (field.name,), bool, self.default)

    def accept(self, field: Field, value: object) -> bool:
        """Return the value as it is."""
        return checks.truth(field.name, value)


KIND = Boolean
