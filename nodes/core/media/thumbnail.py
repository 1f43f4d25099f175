"""Small images of files, to be looked at. What is decoded is bounded as a result is."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ..errors import Undecodable
from .pixels import opened, to_rgb, upright
from .poster import poster

MEDIA_TYPE = "image/webp"
EDGES = (128, 256, 512, 1024, 2048)
_QUALITY = 80


def edge_of(wanted: int) -> int:
    """Return the edge in pixels that thumbnails are made with for a wanted one: there are few of them."""
    return next((edge for edge in EDGES if edge >= wanted), EDGES[-1])


def of_image(path: Path, edge: int) -> bytes:
    """Return an image file as a WebP of at most ``edge`` pixels a side, turned upright. Blocking.

    Raises:
        Undecodable, TooLarge.
    """
    with opened(path.read_bytes()) as image:
        # A JPEG is decoded at a fraction of its size.
        image.draft(None, (2 * edge, 2 * edge))
        small = to_rgb(upright(image))
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _webp(small)


def of_video(path: Path, edge: int) -> bytes:
    """Return a still of a video file as a WebP of at most ``edge`` pixels a side. Blocking.

    Raises:
        Undecodable: no frame of it can be had.
    """
    still = poster(path, edge)
    if still is None:
        raise Undecodable("file_undecodable", error="no frame")
    return _webp(still)


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY)
    return file.getvalue()
