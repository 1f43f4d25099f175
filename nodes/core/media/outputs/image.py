"""Images out of a result: IMAGE is float32 ``[N,H,W,3]`` in 0..1, one batch for each size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..bounds import MAX_PIXELS, check_file_count
from ..host import MediaHost
from ..pixels import Floats, WholeImages

if TYPE_CHECKING:
    from ..tensors import BatchDecoder
    from . import Decoder


class ImageOutput:
    """Decodes images into batches; a host that takes files alone gets those of which all pixels can be decoded."""

    streamed = False
    max_bytes = 128 * 2**20
    seconds = 120.0

    def decodes(self) -> type[BatchDecoder]:
        """Return what decodes into batches. A shell does without torch, which is the host's."""
        from ..tensors import BatchDecoder

        return BatchDecoder

    def decoder(
        self,
        count: int,
        memory: Floats | None = None,
        wanted: int | None = None,
        host: MediaHost | None = None,
    ) -> Decoder:
        """Return a decoder into batches; the memory becomes the first one."""
        if wanted is not None:
            check_file_count(count, wanted)
        if host is not None and host.takes_all:
            return WholeImages()
        decoder = self.decodes()
        return decoder(count, memory, most_pixels=None if wanted is None else wanted * MAX_PIXELS)

    def count(self, media: Sequence[Sequence[Any]]) -> int:
        """Return how many images the batches hold."""
        return sum(len(batch) for batch in media)

    def sizes(self, media: Sequence[Any]) -> list[tuple[int, int]]:
        """Return the size of each batch; none where a host takes files alone."""
        return [(batch.shape[2], batch.shape[1]) for batch in media if hasattr(batch, "shape")]


OUTPUT = ImageOutput()
