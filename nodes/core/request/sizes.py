"""How large and how long a result is, read from the values of the properties that say so. Pure."""

from __future__ import annotations

import re

from ..schema.document import JSON
from .validate import Arguments

_NUMBER = r"(\d+(?:\.\d+)?)"
_SQUARE = re.compile(rf"{_NUMBER}[Kk]")
_SIDES = re.compile(r"(\d+)\s*[x*\u00d7]\s*(\d+)")
_SECONDS = re.compile(rf"{_NUMBER}s?")


def label(arguments: Arguments) -> str:
    """Return what results have in common that take about as long and cost about as much: ``720p 5 s``."""
    long = seconds(arguments)
    width, height = arguments.role("width"), arguments.role("height")
    sides = f"{width}x{height}" if width and height else ""
    return " ".join(filter(None, [str(arguments.role("size") or ""), sides, "" if long is None else f"{long:g} s"]))


def seconds(arguments: Arguments) -> float | None:
    """Return how long a result is; None where nothing tells, or where the model decides."""
    milliseconds = arguments.role("duration_ms")
    if isinstance(milliseconds, int):
        return milliseconds / 1000
    found = _SECONDS.fullmatch(str(arguments.role("duration")))
    return float(found[1]) if found else None


def pixels(arguments: Arguments) -> int:
    """Return about how many pixels an image has; 0 where nothing tells."""
    width, height = arguments.role("width"), arguments.role("height")
    if isinstance(width, int) and isinstance(height, int):
        return width * height
    return _pixels_of(arguments.role("size"))


def _pixels_of(size: JSON) -> int:
    """Return the pixels of "1024x768", or of "4K", which is as many as 4096x4096 in every aspect ratio."""
    if sides := _SIDES.fullmatch(str(size)):
        return int(sides[1]) * int(sides[2])
    found = _SQUARE.fullmatch(str(size))
    return int((float(found[1]) * 1024) ** 2) if found else 0
