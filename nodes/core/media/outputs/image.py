"""Images out of a result: IMAGE is float32 ``[N,H,W,3]`` in 0..1, one batch for each size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ..bounds import MAX_PIXELS, check_file_count
from ..pixels import Floats

if TYPE_CHECKING:
    import torch

    from ..tensors import BatchDecoder


class ImageOutput:
    """Decodes images into batches, and saves them as PNG."""

    def decoder(self, count: int, memory: Floats | None = None, wanted: int | None = None) -> BatchDecoder:
        """Return a decoder into batches; the memory becomes the first one."""
        from ..tensors import BatchDecoder

        if wanted is None:
            return BatchDecoder(count, memory)
        check_file_count(count, wanted)
        return BatchDecoder(count, memory, most_pixels=wanted * MAX_PIXELS)

    def count(self, media: Sequence[torch.Tensor]) -> int:
        """Return how many images the batches hold."""
        return sum(len(batch) for batch in media)

    def save(self, media: Sequence[torch.Tensor], folder: Path, name: str) -> list[Path]:
        """Save the images as PNG files, without loss."""
        from ..tensors import to_pixels

        images = [pixels for batch in media for pixels in to_pixels("images", batch)]
        paths = [folder / f"{name}-{number}.png" for number in range(1, len(images) + 1)]
        for path, pixels in zip(paths, images, strict=True):
            try:
                Image.fromarray(pixels).save(path)
            except OSError:
                path.unlink(missing_ok=True)
                raise
        return paths


OUTPUT = ImageOutput()
