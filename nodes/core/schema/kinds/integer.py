"""A whole number within bounds, or of an enum without gaps."""

from __future__ import annotations

from dataclasses import dataclass

from .. import checks
from ..document import MAX_INTEGER
from ..inputs import Flag, Phrase, Widget
from ..kind import UNSENT, Field, Property, Scalar, Unsent, stand_in


@dataclass(frozen=True)
class Integer(Scalar):
    """A whole number, both bounds included. An optional one without a default may be left unsent."""

    minimum: int
    maximum: int
    default: int | None

    @classmethod
    def read(cls, prop: Property) -> Integer | None:
        """Read ``type: integer`` with bounds or an enum without gaps."""
        schema = prop.schema
        if schema.get("type") != "integer" or prop.role == "seed":
            return None
        if "enum" in schema:
            bounds = checks.ends(schema.get("enum"))
            if bounds is None:
                return None
            schema.only("title description type default enum")
            low, high = bounds
            if max(-low, high) > MAX_INTEGER:
                raise schema.fault("enum", "out of range")
        else:
            schema.only("title description type default minimum maximum")
            low = schema.integer("minimum")
            high = schema.integer("maximum", low=low)
        if "default" not in schema and not prop.required:
            return cls(low, high, None)
        return cls(low, high, schema.integer("default", low, low=low, high=high))

    def widget(self, field: Field) -> Widget:
        """Return a number with steps of one."""
        facts = (Phrase("kind_integer"), Phrase("range", {"low": self.minimum, "high": self.maximum}))
        if self.default is None:
            low = stand_in(self.minimum)
            options = {"default": low, "min": low, "max": self.maximum, "step": 1}
            return Widget(field.name, "INT", options, field.required, facts, (Phrase("not_sent", {"value": low}),))
        options = {"default": self.default, "min": self.minimum, "max": self.maximum, "step": 1}
        default = Phrase("default", {"value": self.default})
        return Widget(field.name, "INT", options, field.required, (*facts, default))

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        metavar = f"{self.minimum}..{self.maximum}"
        return Flag(field.name, (field.name,), int, self.default, metavar)

    def accept(self, field: Field, value: object) -> int | Unsent:
        """Return a number within the bounds; ``UNSENT`` for the one that stands for none."""
        if self.default is None and value in (None, stand_in(self.minimum)):
            return UNSENT
        return checks.whole(field.name, value, self.minimum, self.maximum)


KIND = Integer
