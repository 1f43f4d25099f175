"""The seed of a model's random numbers."""

from __future__ import annotations

from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import INT32_MAX, UNSENT, Field, Property, Scalar, Unsent

_RANDOM = -1


@dataclass(frozen=True)
class Seed(Scalar):
    """A seed in ``minimum``..``maximum``. Larger ones that arrive over a link are folded into this range.

    Where the default is -1, the model picks a seed if none is sent, and -1 is not sent.
    """

    default: int = 0
    minimum: int = 0
    maximum: int = INT32_MAX

    @classmethod
    def read(cls, prop: Property) -> Seed | None:
        """Read the integer that the model file calls the seed."""
        schema = prop.schema
        if schema.get("type") != "integer" or prop.role != "seed":
            return None
        schema.only("title description type default minimum maximum")
        low = max(schema.integer("minimum", 0, high=INT32_MAX), 0)
        high = min(schema.integer("maximum", INT32_MAX, low=low), INT32_MAX)
        default = schema.integer("default", low if prop.required else _RANDOM, low=_RANDOM, high=high)
        if prop.required and default == _RANDOM:
            raise schema.fault("default", "a seed that has to be sent is 0 or more")
        if _RANDOM < default < low:
            raise schema.fault("default", "out of range")
        return cls(default, low, high)

    @property
    def _least(self) -> int:
        return min(self.default, self.minimum) if self.default == _RANDOM else self.minimum

    def widget(self, field: Field) -> Widget:
        """Return a number that the page may change after each run."""
        ends = {"low": self._least, "high": self.maximum}
        bounds = {"min": self._least, "max": self.maximum, "step": 1}
        facts = (Phrase("kind_integer"), Phrase("range", ends), Phrase("default", {"value": self.default}))
        random = (Phrase("seed_minus_one"),) if self.default == _RANDOM else ()
        hints = (*random, Phrase("seed_wrapped", {**ends, "low": self.minimum}))
        options = {"default": self.default, **bounds, "control_after_generate": True}
        return Widget(field.name, "INT", options, field.required, facts, hints)

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        return Flag(field.name, (field.name,), int, self.default, "INT")

    def accept(self, field: Field, value: object) -> int | Unsent:
        """Return a seed, folded into the range; ``UNSENT`` for the -1 that stands for none."""
        seed = checks.whole(field.name, value, self._least, None)
        if seed < self.minimum:
            return UNSENT
        return self.minimum + (seed - self.minimum) % (self.maximum - self.minimum + 1)


KIND = Seed
