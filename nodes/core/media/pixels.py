"""Files -> pixels, with NumPy and Pillow alone: a shell has no tensors."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
from base64 import b64decode
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import FETCH_AGAIN, TooLarge, Undecodable, step
from .bounds import MAX_EXIF_BYTES, MAX_PIXELS, CountedFile, check_head, check_pixels, check_scans
from .file_type import AUDIO, IMAGE, VIDEO

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

MORE_MEMORY = (step("free_memory"), FETCH_AGAIN)
_INLINE = (f"{IMAGE}/", f"{VIDEO}/", f"{AUDIO}/")
_FORMATS = ("PNG", "JPEG", "WEBP")
_ORIENTATION = 0x0112
_EXIF_NAMES = ("exif", "Raw profile type exif")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def content_hash(pixels: Pixels) -> str:
    """Return a hash of the shape and of every pixel, the same in every process."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def decode_inline(media_type: str, payload: str, max_bytes: int) -> bytes:
    """Return the bytes of a data URI, given what stands before its comma (``image/png;base64``) and behind it.

    Raises:
        Undecodable: not an image, a video or a sound in base64. TooLarge: more than ``max_bytes``.
    """
    if not media_type.startswith(_INLINE) or not media_type.endswith(";base64"):
        raise Undecodable("inline_not_media")
    if len(payload) > max_bytes * 4 // 3 + 4:
        raise TooLarge("inline_too_large", limit_bytes=max_bytes)
    try:
        return b64decode(payload, validate=True)
    except ValueError:
        raise Undecodable("inline_damaged") from None


def read_image(data: bytes) -> tuple[Pixels, bool]:
    """Return a person's image file as uint8 ``[H,W,3 or 4]``, and whether its pixels stood upright in it.

    Raises:
        Undecodable: not whole, or of a type that Pillow does not read. TooLarge.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            check_pixels(image.width * image.height)
            turned = upright(image)
            plain = turned.convert("RGBA") if turned.has_transparency_data else to_rgb(turned)
            return np.asarray(plain), turned is image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge("file_has_too_many_pixels", limit=MAX_PIXELS) from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Undecodable("file_undecodable", error=type(error).__name__) from None


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """Open the file of an image, whose pixels are not decoded yet; what is wrong with them is told as well.

    Raises:
        Undecodable: not a complete PNG, JPEG or WebP.
        TooLarge: more than ``MAX_PIXELS`` pixels, or too much work or memory.
    """
    with _open(data) as image:
        try:
            yield image
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise Undecodable("file_undecodable", error=type(error).__name__) from None
        except MemoryError:
            raise TooLarge("no_memory_left", next=MORE_MEMORY) from None


class WholeImages:
    """Looks at every pixel of files and keeps none: what is handed on of a whole one is its number."""

    def __init__(self) -> None:
        self._whole: set[int] = set()

    def decode(self, index: int, data: bytes) -> None:
        """Decode file number ``index`` (from 0).

        Raises:
            Undecodable, TooLarge: as ``opened``.
        """
        with opened(data) as image:
            image.load()
        self._whole.add(index)

    def batches(self) -> list[list[int]]:
        """Return a batch of one for each whole file."""
        return [[index] for index in sorted(self._whole)]


def _open(data: bytes) -> Image.Image:
    check_head(data)
    file = CountedFile(data)
    try:
        image = Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge("file_has_too_many_pixels", limit=MAX_PIXELS) from None
    except MemoryError:
        raise TooLarge("no_memory_left", next=MORE_MEMORY) from None
    except (OSError, ValueError, SyntaxError):
        raise Undecodable("file_not_an_image") from None
    file.end_head()
    try:
        pixels = image.width * image.height
        check_pixels(pixels)
        check_scans(data, pixels)
    except TooLarge:
        image.close()
        raise
    return image


def upright(image: Image.Image) -> Image.Image:
    """Decode an image and turn it as its EXIF says.

    ``ImageOps.exif_transpose`` is not used: it writes all tags again, so one damaged tag would cost the image.
    """
    image.load()
    if any(len(image.info.get(name, "")) > MAX_EXIF_BYTES for name in _EXIF_NAMES):
        return image
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, EOFError, ValueError, TypeError, LookupError, struct.error):
        return image
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """Reduce to 8-bit RGB; alpha is dropped, as the host's own loader does."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "P":
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")
