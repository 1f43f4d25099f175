"""Tiny images, each unlike all others: what is delivered can be told apart by its pixels."""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SIZES = ((4, 3), (3, 4), (5, 2), (2, 2))


@lru_cache(4096)
def pixels(name: str, size: int) -> NDArray[np.uint8]:
    """Return the image of a name: uint8 ``[H,W,3]``."""
    width, height = SIZES[size % len(SIZES)]
    values = hashlib.shake_128(name.encode()).digest(width * height * 3)
    return np.frombuffer(values, np.uint8).reshape(height, width, 3)


@lru_cache(4096)
def draw(name: str, size: int) -> bytes:
    """Return the image of a name as a PNG file."""
    image = pixels(name, size)
    height, width, _ = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
