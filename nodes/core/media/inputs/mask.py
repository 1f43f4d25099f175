"""Masks over sockets: MASK is float ``[B,H,W]`` in 0..1, sent as a gray image in which 1.0 is white."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InvalidInput
from .image import ImageContent, ImageInput

if TYPE_CHECKING:
    import torch


class MaskInput(ImageInput):
    """Reads the masks of a MASK. A file of the shell is an image, which is sent as it is."""

    def count(self, socket: str, value: object) -> int:
        """Return how many masks a batch holds."""
        return super().count(socket, value if isinstance(value, ImageContent) else self.as_images(socket, value))

    def read(self, socket: str, value: object, limit: int) -> list[ImageContent]:
        """Return the masks of a batch, in order."""
        images = value if isinstance(value, ImageContent) else self.as_images(socket, value)
        return super().read(socket, images, limit)

    def as_images(self, socket: str, value: object) -> torch.Tensor:
        """Return masks as gray images ``[B,H,W,3]``. One mask may come as ``[H,W]``.

        Raises:
            InvalidInput.
        """
        import torch

        if not isinstance(value, torch.Tensor):
            raise InvalidInput(socket, "not_of_type", wanted="MASK", found=type(value).__name__)
        if value.is_nested or value.layout is not torch.strided or value.ndim not in (2, 3):
            shape = "nested" if value.is_nested else "x".join(map(str, value.shape))
            raise InvalidInput(socket, "mask_shape", found=f"{value.dtype} [{shape}]")
        masks = value if value.ndim == 3 else value.unsqueeze(0)
        return masks.unsqueeze(-1).expand(-1, -1, -1, 3)


INPUT = MaskInput()
