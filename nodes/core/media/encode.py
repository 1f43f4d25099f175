"""How a reference image travels: the best encoding that fits. Lossless, then JPEG, then a smaller size."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from .pixels import Pixels

WEBP_MAX_SIDE = 16383
JPEG_MAX_SIDE = 65500
MIN_SIDE = 16
_JPEG_QUALITIES = (95, 90, 85)
_WORTH_MORE_EFFORT = 1.3
_HOPELESS = 2.0
_PROOF = 1.2
_RAW_THAT_FITS = 2
_BAND_PERIOD = 64
_BAND = 4
_SMOOTH = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Encoded:
    """A file in memory. ``quality`` is None where nothing is lost; the size, of an image, is the sent one.

    ``original``: it was not made here, but is the file that was given.
    """

    format: str
    quality: int | None
    data: bytes
    width: int
    height: int
    medium: str = "image"
    original: bool = False

    @property
    def mime(self) -> str:
        """The media type of the file."""
        return f"{self.medium}/{self.format.lower()}"

    @property
    def uri(self) -> bytes:
        """The file as a data URI."""
        return b"data:" + self.mime.encode() + b";base64," + b64encode(self.data)

    @property
    def uri_length(self) -> int:
        """How many bytes ``uri`` takes."""
        return len(f"data:{self.mime};base64,") + length_of_base64(len(self.data))


class DoesNotFit(Exception):
    """Nothing takes as few bytes as are allowed: ``limit``. Of other media, ``found`` is how many there are."""

    def __init__(self, limit: int, found: int | None = None) -> None:
        super().__init__(f"nothing fits into {limit} bytes")
        self.limit = limit
        self.found = found


def encode(pixels: Pixels, limit: int, too_large: Encoded | None = None) -> Encoded:
    """Return the best encoding of uint8 ``[H,W,3 or 4]`` that takes at most ``limit`` bytes.

    ``too_large`` is the encoding that a larger limit led to: what it shows to be too large is not tried again.

    Raises:
        DoesNotFit.
    """
    for candidate in _candidates(pixels, limit, too_large):
        if len(candidate.data) <= limit:
            return candidate
    raise DoesNotFit(limit)


def fair_limit(lengths: Sequence[int], total: int) -> int | None:
    """Return the largest length that every item may have so that all fit into ``total``; None if they fit.

    Items below the limit keep their length; only larger ones have to shrink.
    """
    if sum(lengths) <= total:
        return None
    left = total
    ordered = sorted(lengths)
    for position, length in enumerate(ordered):
        share = left // (len(ordered) - position)
        if length > share:
            return share
        left -= length
    raise AssertionError("lengths that add up to more than the total have one above its share")


def length_of_base64(length: int) -> int:
    """Return how many characters stand for so many bytes."""
    return (length + 2) // 3 * 4


def bytes_in_uri(length: int) -> int:
    """Return how many bytes of a file fit into a data URI of ``length`` characters."""
    return max(0, (length - len("data:image/jpeg;base64,")) // 4 * 3)


def _candidates(pixels: Pixels, limit: int, too_large: Encoded | None) -> Iterator[Encoded]:
    image = Image.fromarray(pixels)
    if too_large is None and not _is_hopeless(pixels, limit):
        yield (too_large := _lossless(image, effort=0))
    if too_large and too_large.quality is None and len(too_large.data) <= limit * _WORTH_MORE_EFFORT:
        yield _lossless(image, effort=1)
    flat = image.convert("RGB")
    if max(flat.size) > JPEG_MAX_SIDE:
        factor = JPEG_MAX_SIDE / max(flat.size)
        flat = flat.resize((max(1, int(flat.width * factor)), max(1, int(flat.height * factor))), _SMOOTH)
    smallest = None
    for quality in _JPEG_QUALITIES:
        yield (smallest := _jpeg(flat, quality))
    while smallest is not None and min(smallest.width, smallest.height) > MIN_SIDE:
        # The size of a JPEG goes with its area; 0.95 leaves room for the detail that scaling concentrates.
        factor = min(0.9, math.sqrt(limit / len(smallest.data)) * 0.95)
        size = (max(MIN_SIDE, int(smallest.width * factor)), max(MIN_SIDE, int(smallest.height * factor)))
        yield (smallest := _jpeg(flat.resize(size, _SMOOTH), _JPEG_QUALITIES[-1]))


def _is_hopeless(pixels: Pixels, limit: int) -> bool:
    """Whether a lossless file is sure to be too large, found with a part of the work.

    Its size is estimated from a sixteenth of the rows. Where that is far above the limit, so many of the first rows
    are encoded that they alone should pass it; only if they do, it is sure.
    """
    bands = len(pixels) // _BAND_PERIOD
    if pixels.nbytes <= _RAW_THAT_FITS * limit or not bands:
        return False
    shape = pixels.shape[1:]
    rows = pixels[: bands * _BAND_PERIOD].reshape(bands, _BAND_PERIOD, *shape)[:, :_BAND].reshape(-1, *shape)
    expected = len(_lossless(Image.fromarray(rows), effort=0).data) * len(pixels) / len(rows)
    if expected <= limit * _HOPELESS:
        return False
    part = pixels[: math.ceil(len(pixels) * _PROOF * max(1, limit) / expected)]
    return len(_lossless(Image.fromarray(part), effort=0).data) > limit


def _lossless(image: Image.Image, effort: int) -> Encoded:
    """Encode without loss: effort 0 is the fastest; effort 1 takes twice the time and up to a fifth less space."""
    if max(image.size) > WEBP_MAX_SIDE:
        return _save(image, "PNG", None, compress_level=1 + 5 * effort)
    # In a lossless WebP, quality is the effort to compress, not a loss.
    options = {"lossless": True, "exact": True, "quality": 20 * effort, "method": effort}
    return _save(image, "WebP", None, **options)


def _jpeg(image: Image.Image, quality: int) -> Encoded:
    return _save(image, "JPEG", quality, quality=quality, subsampling=0)


def _save(image: Image.Image, name: str, loss: int | None, **options: object) -> Encoded:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return Encoded(name, loss, buffer.getvalue(), image.width, image.height)
