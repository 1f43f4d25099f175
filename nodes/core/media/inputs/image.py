"""Images over sockets: IMAGE is float32 ``[B,H,W,3 or 4]`` in 0..1, a batch of one size; a shell has pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidInput, PackError
from ...texts import Note, note
from ..encode import Encoded, encode
from ..pixels import Pixels, content_hash, read_pixels


@dataclass(frozen=True)
class ImageContent:
    """One image: uint8 ``[H,W,3 or 4]``."""

    pixels: Pixels

    def hash(self) -> str:
        """Return a hash of the shape and of every pixel."""
        return content_hash(self.pixels)

    def encode(self, limit: int, too_large: Encoded | None) -> Encoded:
        """Return the best encoding of at most ``limit`` bytes."""
        return encode(self.pixels, limit, too_large)

    def changed(self, sent: Note, encoded: Encoded) -> Note:
        """Add that it was made smaller, where it was."""
        height, width = self.pixels.shape[:2]
        if (width, height) == (encoded.width, encoded.height):
            return sent
        socket = sent.params["socket"]
        return note("sent.smaller", sent=sent, socket=socket, original_width=width, original_height=height)


class ImageInput:
    """Reads the images of an IMAGE, or the one of a file in a shell, which has no tensors."""

    def count(self, socket: str, value: object) -> int:
        """Return how many images a batch holds."""
        if isinstance(value, ImageContent):
            return 1
        from ..tensors import check_batch

        return len(check_batch(socket, value))

    def read(self, socket: str, value: object) -> list[ImageContent]:
        """Return the images of a batch, in order."""
        if isinstance(value, ImageContent):
            return [value]
        from ..tensors import to_pixels

        return [ImageContent(pixels) for pixels in to_pixels(socket, value)]

    def load(self, flag: str, path: Path) -> ImageContent:
        """Return the image of a file."""
        try:
            return ImageContent(read_pixels(path.read_bytes()))
        except OSError as error:
            raise InvalidInput(flag, "file_unreadable", path=str(path), error=error.strerror) from None
        except PackError:
            raise InvalidInput(flag, "not_an_image_file", path=str(path)) from None


INPUT = ImageInput()
