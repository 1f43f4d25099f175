"""The pack's own inputs: after the schema's, never sent."""

from __future__ import annotations

from dataclasses import dataclass

from . import checks
from .inputs import Flag, Phrase, Widget
from .kind import INT32_MAX, Field, Property, Scalar
from .kinds.choice import Choice

RERUN_SEED = "rerun_seed"
ON_FAILURE = "on_failure"
STOP, SKIP = "stop", "skip"


@dataclass(frozen=True)
class RerunSeed(Scalar):
    """A number of which each other one is a new take, where the model has no seed for this."""

    default: int = 0

    @classmethod
    def read(cls, prop: Property) -> None:
        """Read nothing: no schema has it."""

    def widget(self, field: Field) -> Widget:
        """Return a number that the page leaves alone: a control after it would add a value to saved workflows."""
        facts = (
            Phrase("kind_integer"),
            Phrase("range", {"low": 0, "high": INT32_MAX}),
            Phrase("default", {"value": self.default}),
        )
        return Widget(
            field.name, "INT", {"default": self.default, "min": 0, "max": INT32_MAX, "step": 1}, facts=facts
        )

    def flag(self, field: Field) -> Flag:
        """Return a flag with a number behind it."""
        return Flag(field.name, (field.name,), int, self.default, "INT")

    def accept(self, field: Field, value: object) -> int:
        """Return a number of 0 or more, folded where it is too long to be written into a fingerprint."""
        return checks.whole(field.name, value, 0, None) & _WRITABLE


@dataclass(frozen=True)
class OnFailure(Choice):
    """What becomes of the other items of a list when one fails. A shell has one item: it needs no flag."""

    choices: tuple[str, ...] = (STOP, SKIP)
    default: str = STOP

    @classmethod
    def read(cls, prop: Property) -> None:
        """Read nothing: no schema has it."""

    def flags(self, field: Field) -> tuple[Flag, ...]:  # noqa: ARG002
        """Return none."""
        return ()


# Python writes no number of more than 4,300 digits.
_WRITABLE = 2**1024 - 1

RERUN = Field(RERUN_SEED, RerunSeed())
FAILURE = Field(ON_FAILURE, OnFailure(), rare=True)
