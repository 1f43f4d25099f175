"""Images over sockets: IMAGE is float32 ``[B,H,W,3 or 4]`` in 0..1, a batch of one size; a shell has pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidInput, PackError, TooLarge
from ...texts import Note, note
from ..encode import Encoded, encode
from ..file_type import HEAD_BYTES, IMAGE, JPEG, PNG, WEBP, type_of_head
from ..originals import MediaFile, whole
from ..pixels import Pixels, content_hash, read_image

# What every provider takes.
_SENT_AS_THEY_ARE = (PNG, JPEG, WEBP)


@dataclass(frozen=True)
class ImageContent:
    """One image: uint8 ``[H,W,3 or 4]``. ``file`` is the file that holds just these pixels, where there is one."""

    pixels: Pixels
    file: MediaFile | None = None

    @property
    def least_bytes(self) -> int:
        """Nothing: it can always be made smaller."""
        return 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def hash(self) -> str:
        """Return a hash of the shape and of every pixel."""
        return content_hash(self.pixels)

    def original(self, limit: int) -> Encoded | None:
        """Return its file, where there is one that fits."""
        fits = self.file is not None and self.file.type in _SENT_AS_THEY_ARE and self.file.length <= limit
        return whole(self.file, IMAGE, self.size) if self.file is not None and fits else None

    def encode(self, limit: int, too_large: Encoded | None) -> Encoded:
        """Return the best encoding of at most ``limit`` bytes."""
        return encode(self.pixels, limit, too_large)

    def changed(self, sent: Note, encoded: Encoded) -> Note:
        """Add that it was made smaller, where it was."""
        width, height = self.size
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

    def read(self, socket: str, value: object, limit: int) -> list[ImageContent]:  # noqa: ARG002
        """Return the images of a batch, in order."""
        if isinstance(value, ImageContent):
            return [value]
        from ..tensors import to_pixels

        return [ImageContent(pixels) for pixels in to_pixels(socket, value)]

    def load(self, flag: str, path: Path) -> ImageContent:
        """Return an image file; one that is turned upright is not the file any more."""
        try:
            data = path.read_bytes()
            kind = type_of_head(data[:HEAD_BYTES])
            pixels, is_upright = read_image(data)
        except OSError as error:
            raise InvalidInput(flag, "file_unreadable", path=str(path), error=error.strerror) from None
        except TooLarge as error:
            raise InvalidInput(flag, "not_an_image_file", path=str(path)) from error
        except PackError:
            if kind is not None and IMAGE in kind.media and kind not in _SENT_AS_THEY_ARE:
                raise InvalidInput(flag, "image_type_unreadable", path=str(path), type=kind.mime) from None
            raise InvalidInput(flag, "not_an_image_file", path=str(path)) from None
        return ImageContent(pixels, MediaFile(path, kind) if kind is not None and is_upright else None)


INPUT = ImageInput()
