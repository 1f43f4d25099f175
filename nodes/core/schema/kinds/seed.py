"""The seed of a model's random numbers."""

from __future__ import annotations

from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import INT32_MAX, Field, Property, Scalar


@dataclass(frozen=True)
class Seed(Scalar):
    """A seed in 0..2**31-1. Larger ones that arrive over a link are folded into this range."""

    default: int = 0

    @classmethod
    def read(cls, prop: Property) -> Seed | None:
        """Read the integer that the model file calls the seed."""
        if prop.schema.get("type") != "integer" or prop.role != "seed":
            return None
        prop.schema.only("title description type default")
        return cls(prop.schema.integer("default", 0, low=0, high=INT32_MAX))

    def widget(self, field: Field) -> Widget:
        """Return a number that the page may change after each run."""
        options = {"default": self.default, "min": 0, "max": INT32_MAX, "step": 1, "control_after_generate": True}
        ends = {"low": 0, "high": INT32_MAX}
        facts = (Phrase("kind_integer"), Phrase("range", ends), Phrase("default", {"value": self.default}))
        return Widget(field.name, "INT", options, field.required, facts, (Phrase("seed_wrapped", ends),))

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        return Flag(field.name, (field.name,), int, self.default, "INT")

    def accept(self, field: Field, value: object) -> int:
        """Return a seed, folded into the range."""
        return checks.whole(field.name, value, 0, None) & INT32_MAX


KIND = Seed
