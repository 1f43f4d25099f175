"""An array of images: a socket for each, and their addresses by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from .. import checks
from ..document import JSON, Document
from ..inputs import Flag, Phrase, Socket, Widget
from ..kind import UNSENT, Field, Given, Kind, Property, Unsent
from ..names import address_of, stem_of

_MEDIUM, _TYPE = "image", "IMAGE"
_FORMATS = ("image_uri", "image_uris")
MAX_SOCKETS = 64


@dataclass(frozen=True)
class Images(Kind):
    """``minimum``..``maximum`` images: first those of the sockets, by number, then those of the addresses, by line.

    Any of the inputs may hold them, so none of these is required on its own.
    """

    minimum: int
    maximum: int
    sample: tuple[str, ...] = ()

    @classmethod
    def read(cls, prop: Property) -> Images | None:
        """Read ``type: array`` whose items are addresses of images."""
        schema = prop.schema
        if schema.get("type") != "array" or not _holds_images(schema):
            return None
        schema.only("title description type default items minItems maxItems format")
        low = schema.integer("minItems", 0, low=0)
        high = schema.integer("maxItems", low=max(low, 1), high=MAX_SOCKETS)
        return cls(low, high, schema.texts("default", ()))

    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:
        """Return the sockets, then the text box for addresses."""
        stem, told = stem_of(field.name), (Phrase("one_reference", {"count": self.maximum}),)
        sockets = (
            Socket(f"{stem}_{number}", _TYPE, _MEDIUM, stem, number, hints=told)
            for number in range(1, self.maximum + 1)
        )
        sample = {"placeholder": "\n".join(self.sample)} if self.sample else {}
        options = {"default": "", "multiline": True, **sample}
        ends = {"min_items": self.minimum, "max_items": self.maximum}
        facts = (Phrase("kind_text"), *(Phrase(key, {"count": count}) for key, count in ends.items() if count))
        return (*sockets, Widget(_address(field), "STRING", options, facts=facts))

    def flags(self, field: Field) -> tuple[Flag, ...]:
        """Return a flag for files and one for addresses, both to be repeated."""
        sockets = tuple(socket.name for socket in field.sockets)
        return (
            Flag(stem_of(field.name), sockets, metavar="FILE", repeated=True, medium=_MEDIUM),
            Flag(_address(field), (_address(field),), metavar="URL", repeated=True),
        )

    def check(self, field: Field, given: Given) -> JSON:
        """Return the addresses, once their number and that of the sockets' images is within the limits."""
        address = _address(field)
        urls = checks.addresses(address, given.values.get(address, ""), given.local_origin)
        names = [socket.name for socket in field.sockets]
        count = sum(given.counts.get(name, 0) for name in names) + len(urls)
        if not self.minimum <= count <= self.maximum:
            limits = {"minimum": self.minimum, "maximum": self.maximum}
            raise InvalidInput(address, "reference_count", **limits, given=count, first=names[0], last=names[-1])
        return urls

    def body(self, field: Field, value: Any, files: Sequence[object]) -> list[object] | Unsent:
        """Return the sockets' images, then the addresses."""
        images = [*files, *value]
        return images if images or field.required else UNSENT


def _address(field: Field) -> str:
    return address_of(field.name, several=True)


def _holds_images(schema: Document) -> bool:
    """Whether the format, which may stand on the property, on its items or on both, is that of images."""
    items = schema.object("items", {})
    return schema.get("format") in _FORMATS or items.get("format") in _FORMATS


KIND = Images
