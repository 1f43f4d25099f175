"""Small copies of images, to be looked at. What is decoded is bounded as a result is."""

from __future__ import annotations

import io

from PIL import Image

from .pixels import opened, to_rgb, upright

MEDIA_TYPE = "image/webp"
EDGES = (128, 256, 512, 1024, 2048)
_QUALITY = 80


def edge_of(wanted: int) -> int:
    """Return the edge in pixels that thumbnails are made with for a wanted one: there are few of them."""
    return next((edge for edge in EDGES if edge >= wanted), EDGES[-1])


def thumbnail(data: bytes, edge: int) -> bytes:
    """Return an image file as a WebP of at most ``edge`` pixels a side, turned upright. Blocking.

    Raises:
        Undecodable, TooLarge.
    """
    with opened(data) as image:
        # A JPEG is decoded at a fraction of its size.
        image.draft(None, (2 * edge, 2 * edge))
        small = to_rgb(upright(image))
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=_QUALITY)
    return file.getvalue()
