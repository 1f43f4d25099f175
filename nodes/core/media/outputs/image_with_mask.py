"""Images that may be transparent: IMAGE, RGB, and MASK, float32 ``[N,H,W]``, 1.0 where nothing is to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..pixels import BatchDecoder, Floats
from .image import ImageOutput


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


class ImageWithMaskOutput(ImageOutput):
    """Decodes images with their transparency."""

    decodes = MaskedBatchDecoder

    def count(self, media: Sequence[Any]) -> int:
        """Return how many images the batches hold."""
        return sum(len(images) for images, _ in media)


OUTPUT = ImageWithMaskOutput()
