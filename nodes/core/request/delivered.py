"""What came, compared with what was asked for. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from ..schema.outputs import DEFAULT_OUTPUT, output_of
from ..texts import Note, note
from .request import Request

# Of a model's nominal sizes: "1K" in 16:9 is 1376x768 at one, 1344x768 at another; the next has four times more.
_RATIO_TOLERANCE = math.log(1.1)
_PIXELS_TOLERANCE = math.log(1.9)
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)\s*[:x/]\s*(\d+(?:\.\d+)?)")


def differences(request: Request, count: int, sizes: Iterable[tuple[int, int]]) -> tuple[Note, ...]:
    """Return what is to be told of ``count`` files of a request, and of images of these sizes (width, height)."""
    wanted = request.images_wanted
    told = [] if count == wanted else [_of_count(count, wanted, output_of(request.output).medium)]
    for width, height in dict.fromkeys(sizes):
        found = _of(request, width, height)
        told += [note(kind, width=width, height=height, wanted=wanted_so) for kind, wanted_so in found]
    return tuple(told)


def _of_count(count: int, wanted: int, medium: str) -> Note:
    fewer = "note.fewer_images" if medium == DEFAULT_OUTPUT else "note.fewer_files"
    return note(fewer if count < wanted else "note.more_images", count=count, wanted=wanted)


def _of(request: Request, width: int, height: int) -> Iterable[tuple[str, str]]:
    """Yield what of an image's size is another than was asked for."""
    ratio = _ratio(request.shape)
    if ratio and abs(math.log(width / height / ratio)) > _RATIO_TOLERANCE:
        yield "note.other_shape", request.shape
    pixels = request.pixels_expected / request.images_wanted
    if pixels and abs(math.log(width * height / pixels)) > _PIXELS_TOLERANCE:
        yield "note.other_size", request.new_job.size


def _ratio(shape: str) -> float | None:
    """Return width by height of "16:9"; None where it leaves the ratio to the model."""
    found = _SHAPE.fullmatch(shape)
    return float(found[1]) / float(found[2]) if found and float(found[1]) and float(found[2]) else None
