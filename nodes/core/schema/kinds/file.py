"""One image, mask, video or sound: a socket, or its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from .. import checks
from ..document import JSON
from ..inputs import Flag, Phrase, Socket, Widget, rule_phrases
from ..kind import UNSENT, Field, Given, Kind, Property, Unsent
from ..media import NO_RULES, FileRules, Medium, file_rules, medium_of
from ..names import address_of, stem_of, without_number


@dataclass(frozen=True)
class File(Kind):
    """One file: what its socket brought, else the address; never both.

    Either input may hold it, so none of the two is required on its own.
    """

    medium: Medium
    rules: FileRules = NO_RULES

    @classmethod
    def read(cls, prop: Property) -> File | None:
        """Read ``type: string`` whose format is the address of a file."""
        schema = prop.schema
        if schema.get("type") != "string" or "enum" in schema:
            return None
        medium = medium_of(schema, prop.role)
        if medium is None:
            return None
        schema.only("title description type default format validations")
        # A default is a sample: shown in the box, it would look like a value.
        schema.text("default", "")
        return cls(medium, file_rules(schema))

    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:
        """Return the socket, then the address."""
        name = stem_of(field.name)
        stem, number = without_number(name)
        needed = (Phrase("required"),) if field.required else ()
        medium, told = self.medium, map(Phrase, self.medium.facts)
        facts = (Phrase(f"kind_{medium.name}"), *needed, *told, *rule_phrases(self.rules))
        socket = Socket(
            name, medium.type, medium.name, stem, number, facts=facts, rules=self.rules, reader=medium.reader
        )
        hints = (Phrase("address_or_socket"),)
        address = _address(field)
        return socket, Widget(address, "STRING", {"default": ""}, False, (Phrase("kind_address"),), hints)

    def flags(self, field: Field) -> tuple[Flag, ...]:
        """Return a flag for a file and one for its address."""
        name, address = stem_of(field.name), _address(field)
        return (
            Flag(name, (name,), metavar="FILE", medium=self.medium.name, address=address),
            Flag(address, (address,), default="", metavar="URL"),
        )

    def check(self, field: Field, given: Given) -> JSON | Unsent:
        """Return the address; ``UNSENT`` where there is none."""
        socket, address = stem_of(field.name), _address(field)
        urls = checks.addresses(address, given.values.get(address, ""), given.local_origin)
        count = given.counts.get(socket, 0)
        for name, found in ((socket, count), (address, len(urls))):
            if found > 1:
                raise InvalidInput(name, "one_file", given=found)
        if count and urls:
            raise InvalidInput(address, "both_given", first=socket)
        if field.required and not count and not urls:
            raise InvalidInput(socket, "file_missing", last=address)
        return urls[0] if urls else UNSENT

    def count(self, field: Field, value: object, given: Given) -> int:
        """Return 1 where the file is given."""
        return given.counts.get(stem_of(field.name), 0) + super().count(field, value, given)

    def body(self, field: Field, value: Any, files: Sequence[object]) -> Any:  # noqa: ARG002
        """Return what the socket brought, else the address."""
        return files[0] if files else value


def _address(field: Field) -> str:
    return address_of(field.name, several=False)


KIND = File
