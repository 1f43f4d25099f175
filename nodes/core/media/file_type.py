"""What a file is, by its first bytes: an image, a video or a sound. What it is called elsewhere is not believed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ..errors import Undecodable

HEAD_BYTES = 64
IMAGE, VIDEO, AUDIO = "image", "video", "audio"
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
# A size in the head that stands for "to the end", as writers put it that cannot go back.
_OPEN_SIZES = (0, 0xFFFFFFFF)
# A video in fragments has two boxes a second.
_MAX_BOXES = 20_000


@dataclass(frozen=True)
class FileType:
    """A type of file: its media type, the ending of a file's name, and what it may hold, the usual first."""

    mime: str
    suffix: str
    media: tuple[str, ...]

    @property
    def medium(self) -> str:
        """What it usually holds."""
        return self.media[0]


PNG = FileType("image/png", ".png", (IMAGE,))
JPEG = FileType("image/jpeg", ".jpg", (IMAGE,))
WEBP = FileType("image/webp", ".webp", (IMAGE,))
_GIF = FileType("image/gif", ".gif", (IMAGE,))
_BMP = FileType("image/bmp", ".bmp", (IMAGE,))
_TIFF = FileType("image/tiff", ".tif", (IMAGE,))
_AVIF = FileType("image/avif", ".avif", (IMAGE,))
_HEIC = FileType("image/heic", ".heic", (IMAGE,))
MP4 = FileType("video/mp4", ".mp4", (VIDEO, AUDIO))
_MOV = FileType("video/quicktime", ".mov", (VIDEO, AUDIO))
_WEBM = FileType("video/webm", ".webm", (VIDEO, AUDIO))
_MKV = FileType("video/x-matroska", ".mkv", (VIDEO, AUDIO))
_AVI = FileType("video/x-msvideo", ".avi", (VIDEO,))
_M4A = FileType("audio/mp4", ".m4a", (AUDIO,))
WAV = FileType("audio/wav", ".wav", (AUDIO,))
_FLAC = FileType("audio/flac", ".flac", (AUDIO,))
_OGG = FileType("audio/ogg", ".ogg", (AUDIO, VIDEO))
_MP3 = FileType("audio/mpeg", ".mp3", (AUDIO,))
_AAC = FileType("audio/aac", ".aac", (AUDIO,))

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF8", _GIF),
    (b"BM", _BMP),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"fLaC", _FLAC),
    (b"OggS", _OGG),
    (b"ID3", _MP3),
)
_RIFF = {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": _AVI}
_BRANDS = {b"avif": _AVIF, b"avis": _AVIF, b"M4A ": _M4A, b"M4B ": _M4A, b"qt  ": _MOV}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def type_of_head(head: bytes) -> FileType | None:
    """Return the type of a file that begins so; ``HEAD_BYTES`` are enough. None where it is not known."""
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _HEIC if brand in _HEIF_BRANDS else _BRANDS.get(brand, MP4)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _WEBM if b"webm" in head else _MKV
    named = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    return named or _type_of_frame(head)


def type_of(path: Path) -> FileType:
    """Return the type of a whole file. Blocking.

    Raises:
        Undecodable: a web page, an unknown type, or a file that ends before its own head says. OSError.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        found = type_of_head(head)
        if found is None:
            page = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES)
            raise Undecodable("file_is_a_page" if page else "file_not_media")
        if not _is_whole(file, head, path.stat().st_size):
            raise Undecodable("file_cut")
    return found


def _type_of_frame(head: bytes) -> FileType | None:
    """Return the type of an MPEG sound without any head: each frame begins with eleven ones."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] >> 1 & 3
    if layer == 0:
        return _AAC if head[1] & 0xF0 == 0xF0 else None
    rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    return _MP3 if rate not in (0, 15) and sampling != 3 else None


def _is_whole(file: BinaryIO, head: bytes, size: int) -> bool:
    """Whether nothing is missing at the end, as far as the type tells."""
    if head.startswith(b"RIFF"):
        declared = int.from_bytes(head[4:8], "little")
        return declared in _OPEN_SIZES or declared + 8 <= size
    if head[4:8] != b"ftyp":
        return True
    boxes = list(islice(_boxes(file, size), _MAX_BOXES))
    # An image of this family has no tracks.
    described = len(boxes) == _MAX_BOXES or any(name in (b"moov", b"meta") for name, _ in boxes)
    return described and all(end <= size for _, end in boxes)


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the name of each outermost box of an ISO file, and where it ends."""
    start = 0
    while start + 8 <= size:
        file.seek(start)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        elif length == 0:
            length = size - start
        if length < 8:
            return
        start += length
        yield name, start
