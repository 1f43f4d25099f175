"""From the pixels of eight references to what is sent."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nodes.core import threads
from nodes.core.media.inputs.image import ImageContent
from nodes.core.media.pixels import content_hash
from nodes.core.request.build import encode_all
from nodes.core.request.encode_once import Encoder, Reference
from nodes.core.schema.model import Limits
from nodes.core.store.file_cache import FileCache

from . import policies, samples
from .measuring import in_turn, timed
from .table import Row

PICTURES = 8
TARGET_GAIN = 10.0
TARGET_HASH = 0.1
_KEEP_BYTES = 2**30
_LIMITS = Limits(image_bytes=6 * 2**20, request_bytes=64 * 2**20)


def rows(quick: bool) -> list[Row]:
    """Return the rows of encoding and of hashing."""
    side, rounds = (512, 3) if quick else (2048, 3)
    pixels = [samples.photo(side, index) for index in range(PICTURES)]
    references = [
        Reference("image_urls", f"image_{index}", ImageContent(one), content_hash(one))
        for index, one in enumerate(pixels, 1)
    ]

    def floor() -> object:
        with ThreadPoolExecutor(policies.FLOOR_THREADS) as pool:
            return list(pool.map(policies.encode_webp, pixels))

    def first() -> dict[str, float]:
        with _encoder() as encoder:
            return timed(lambda: encode_all(references, _LIMITS, 0, encoder))[1]

    with _encoder() as known:
        sent = sum(len(one.data) for one in encode_all(references, _LIMITS, 0, known))
        threads.finish()
        found = in_turn(
            {
                "ours": first,
                "again": lambda: timed(lambda: encode_all(references, _LIMITS, 0, known))[1],
                "hash": lambda: timed(lambda: list(threads.CODING.map(content_hash, pixels)))[1],
                "floor": lambda: timed(floor)[1],
                "common": lambda: timed(lambda: policies.encode_png(pixels))[1],
            },
            rounds,
        )
    ours, common = found["ours"], found["common"]
    png = sum(map(len, policies.encode_png(pixels)))
    gain = common["wall"] / ours["wall"]
    share = found["hash"]["cpu"] / ours["cpu"]
    return [
        Row(
            f"encode: {PICTURES} references of {side}x{side}",
            "real",
            "s",
            ours["wall"],
            found["floor"]["wall"],
            common["wall"],
            f">= {TARGET_GAIN:.0f} x common",
            gain >= TARGET_GAIN,
            f"floor: fastest lossless WebP on two threads; processor time {ours['cpu']:.2f} s, common "
            f"{common['cpu']:.2f} s; bytes {sent / png:.2f} of PNG's",
        ),
        Row(
            "encode: the same for another prompt",
            "real",
            "s",
            found["again"]["wall"],
            None,
            common["wall"],
            "",
            None,
            f"read from the disk; processor time {found['again']['cpu']:.2f} s",
        ),
        Row(
            "encode: content hash",
            "real",
            "of encoding",
            share,
            None,
            None,
            f"<= {TARGET_HASH}",
            share <= TARGET_HASH,
            f"processor time; wall {found['hash']['wall']:.3f} s",
        ),
    ]


@contextlib.contextmanager
def _encoder() -> Iterator[Encoder]:
    with tempfile.TemporaryDirectory() as folder:
        yield Encoder(FileCache(Path(folder, "encoded"), _KEEP_BYTES))
        threads.finish()
