"""One of several strings, or one of several integers with gaps between them."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput
from .. import checks
from ..document import MAX_INTEGER, Document
from ..inputs import Flag, Phrase, Widget
from ..kind import UNSENT, Field, Property, Scalar, Unsent

NOT_SENT = "not sent"


@dataclass(frozen=True)
class Choice(Scalar):
    """One of several strings or integers. Without a default there is a first entry that is not sent."""

    choices: tuple[str, ...] | tuple[int, ...]
    default: str | int | None = None

    @classmethod
    def read(cls, prop: Property) -> Choice | None:
        """Read ``type: string`` with an enum, or ``type: integer`` with one that has gaps."""
        schema = prop.schema
        if schema.get("type") not in ("string", "integer") or "enum" not in schema:
            return None
        if prop.role == "seed" or checks.ends(schema.get("enum")) is not None:
            return None
        schema.only("title description type default enum")
        choices = _words(schema) if schema.get("type") == "string" else _integers(schema)
        default = schema.get("default")
        if not choices or (default is None and NOT_SENT in choices):
            raise schema.fault("enum", "nothing can be chosen")
        if default is not None and not any(checks.same(default, one) for one in choices):
            raise schema.fault("default", "not one of the enum")
        return cls(choices, default if isinstance(default, str | int) else None)

    def widget(self, field: Field) -> Widget:
        """Return a list to choose from."""
        choices = Phrase("choices", {"values": self.choices})
        if self.default is None:
            hints = () if field.required else (Phrase("first_choice_not_sent"),)
            entries = (NOT_SENT, *self.choices)
            return Widget(field.name, entries, {"default": NOT_SENT}, field.required, (choices,), hints)
        facts = (choices, Phrase("default", {"value": self.default}))
        return Widget(field.name, self.choices, {"default": self.default}, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag with one of the choices behind it."""
        kind = type(self.choices[0])
        return Flag(field.name, (field.name,), kind, self.default, choices=self.choices)

    def accept(self, field: Field, value: object) -> str | int | Unsent:
        """Return one of the choices; ``UNSENT`` for the first entry of a list without a default."""
        if self.default is None and value in (None, NOT_SENT):
            if field.required:
                raise InvalidInput(field.name, "not_chosen", choices=", ".join(map(str, self.choices)))
            return UNSENT
        choices: tuple[str | int, ...] = self.choices
        return checks.one_of(field.name, value, choices)


def _words(schema: Document) -> tuple[str, ...]:
    """Return the strings of an enum, which are shown as they are sent."""
    words = schema.texts("enum")
    if not all(map(str.isprintable, words)):
        raise schema.fault("enum", "a choice that cannot be shown")
    return words


def _integers(schema: Document) -> tuple[int, ...]:
    """Return the integers of an enum, which are more than one and have gaps."""
    found = schema.list("enum")
    integers = tuple(one for one in found if type(one) is int and abs(one) <= MAX_INTEGER)
    if len(set(integers)) != len(found):
        raise schema.fault("enum", "not a list of different integers")
    return integers


KIND = Choice
