"""Images out of a result: IMAGE is float32 ``[N,H,W,3]`` in 0..1, one batch for each size."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..bounds import MAX_PIXELS, check_file_count
from ..host import MediaHost
from ..pixels import BatchDecoder, Floats


class ImageOutput:
    """Decodes images into batches."""

    streamed = False
    max_bytes = 128 * 2**20
    seconds = 120.0

    def decoder(
        self,
        count: int,
        memory: Floats | None = None,
        wanted: int | None = None,
        host: MediaHost | None = None,  # noqa: ARG002
    ) -> BatchDecoder:
        """Return a decoder into batches; the memory becomes the first one."""
        if wanted is None:
            return BatchDecoder(count, memory)
        check_file_count(count, wanted)
        return BatchDecoder(count, memory, most_pixels=wanted * MAX_PIXELS)

    def count(self, media: Sequence[torch.Tensor]) -> int:
        """Return how many images the batches hold."""
        return sum(len(batch) for batch in media)

    def sizes(self, media: Sequence[torch.Tensor]) -> list[tuple[int, int]]:
        """Return the size of each batch."""
        return [(batch.shape[2], batch.shape[1]) for batch in media]


OUTPUT = ImageOutput()
