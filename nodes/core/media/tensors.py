"""Tensors <-> pixels. IMAGE is float32 ``[B,H,W,3]`` in 0..1, as the host defines it."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..errors import InvalidInput, TooLarge
from .bounds import MAX_PIXELS
from .pixels import MORE_MEMORY, Floats, Pixels, opened, to_rgb, upright

# Of the 8-bit ones, which weights are kept in, torch computes nothing.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STRIP_PIXELS = 2**20
_LEAST_FILLED = 0.8
_CACHED_PIXELS = 2**16


def check_batch(name: str, value: object) -> torch.Tensor:
    """Return an IMAGE of the right type and shape; its values are not looked at. ``name`` is the socket's.

    Raises:
        InvalidInput: not a float tensor ``[B,H,W,3 or 4]`` whose values are there, an empty one, or one with too
            many pixels an image.
    """
    if not isinstance(value, torch.Tensor):
        raise InvalidInput(name, "not_an_image", found=type(value).__name__)
    if value.is_nested or value.is_meta or value.layout is not torch.strided:
        raise InvalidInput(name, "image_shape", found=_storage(value))
    shape = "x".join(map(str, value.shape))
    if value.ndim != 4 or value.shape[-1] not in (3, 4) or value.dtype not in _FLOATS:
        raise InvalidInput(name, "image_shape", found=f"{value.dtype} [{shape}]")
    if value.numel() == 0:
        raise InvalidInput(name, "image_empty", found=f"[{shape}]")
    if value.shape[1] * value.shape[2] > MAX_PIXELS:
        raise InvalidInput(name, "image_too_large", limit=MAX_PIXELS, found=f"[{shape}]")
    return value


def _storage(value: torch.Tensor) -> str:
    return "nested" if value.is_nested else "meta" if value.is_meta else str(value.layout)


def to_pixels(name: str, value: object) -> list[Pixels]:
    """Return the images of a batch as uint8 ``[H,W,3]`` or ``[H,W,4]``: clipped to 0..1 and rounded.

    Raises:
        InvalidInput: as ``check_batch``, and where there are NaN or infinite values.
    """
    batch = check_batch(name, value).detach()
    low, high = torch.aminmax(batch)
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise InvalidInput(name, "image_not_finite")
    return [_image_to_pixels(image) for image in batch]


class BatchDecoder:
    """Decodes files straight into preallocated batches, in any order and from any thread.

    ``memory`` is float32 of any length that was made ready before. It becomes the batch of the first file's size if
    that fills most of it, and is not used otherwise. ``most_pixels`` is how many the files may have together.
    """

    def __init__(self, count: int, memory: Floats | None = None, *, most_pixels: int | None = None) -> None:
        self._count = count
        self._memory = memory
        self._most_pixels = count * MAX_PIXELS if most_pixels is None else most_pixels
        self._pixels: dict[int, int] = {}
        self._lock = threading.Lock()
        self._buffers: dict[tuple[int, int], Floats] = {}
        self._sizes: dict[int, tuple[int, int]] = {}

    def decode(self, index: int, data: bytes) -> None:
        """Decode file number ``index`` (from 0) into its place.

        Raises:
            Undecodable: not a complete PNG, JPEG or WebP.
            TooLarge: more than ``MAX_PIXELS`` pixels, too many with the other files, or too much work or memory.
        """
        with opened(data) as image:
            self._count_pixels(index, image.width * image.height)
            turned = upright(image)
            size = (turned.height, turned.width)
            _write(turned, self._slot(index, size))
            self.look(index, turned)
        self._sizes[index] = size

    def look(self, index: int, image: Image.Image) -> None:
        """Look at an image that stands upright, for what else is wanted of it; of most, nothing."""

    def places(self) -> dict[tuple[int, int], list[int]]:
        """Return the numbers of the decoded files by size (height, width), in order of first appearance."""
        places: dict[tuple[int, int], list[int]] = {}
        for index in sorted(self._sizes):
            places.setdefault(self._sizes[index], []).append(index)
        return places

    def batches(self) -> list[Any]:
        """Return float32 ``[N,H,W,3]`` in 0..1, one batch for each size, in order of first appearance.

        Raises:
            TooLarge: there is too little memory.
        """
        try:
            return self._batches()
        except MemoryError:
            raise TooLarge("no_memory_left", next=MORE_MEMORY) from None

    def _batches(self) -> list[torch.Tensor]:
        return [
            torch.from_numpy(self._buffers[size] if len(indices) == self._count else self._buffers[size][indices])
            for size, indices in self.places().items()
        ]

    def _count_pixels(self, index: int, pixels: int) -> None:
        with self._lock:
            self._pixels[index] = pixels
            found = sum(self._pixels.values())
        if found > self._most_pixels:
            raise TooLarge("files_have_too_many_pixels", limit=self._most_pixels, found=found)

    def _slot(self, index: int, size: tuple[int, int]) -> Floats:
        with self._lock:
            if size not in self._buffers:
                self._buffers[size] = self._buffer((self._count, *size, 3))
            slot: Floats = self._buffers[size][index]
            return slot

    def _buffer(self, shape: tuple[int, ...]) -> Floats:
        length = math.prod(shape)
        memory, self._memory = self._memory, None
        if memory is not None and memory.size * _LEAST_FILLED <= length <= memory.size:
            return memory[:length].reshape(shape)
        return np.empty(shape, np.float32)


class MaskedBatchDecoder(BatchDecoder):
    """Decodes images into batches, and their transparency as the host's own loader has it: 1 - alpha."""

    def __init__(self, count: int, memory: Floats | None = None, *, most_pixels: int | None = None) -> None:
        super().__init__(count, memory, most_pixels=most_pixels)
        self._masks: dict[int, Floats] = {}

    def look(self, index: int, image: Image.Image) -> None:
        """Take in the transparency of an image; where it has none, all of it is to be seen."""
        if image.has_transparency_data:
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
            self._masks[index] = np.subtract(1, alpha / np.float32(255), dtype=np.float32)
        else:
            self._masks[index] = np.zeros((image.height, image.width), np.float32)

    def batches(self) -> list[Any]:
        """Return each batch, and its masks as float32 ``[N,H,W]``."""
        masks = [
            torch.from_numpy(np.stack([self._masks[index] for index in indices]))
            for indices in self.places().values()
        ]
        return list(zip(super().batches(), masks, strict=True))


def _write(image: Image.Image, target: Floats) -> None:
    """Write float32 ``[H,W,3]`` in 0..1, strip by strip: a whole 8-bit copy would cost memory and cache misses."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = np.asarray(to_rgb(image.crop((0, top, image.width, bottom))))
        np.divide(strip, np.float32(255), out=target[top:bottom], casting="unsafe")


def _image_to_pixels(image: torch.Tensor) -> Pixels:
    # Strip by strip, so that what is computed stays in the processor's cache. NumPy works in this thread only; the
    # threads of torch wait for each other at each step, on a busy machine ten times as long as they work.
    pixels = np.empty(image.shape, np.uint8)
    rows = max(1, _CACHED_PIXELS // image.shape[1])
    for top in range(0, len(image), rows):
        strip = np.clip(image[top : top + rows].to("cpu", torch.float32).numpy(), 0, 1)
        strip *= 255
        pixels[top : top + rows] = np.rint(strip, out=strip)
    return pixels
