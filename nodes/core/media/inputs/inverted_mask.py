"""Masks of a model that takes black for what is marked: what is 1.0 on the socket is sent as black."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .mask import MaskInput

if TYPE_CHECKING:
    import torch


class InvertedMaskInput(MaskInput):
    """Reads the masks of a MASK. A file of the shell is as the model takes it already, and is sent as it is."""

    def as_images(self, socket: str, value: object) -> torch.Tensor:
        """Return masks as gray images, inverted."""
        from ..tensors import check_batch

        return 1 - check_batch(socket, super().as_images(socket, value))


INPUT = InvertedMaskInput()
