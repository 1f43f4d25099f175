"""Image files of every make that a client may meet."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

_EXIF_ORIENTATION = 0x0112
_TURN_RIGHT = 6


def encode(image: Image.Image, make: str) -> bytes:
    """Write an RGB image as a file of this make; speed goes before size. Unknown makes become PNG."""
    into = io.BytesIO()
    if make in ("jpeg", "cmyk"):
        (image.convert("CMYK") if make == "cmyk" else image).save(into, "JPEG", quality=92)
    elif make == "exif-rotated":
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = _TURN_RIGHT
        image.transpose(Image.Transpose.ROTATE_90).save(into, "JPEG", quality=92, exif=exif)
    elif make == "webp":
        image.save(into, "WEBP", quality=90, method=0)
    else:
        _as_mode(image, make).save(into, "PNG", compress_level=1)
    return into.getvalue()


def _as_mode(image: Image.Image, make: str) -> Image.Image:
    if make == "palette":
        return image.quantize(64)
    if make == "gray":
        return image.convert("L")
    if make == "png16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if make == "rgba":
        fading = image.convert("RGBA")
        fading.putalpha(Image.linear_gradient("L").resize(image.size))
        return fading
    return image


def bomb() -> bytes:
    """Return a PNG of a few dozen bytes that declares 30000x30000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )
