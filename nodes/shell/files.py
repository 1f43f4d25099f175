"""Image files <-> tensors: the references of the command line, and the images that it leaves in a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from PIL import Image

from ..core.errors import InvalidInput, PackError
from ..core.media.pixels import BatchDecoder, to_pixels


def load(path: Path) -> torch.Tensor:
    """Return an image file as an IMAGE of one.

    Raises:
        InvalidInput: it cannot be read or decoded.
    """
    decoder = BatchDecoder(1)
    try:
        decoder.decode(0, path.read_bytes())
    except OSError as error:
        raise InvalidInput("--image", "file_unreadable", path=str(path), error=error.strerror) from None
    except PackError:
        raise InvalidInput("--image", "not_an_image_file", path=str(path)) from None
    return decoder.batches()[0]


def require_folder(folder: Path) -> None:
    """Make the folder for the images.

    Raises:
        InvalidInput: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InvalidInput("--out", "no_folder", path=str(folder), error=error.strerror) from None


def save(batches: list[torch.Tensor], folder: Path, name: str) -> list[Path]:
    """Save float32 ``[N,H,W,3]`` batches as PNG files ``name-1.png`` .. and return their paths.

    Raises:
        OSError: the folder cannot be written. No part of an image is left.
    """
    images = [pixels for batch in batches for pixels in to_pixels("images", batch)]
    paths = [folder / f"{name}-{number}.png" for number in range(1, len(images) + 1)]
    for path, pixels in zip(paths, images, strict=True):
        try:
            Image.fromarray(pixels).save(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return paths
