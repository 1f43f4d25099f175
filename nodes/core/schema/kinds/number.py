"""A number within bounds, which need not be whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import Field, Property, Scalar

_MOST_DECIMALS = 6
_STEPS_OF_A_RANGE = 50


@dataclass(frozen=True)
class Number(Scalar):
    """A number, both bounds included."""

    minimum: float
    maximum: float
    default: float

    @classmethod
    def read(cls, prop: Property) -> Number | None:
        """Read ``type: number``, which some schemas call ``float``."""
        schema = prop.schema
        if schema.get("type") not in ("number", "float"):
            return None
        schema.only("title description type default minimum maximum")
        low = schema.number("minimum")
        high = schema.number("maximum", low=low)
        return cls(low, high, schema.number("default", low, low=low, high=high))

    @property
    def step(self) -> float:
        """The largest of 0.1, 0.01 .. that has enough steps in the range and meets its ends and the default."""
        steps = (10.0**-digits for digits in range(1, _MOST_DECIMALS + 1))
        return next(step for step in steps if self._suits(step))

    def widget(self, field: Field) -> Widget:
        """Return a number with steps that suit its range."""
        bounds = {"min": self.minimum, "max": self.maximum, "step": self.step}
        facts = (
            Phrase("kind_number"),
            Phrase("range", {"low": f"{self.minimum:g}", "high": f"{self.maximum:g}"}),
            Phrase("default", {"value": f"{self.default:g}"}),
        )
        return Widget(field.name, "FLOAT", {"default": self.default, **bounds}, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        metavar = f"{self.minimum:g}..{self.maximum:g}"
        return Flag(field.name, (field.name,), float, self.default, metavar)

    def accept(self, field: Field, value: object) -> float:
        """Return a number within the bounds."""
        return checks.number(field.name, value, self.minimum, self.maximum)

    def _suits(self, step: float) -> bool:
        decimals = round(-math.log10(step))
        met = all(round(one, decimals) == one for one in (self.minimum, self.maximum, self.default))
        return decimals == _MOST_DECIMALS or (met and self.maximum - self.minimum >= _STEPS_OF_A_RANGE * step)


KIND = Number
