"""A string of any content."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput
from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import Field, Property, Scalar


@dataclass(frozen=True)
class Text(Scalar):
    """A string. ``sample`` is the schema's example for a required one; it is shown and never sent."""

    default: str = ""
    sample: str = ""
    multiline: bool = False

    @classmethod
    def read(cls, prop: Property) -> Text | None:
        """Read ``type: string`` without an enum or a format."""
        schema = prop.schema
        if schema.get("type") != "string" or "enum" in schema or "format" in schema:
            return None
        schema.only("title description type default")
        given = schema.text("default", "")
        # The default of a required string is a sample prompt, not a value to bill a user for.
        return cls(sample=given, multiline=prop.prose) if prop.required else cls(given, multiline=prop.prose)

    def widget(self, field: Field) -> Widget:
        """Return a text box, with the sample where nothing is written yet."""
        sample = {"placeholder": self.sample} if self.sample else {}
        options = {"default": self.default, "multiline": self.multiline, **sample}
        facts = (Phrase("kind_text"), Phrase("required")) if field.required else (Phrase("kind_text"),)
        return Widget(field.name, "STRING", options, field.required, facts)

    def flag(self, field: Field) -> Flag:
        """Return a flag with a text behind it."""
        return Flag(field.name, (field.name,), default=self.default, metavar="TEXT", required=field.required)

    def accept(self, field: Field, value: object) -> str:
        """Return the text as it was written; a required one is not blank."""
        text = checks.text(field.name, value)
        if field.required and not text.strip():
            raise InvalidInput(field.name, "empty")
        return text


KIND = Text
