"""The media that a request's addresses stand for, and what the provider asks of such a file."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .document import JSON, MAX_INTEGER, Document

_RULE = re.compile(r"(file_size_mb|width/height|width_pixels|height_pixels) ?([<>]=?)")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FILE_SIZE, _MB = "file_size_mb", 10**6
_MAX_RULE = 80


@dataclass(frozen=True)
class Rule:
    """A measure of a file, and the bound that it keeps: ``width/height`` ``<`` ``16``."""

    measure: str
    sign: str
    bound: float

    def __str__(self) -> str:
        """Write it as the schema does."""
        return f"{self.measure} {self.sign} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether a measured value keeps the bound."""
        return _SIGNS[self.sign](value, self.bound)


@dataclass(frozen=True)
class FileRules:
    """What a schema's ``validations`` ask of a file. ``unknown`` are those that are not checked here."""

    rules: tuple[Rule, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def max_bytes(self) -> int | None:
        """How many bytes a file may have; a megabyte has 10^6. None where nothing bounds it."""
        ends = [rule for rule in self.rules if rule.measure == _FILE_SIZE and rule.sign[0] == "<"]
        sizes = (rule.bound * _MB for rule in ends)
        return min((math.ceil(size) - 1 for size in sizes), default=None)

    def broken(self, width: int, height: int) -> Rule | None:
        """Return the first rule that an image of this size breaks."""
        measured = {"width/height": width / height, "width_pixels": width, "height_pixels": height}
        sizes = (rule for rule in self.rules if rule.measure in measured)
        return next((rule for rule in sizes if not rule.holds(measured[rule.measure])), None)


NO_RULES = FileRules()


@dataclass(frozen=True)
class Medium:
    """What files hold, and the host's type of a socket.

    ``numbered`` is the phrase about one of several sockets. ``reader`` is the module of ``media/inputs`` that reads
    what comes over one, where that is not called as the medium is; ``facts`` are phrases that tell what it does.
    """

    name: str
    type: str
    formats: tuple[str, ...]
    numbered: str
    reader: str = ""
    facts: tuple[str, ...] = ()


IMAGE = Medium("image", "IMAGE", ("image_uri", "image_uris"), "one_reference")
_MASK = Medium("mask", "MASK", IMAGE.formats, "one_reference")
MASK_ROLES = {
    "mask": _MASK,
    "inverted_mask": replace(_MASK, reader="inverted_mask", facts=("mask_inverted",)),
}
"""The roles that make a mask of an image: of the host's, 1.0 is white, or black where the model file says so."""
_MEDIA = (
    IMAGE,
    Medium("video", "VIDEO", ("video_uri", "video_uris"), "one_reference_video"),
    Medium("audio", "AUDIO", ("audio_uri", "audio_uris"), "one_reference_audio"),
)


def medium_of(schema: Document, role: str) -> Medium | None:
    """Return the medium that a property's format names, on the property, on its items or on both; else None.

    An image in a role of ``MASK_ROLES`` is a mask.
    """
    items = schema.object("items", {})
    found = (schema.get("format"), items.get("format"))
    medium = next((medium for medium in _MEDIA if any(one in found for one in medium.formats)), None)
    return MASK_ROLES.get(role, medium) if medium is IMAGE else medium


def file_rules(schema: Document) -> FileRules:
    """Return what the ``validations`` of a property ask of each file."""
    found = schema.list("validations") if "validations" in schema else ()
    rules, unknown = [], []
    for number, one in enumerate(found):
        told = Document(one, f"{schema.at}/validations/{number}")
        name, bound = told.text("validation_rule"), told.get("validation_value")
        rule = _rule(name, bound)
        if rule:
            rules.append(rule)
        else:
            unknown.append(f"{name} {bound}"[:_MAX_RULE])
    return FileRules(tuple(rules), tuple(unknown))


def _rule(name: str, bound: JSON) -> Rule | None:
    known = _RULE.fullmatch(name)
    if not known or isinstance(bound, bool) or not isinstance(bound, int | float):
        return None
    # Compared, not converted: an integer of 400 digits is not a float. NaN is within no bounds.
    if not abs(bound) <= MAX_INTEGER:
        return None
    return Rule(known[1], known[2], bound)
