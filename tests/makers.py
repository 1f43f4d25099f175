"""Images and files for the tests: made by Pillow and NumPy alone, and what the pack or Pillow reads in them."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from nodes.core.media.tensors import BatchDecoder

Array = NDArray[Any]


def noise(height: int, width: int | None = None, channels: int = 3, seed: int = 0) -> Array:
    """Return uint8 ``[height,width,channels]`` that no file format makes smaller; a square without a width."""
    shape = (height, width or height, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def file_of(image: Image.Image | Array, file_format: str = "PNG", **options: Any) -> bytes:
    """Return the file that Pillow writes of an image, or of uint8 ``[H,W,1, 3 or 4]``."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_by_hand(width: int, height: int, *chunks: bytes, rows: bytes = b"", colour: bytes = b"\x08\x02") -> bytes:
    """Return a PNG that declares any size, with extra chunks before its pixels, which need not be there.

    ``colour`` is its bit depth and colour type, by default 8-bit RGB.
    """
    head = struct.pack(">II", width, height) + colour + b"\x00\x00\x00"
    parts = [png_chunk(b"IHDR", head), *chunks, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def uri_of(data: bytes, mime: str = "image/png") -> str:
    """Return the data URI of a file."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def file_in(uri: str) -> bytes:
    """Return the file in a data URI."""
    return base64.b64decode(uri.partition(",")[2])


def decoded(data: bytes) -> torch.Tensor:
    """Return what the pack decodes from a file: float32 ``[H,W,3]`` in 0..1."""
    decoder = BatchDecoder(1)
    decoder.decode(0, data)
    (batch,) = decoder.batches()
    assert batch.dtype == torch.float32 and batch.shape[0] == 1 and batch.shape[-1] == 3
    return batch[0]


def eight_bit(image: torch.Tensor) -> Array:
    """Return the uint8 values of floats in 0..1."""
    return (image.numpy() * 255).round().astype(np.uint8)


def open_image(data: bytes) -> Image.Image:
    """Return a file as Pillow opens it."""
    return Image.open(io.BytesIO(data))


def by_pillow(data: bytes) -> Array:
    """Return what Pillow decodes from a file: uint8 ``[H,W,3]``."""
    with open_image(data) as image:
        return np.asarray(image.convert("RGB"))
