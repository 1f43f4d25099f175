"""True or false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import UNSENT, Field, Property, Scalar, Unsent
from .choice import NOT_SENT

_WORDS: Mapping[object, bool | Unsent] = {NOT_SENT: UNSENT, None: UNSENT, "true": True, "false": False}


@dataclass(frozen=True)
class Boolean(Scalar):
    """True or false. An optional one without a default may be left unsent, which no switch can show."""

    default: bool | None

    @classmethod
    def read(cls, prop: Property) -> Boolean | None:
        """Read ``type: boolean``."""
        schema = prop.schema
        if schema.get("type") != "boolean":
            return None
        schema.only("title description type default")
        return cls(schema.boolean("default", False) if "default" in schema or prop.required else None)

    def widget(self, field: Field) -> Widget:
        """Return a switch, or a list whose first entry is not sent."""
        if self.default is None:
            options, hints = {"default": NOT_SENT}, (Phrase("first_choice_not_sent"),)
            entries = (NOT_SENT, "true", "false")
            return Widget(field.name, entries, options, field.required, (Phrase("kind_boolean"),), hints)
        facts = (Phrase("kind_boolean"), Phrase("default", {"value": self.default}))
        return Widget(field.name, "BOOLEAN", {"default": self.default}, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag and its opposite."""
        return Flag(field.name, (field.name,), bool, self.default)

    def accept(self, field: Field, value: object) -> bool | Unsent:
        """Return the value; ``UNSENT`` for the first entry of a list."""
        if self.default is None and (value is None or isinstance(value, str)) and value in _WORDS:
            return _WORDS[value]
        return checks.truth(field.name, value)


KIND = Boolean
