"""The reference images of an edit, as numbered cards."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from PIL import Image, ImageDraw, ImageOps

from .lettering import fit, font_for

Lookup = Callable[[str], bytes | None]
"""Returns the bytes of a URL if it names one of the emulator's own files."""

_LARGEST = 1024


def load_references(uris: Sequence[str], lookup: Lookup) -> list[Image.Image | str]:
    """Return each reference, in order: the image (EXIF turned, RGB), or a word on why there is none."""
    return [_load(uri, lookup) for uri in uris]


def card(reference: Image.Image | str, number: int, side: int) -> Image.Image:
    """Draw a square card of `side` pixels with the reference whole in it and its number in the corner."""
    face = Image.new("RGB", (side, side), (24, 26, 32))
    brush = ImageDraw.Draw(face)
    if isinstance(reference, str):
        lines, letters, step = fit(reference.replace(".", ". "), side * 4 // 5, side // 2, side // 8, 8)
        top = (side - step * (len(lines) - 1)) / 2
        for row, line in enumerate(lines):
            brush.text((side / 2, top + row * step), line.replace(". ", "."), (225, 228, 235), letters, anchor="mm")
    else:
        scale = side / max(reference.size)
        fitted = reference.resize((max(1, round(reference.width * scale)), max(1, round(reference.height * scale))))
        face.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    edge = max(14, side // 6)
    brush.rounded_rectangle((0, 0, edge, edge), edge // 4, (12, 13, 16))
    brush.text((edge / 2, edge / 2), str(number), "white", font_for("1", edge * 0.7), anchor="mm")
    return face


def _load(uri: str, lookup: Lookup) -> Image.Image | str:
    data = _data_uri_bytes(uri) if uri.startswith("data:") else lookup(uri)
    try:
        if data is None:
            return urlsplit(uri).hostname or "no address"
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (_LARGEST, _LARGEST))
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return "unreadable"


def _data_uri_bytes(uri: str) -> bytes:
    try:
        return base64.b64decode(uri.partition(",")[2], validate=True)
    except binascii.Error:
        return b""
