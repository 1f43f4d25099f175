"""From the pixels of eight references to what is sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nodes.core import workers
from nodes.core.images import content_hash
from nodes.core.ordering import Reference, encode_all
from nodes.core.schema import Limits

from . import policies, samples
from .measuring import in_turn
from .table import Row

PICTURES = 8
TARGET_GAIN = 10.0
TARGET_HASH = 0.1
_LIMITS = Limits(image_bytes=6 * 2**20, request_bytes=64 * 2**20)


def rows(quick: bool) -> list[Row]:
    """Return the rows of encoding and of hashing."""
    side, rounds = (512, 3) if quick else (2048, 3)
    references = [Reference(f"image_{index + 1}", samples.photo(side, index)) for index in range(PICTURES)]
    pixels = [reference.pixels for reference in references]

    def floor() -> object:
        with ThreadPoolExecutor(policies.FLOOR_THREADS) as pool:
            return list(pool.map(policies.encode_webp, pixels))

    found = in_turn(
        {
            "ours": lambda: _timed(lambda: encode_all(references, _LIMITS, 0)),
            "hash": lambda: _timed(lambda: list(workers.CODING.map(content_hash, pixels))),
            "floor": lambda: _timed(floor),
            "common": lambda: _timed(lambda: policies.encode_png(pixels)),
        },
        rounds,
    )
    ours, common = found["ours"], found["common"]
    sent = sum(len(one.data) for one in encode_all(references, _LIMITS, 0))
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


def _timed(function: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
