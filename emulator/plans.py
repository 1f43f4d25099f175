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
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "bin": "application/octet-stream",
}
_OF_MEDIUM = {"video": ("mp4", "mov", "webm"), "audio": ("mp3", "wav", "flac")}
_ENDINGS = {"jpeg": "jpg", "cmyk": "jpg", "exif-rotated": "jpg", "webp": "webp"}
_MAGIC = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"RIFF", "webp"), (b"GIF8", "gif"), (b"ID3", "mp3"))


@dataclass(frozen=True)
class Plan:
    """One file to be made."""

    index: int
    total: int
    make: str
    ending: str
    size: tuple[int, int] | None = None
    content: bytes | None = None
    medium: str = "image"
    padding: int = 0
    """Bytes of nothing behind an MP4: they are sent, and never held in memory."""

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
    medium = (outcome.medium if outcome else None) or asked.output
    make = (outcome.format if outcome else None) or asked.make
    count = outcome.images if outcome and outcome.images is not None else asked.count
    sizes: Sequence[tuple[int, int] | None] = (outcome.sizes if outcome else None) or [None] * count
    ending, padding = _ending(medium, make), (outcome.padding if outcome else None) or 0
    return [
        Plan(index, len(sizes), make, ending, size=size, medium=medium, padding=padding)
        for index, size in enumerate(sizes)
    ]


def _ending(medium: str, make: str) -> str:
    """Return the ending of a file: of a video or sound, the one that the wished format names, also as mp3_44100."""
    if medium == "image":
        return _ENDINGS.get(make, "png")
    known = _OF_MEDIUM[medium]
    return next((ending for ending in known if ending in make.lower()), known[0])


def frame_size(ratio: str) -> tuple[int, int]:
    """Return (width, height) of a video in pixels: small, and even."""
    width, height = image_size(ratio, "0.5K")
    return max(32, width // 4 * 2), max(32, height // 4 * 2)


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
