"""Which files a job will bring: how many, of what make and size, under what names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .asked import Asked
from .faults import Fault

RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")
SIDES = {"0.5K": 512, "1K": 1024, "2K": 2048, "4K": 4096}

_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bin": "application/octet-stream",
}
_ENDINGS = {"jpeg": "jpg", "cmyk": "jpg", "exif-rotated": "jpg", "webp": "webp"}
_MAGIC = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"RIFF", "webp"), (b"GIF8", "gif"))


@dataclass(frozen=True)
class Plan:
    """One file to be made."""

    index: int
    total: int
    make: str
    ending: str
    size: tuple[int, int] | None = None
    content: bytes | None = None

    @property
    def name(self) -> str:
        """The file's name as it stands in the URL; the first one of a job holds percent-encoded text."""
        stem = "a%20b%2Bc-0" if self.index == 0 else str(self.index)
        return f"{stem}.{self.ending}"

    @property
    def content_type(self) -> str:
        return _TYPES[self.ending]


def make_plans(asked: Asked, outcome: Fault | None) -> list[Plan]:
    """Decide a job's files from what is asked and from what befalls it."""
    if outcome is not None and (outcome.blocked or outcome.fails is not None):
        return []
    if outcome is not None and outcome.files is not None:
        return [
            Plan(index, len(outcome.files), "exact", _ending_of(file), content=file)
            for index, file in enumerate(outcome.files)
        ]
    make = (outcome.format if outcome else None) or asked.make
    count = outcome.images if outcome and outcome.images is not None else asked.count
    sizes: Sequence[tuple[int, int] | None] = (outcome.sizes if outcome else None) or [None] * count
    return [Plan(index, len(sizes), make, _ENDINGS.get(make, "png"), size=size) for index, size in enumerate(sizes)]


def image_size(ratio: str, resolution: str) -> tuple[int, int]:
    """Return (width, height) in pixels: the area is that of the resolution's square, each side a multiple of 16.

    What is not a named ratio counts as 1:1, what is not a named resolution as 1K.
    """
    side = SIDES.get(resolution, 1024)
    across, down = map(int, (ratio if ratio in RATIOS else "1:1").split(":"))
    stretch = math.sqrt(across / down)
    return max(16, round(side * stretch / 16) * 16), max(16, round(side / stretch / 16) * 16)


def nearest_ratio(width: int, height: int) -> str:
    """Return the named ratio nearest to an image's own, measured as a factor."""

    def distance(name: str) -> float:
        across, down = map(int, name.split(":"))
        return abs(math.log(width / height * down / across))

    return min(RATIOS, key=distance)


def _ending_of(file: bytes) -> str:
    return next((ending for magic, ending in _MAGIC if file.startswith(magic)), "bin")
