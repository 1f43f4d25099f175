"""A string of any content."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput
from .. import checks
from ..inputs import Flag, Phrase, Widget
from ..kind import UNSENT, Field, Property, Scalar, Unsent


@dataclass(frozen=True)
class Text(Scalar):
    """A string. ``sample`` is the schema's example for a required one; it is shown and never sent."""

    default: str = ""
    sample: str = ""
    multiline: bool = False
    most: int | None = None

    @classmethod
    def read(cls, prop: Property) -> Text | None:
        """Read ``type: string`` without an enum or a format."""
        schema = prop.schema
        if schema.get("type") != "string" or "enum" in schema or "format" in schema:
            return None
        schema.only("title description type default maxLength")
        given, most = schema.text("default", ""), schema.integer("maxLength", 0, low=0) or None
        # The default of a required string, and of a prompt, is a sample, not a value to bill a user for.
        if prop.required or prop.role == "prompt":
            return cls(sample=given, multiline=prop.prose, most=most)
        return cls(given, multiline=prop.prose, most=most)

    def widget(self, field: Field) -> Widget:
        """Return a text box, with the sample where nothing is written yet."""
        sample = {"placeholder": self.sample} if self.sample else {}
        options = {"default": self.default, "multiline": self.multiline, **sample}
        needed = (Phrase("required"),) if field.required else ()
        length = (Phrase("max_length", {"count": self.most}),) if self.most else ()
        hints = (Phrase("not_sent_when_empty"),) if self._may_be_left_out(field) else ()
        facts = (Phrase("kind_text"), *needed, *length)
        return Widget(field.name, "STRING", options, field.required, facts, hints)

    def flag(self, field: Field) -> Flag:
        """Return a flag with a text behind it."""
        return Flag(field.name, (field.name,), default=self.default, metavar="TEXT", required=field.required)

    def accept(self, field: Field, value: object) -> str | Unsent:
        """Return the text as it was written; a required one is not blank, another empty one is not sent."""
        text = checks.text(field.name, value)
        if field.required and not text.strip():
            raise InvalidInput(field.name, "empty")
        if self.most is not None and len(text) > self.most:
            raise InvalidInput(field.name, "text_too_long", limit=self.most, found=len(text))
        return UNSENT if not text and self._may_be_left_out(field) else text

    def _may_be_left_out(self, field: Field) -> bool:
        """Whether an empty text means none: with a default, it means a text that is empty."""
        return not field.required and not self.default


KIND = Text
