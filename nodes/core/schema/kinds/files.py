"""An array of images, videos or sounds: a socket for each, and their addresses by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ...texts import note
from .. import checks
from ..document import JSON
from ..inputs import Flag, Phrase, Socket, Widget, rule_phrases
from ..kind import UNSENT, Field, Given, Kind, Property, Unsent
from ..media import NO_RULES, FileRules, Medium, file_rules, medium_of
from ..names import address_of, stem_of

MAX_SOCKETS = 64
USUAL_SOCKETS = 16
"""How many there are where a schema does not say."""


@dataclass(frozen=True)
class Files(Kind):
    """``minimum``..``maximum`` files: first those of the sockets, by number, then those of the addresses, by line.

    Any of the inputs may hold them, so none of these is required on its own.
    """

    medium: Medium
    minimum: int
    maximum: int
    rules: FileRules = NO_RULES

    @classmethod
    def read(cls, prop: Property) -> Files | None:
        """Read ``type: array`` whose items are addresses of files."""
        schema = prop.schema
        medium = medium_of(schema, prop.role) if schema.get("type") == "array" else None
        if medium is None:
            return None
        schema.only("title description type default items minItems maxItems format validations")
        # A required array without a lower end is asked for because the model needs what is in it.
        low = schema.integer("minItems", int(prop.required), low=0)
        high = schema.integer("maxItems", max(low, USUAL_SOCKETS), low=max(low, 1), high=MAX_SOCKETS)
        # A default is a sample: shown in the box, it would look like a value.
        schema.texts("default", ())
        return cls(medium, low, high, file_rules(schema))

    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:
        """Return the sockets, then the text box for addresses."""
        stem, told = stem_of(field.name), (Phrase(self.medium.numbered, {"count": self.maximum}),)
        kind, medium, reader = self.medium.type, self.medium.name, self.medium.reader
        sockets = (
            Socket(f"{stem}_{number}", kind, medium, stem, number, hints=told, rules=self.rules, reader=reader)
            for number in range(1, self.maximum + 1)
        )
        options = {"default": "", "multiline": True}
        ends = {"min_items": self.minimum, "max_items": self.maximum}
        counts = (Phrase(key, {"count": count}) for key, count in ends.items() if count)
        facts = (Phrase("kind_text"), *counts, *map(Phrase, self.medium.facts), *rule_phrases(self.rules))
        return (*sockets, Widget(_address(field), "STRING", options, facts=facts))

    def flags(self, field: Field) -> tuple[Flag, ...]:
        """Return a flag for files and one for addresses, both to be repeated."""
        name, address = stem_of(field.name), _address(field)
        sockets, medium = tuple(socket.name for socket in field.sockets), self.medium.name
        return (
            Flag(name, sockets, metavar="FILE", repeated=True, medium=medium, address=address),
            Flag(address, (address,), metavar="URL", repeated=True),
        )

    def check(self, field: Field, given: Given) -> JSON:
        """Return the addresses, once their number and that of what the sockets bring is within the limits."""
        address = _address(field)
        urls = checks.addresses(address, given.values.get(address, ""), given.local_origin)
        count = self.count(field, urls, given)
        if not count and field.required and self.minimum:
            medium = note(f"medium.{self.medium.name}")
            raise InvalidInput(address, "reference_missing", medium=medium, first=field.sockets[0].name)
        least = self.minimum if count else 0
        if not least <= count <= self.maximum:
            limits = {"minimum": self.minimum, "maximum": self.maximum}
            first, *_, last = [socket.name for socket in field.sockets] * 2
            raise InvalidInput(address, "reference_count", **limits, given=count, first=first, last=last)
        return urls

    def count(self, field: Field, value: object, given: Given) -> int:
        """Return how many files there are."""
        addresses = value if isinstance(value, tuple) else ()
        return sum(given.counts.get(socket.name, 0) for socket in field.sockets) + len(addresses)

    def body(self, field: Field, value: Any, files: Sequence[object]) -> list[object] | Unsent:
        """Return what the sockets brought, then the addresses."""
        found = [*files, *value]
        return found if found or field.required else UNSENT


def _address(field: Field) -> str:
    return address_of(field.name, several=True)


KIND = Files
