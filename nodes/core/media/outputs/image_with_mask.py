"""Images that may be transparent: IMAGE, RGB, and MASK, float32 ``[N,H,W]``, 1.0 where nothing is to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .image import ImageOutput

if TYPE_CHECKING:
    from ..tensors import MaskedBatchDecoder


class ImageWithMaskOutput(ImageOutput):
    """Decodes images with their transparency."""

    def decodes(self) -> type[MaskedBatchDecoder]:
        """Return what decodes into batches and their masks."""
        from ..tensors import MaskedBatchDecoder

        return MaskedBatchDecoder

    def count(self, media: Sequence[Any]) -> int:
        """Return how many images the batches hold."""
        return super().count(_images(media))

    def sizes(self, media: Sequence[Any]) -> list[tuple[int, int]]:
        """Return the size of each batch."""
        return super().sizes(_images(media))


def _images(media: Sequence[Any]) -> list[Any]:
    """Return the batches without their masks, which are not there where a host takes files alone."""
    return [batch[0] if isinstance(batch, tuple) else batch for batch in media]


OUTPUT = ImageWithMaskOutput()
