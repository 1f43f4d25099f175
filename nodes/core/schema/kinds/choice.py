"""One of several strings."""

from __future__ import annotations

from dataclasses import dataclass

from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import Field, Property, Scalar


@dataclass(frozen=True)
class Choice(Scalar):
    """One of several strings."""

    choices: tuple[str, ...]
    default: str

    @classmethod
    def read(cls, prop: Property) -> Choice | None:
        """Read ``type: string`` with an enum."""
        schema = prop.schema
        if schema.get("type") != "string" or "enum" not in schema:
            return None
        schema.only("title description type default enum")
        choices = schema.texts("enum")
        default = schema.text("default", choices[0] if choices else "")
        if default not in choices:
            raise schema.fault("default", "not one of the enum")
        return cls(choices, default)

    def widget(self, field: Field) -> Widget:
        """Return a list to choose from."""
        facts = (Phrase("choices", {"values": self.choices}), Phrase("default", {"value": self.default}))
        return Widget(field.name, self.choices, {"default": self.default}, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag with one of the strings behind it."""
        return Flag(field.name, (field.name,), default=self.default, choices=self.choices)

    def accept(self, field: Field, value: object) -> str:
        """Return one of the strings."""
        return checks.one_of(field.name, value, self.choices)


KIND = Choice
