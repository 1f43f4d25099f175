"""Images that compress like photographs: soft at every scale, with a camera's noise."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ROUGHNESS = 0.9
_NOISE = 1.5


def photo(side: int, seed: int) -> NDArray[np.uint8]:
    """Return uint8 ``[side,side,3]``; about 3 MiB as lossless WebP at a side of 2048."""
    random = np.random.default_rng(seed)
    light = np.zeros((side, side, 3), np.float32)
    cells = 4
    while cells <= side:
        light += _layer(random, cells, side) / cells**_ROUGHNESS
        cells *= 4
    light = (light - light.min()) / (light.max() - light.min()) * 255
    light += random.normal(0, _NOISE, (side, side, 1)).astype(np.float32)
    pixels: NDArray[np.uint8] = light.clip(0, 255).astype(np.uint8)
    return pixels


def png(side: int, seed: int) -> bytes:
    """Return a photo as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(photo(side, seed)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _layer(random: np.random.Generator, cells: int, side: int) -> NDArray[np.float32]:
    grid = random.standard_normal((cells, cells, 3)).astype(np.float32)
    channels = (Image.fromarray(grid[..., channel]) for channel in range(3))
    return np.stack(
        [np.asarray(channel.resize((side, side), Image.Resampling.BICUBIC)) for channel in channels], axis=-1
    )
