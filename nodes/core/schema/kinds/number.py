"""A number within bounds, which need not be whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import UNSENT, Field, Property, Scalar, Unsent, stand_in

_MOST_DECIMALS = 6
_STEPS_OF_A_RANGE = 50


@dataclass(frozen=True)
class Number(Scalar):
    """A number, both bounds included. An optional one without a default may be left unsent."""

    minimum: float
    maximum: float
    default: float | None

    @classmethod
    def read(cls, prop: Property) -> Number | None:
        """Read ``type: number``, which some schemas call ``float``."""
        schema = prop.schema
        if schema.get("type") not in ("number", "float"):
            return None
        schema.only("title description type default minimum maximum")
        low = schema.number("minimum")
        high = schema.number("maximum", low=low)
        if "default" not in schema and not prop.required:
            return cls(low, high, None)
        return cls(low, high, schema.number("default", low, low=low, high=high))

    @property
    def step(self) -> float:
        """The largest of 0.1, 0.01 .. that has enough steps in the range and meets its ends and the default."""
        steps = (10.0**-digits for digits in range(1, _MOST_DECIMALS + 1))
        return next(step for step in steps if self._suits(step))

    def widget(self, field: Field) -> Widget:
        """Return a number with steps that suit its range."""
        ends = {"low": f"{self.minimum:g}", "high": f"{self.maximum:g}"}
        facts = (Phrase("kind_number"), Phrase("range", ends))
        if self.default is None:
            low = float(stand_in(self.minimum))
            options = {"default": low, "min": low, "max": self.maximum, "step": self.step}
            hints = (Phrase("not_sent", {"value": f"{low:g}"}),)
            return Widget(field.name, "FLOAT", options, field.required, facts, hints)
        options = {"default": self.default, "min": self.minimum, "max": self.maximum, "step": self.step}
        default = Phrase("default", {"value": f"{self.default:g}"})
        return Widget(field.name, "FLOAT", options, field.required, (*facts, default))

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        metavar = f"{self.minimum:g}..{self.maximum:g}"
        return Flag(field.name, (field.name,), float, self.default, metavar)

    def accept(self, field: Field, value: object) -> float | Unsent:
        """Return a number within the bounds; ``UNSENT`` for the one that stands for none."""
        if self.default is None and value in (None, stand_in(self.minimum)):
            return UNSENT
        return checks.number(field.name, value, self.minimum, self.maximum)

    def _suits(self, step: float) -> bool:
        decimals = round(-math.log10(step))
        default = self.minimum if self.default is None else self.default
        met = all(round(one, decimals) == one for one in (self.minimum, self.maximum, default))
        return decimals == _MOST_DECIMALS or (met and self.maximum - self.minimum >= _STEPS_OF_A_RANGE * step)


KIND = Number
