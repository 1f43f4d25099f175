"""How much work a file may make: counted before it is decoded, since nothing can end a decoder from outside.

A small file can hold thousands of scans over millions of pixels, or millions of empty chunks before the first one.
"""

from __future__ import annotations

import io

from ..errors import TooLarge

MAX_PIXELS = 64 * 2**20
# A progressive JPEG has about ten scans, and each visits every pixel: two to three seconds for this many visits.
MAX_VISITS = 16 * MAX_PIXELS
# To begin a scan takes as long as to visit so many pixels.
SCAN_COST = 4096
# Writers put 4 KiB or more into a chunk, and a reader takes up to four looks at each: 128 MiB, in a second.
MAX_READS = 2**18
# Profiles and thumbnails take some MiB at most.
MAX_HEAD_BYTES = 2**24
# What a camera writes takes 64 KiB at most. A table of hostile entries costs the square of its length.
MAX_EXIF_BYTES = 2**18
MAX_EXIF_PARTS = 4
# More than a model makes of one request, whatever it calls an image.
LEAST_FILES = 16
_SCAN = b"\xff\xda"
_EXIF = b"Exif\0\0"


class CountedFile(io.BytesIO):
    """A file in memory that is read ``MAX_READS`` times at most, and its head only so far.

    Raises (``read``):
        TooLarge.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads_left = MAX_READS
        # All of a WebP is its head to Pillow, and nothing of it is read twice.
        self._head = len(data) if data.startswith(b"RIFF") else MAX_HEAD_BYTES

    def end_head(self) -> None:
        """Let the pixels be read."""
        self._head = len(self.getbuffer())

    def read(self, size: int | None = -1) -> bytes:
        """Read, and count it."""
        self._reads_left -= 1
        if self._reads_left < 0 or self.tell() > self._head:
            raise TooLarge("file_takes_too_long")
        return super().read(size)


def check_file_count(found: int, wanted: int) -> None:
    """Refuse a result with many more files than images were asked for.

    Raises:
        TooLarge.
    """
    limit = max(LEAST_FILES, 2 * wanted)
    if found > limit:
        raise TooLarge("too_many_result_files", limit=limit, found=found)


def check_pixels(pixels: int) -> None:
    """Refuse a file by its size in pixels.

    Raises:
        TooLarge.
    """
    if pixels > MAX_PIXELS:
        raise TooLarge("file_has_too_many_pixels", limit=MAX_PIXELS)


def check_head(data: bytes) -> None:
    """Refuse a JPEG whose description would be long to read.

    Raises:
        TooLarge.
    """
    if data.startswith(b"\xff\xd8") and data.count(_EXIF) > MAX_EXIF_PARTS:
        raise TooLarge("file_takes_too_long")


def check_scans(data: bytes, pixels: int) -> None:
    """Refuse a JPEG of so many pixels that would be visited too often. What looks like a scan is counted as one.

    Raises:
        TooLarge.
    """
    if data.startswith(b"\xff\xd8") and data.count(_SCAN) * (pixels + SCAN_COST) > MAX_VISITS:
        raise TooLarge("file_takes_too_long")
