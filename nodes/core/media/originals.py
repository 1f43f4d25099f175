"""Files that are sent as they are: a file of the shell, or the container of the host's video."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput, Undecodable
from ..texts import Note, note
from .encode import DoesNotFit, Encoded
from .file_type import HEAD_BYTES, FileType, type_of, type_of_head

_PIECE = 2**20


@dataclass(frozen=True)
class MediaFile:
    """A file on the disk, or the whole of one in memory, and its type."""

    source: Path | bytes
    type: FileType

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.source.stat().st_size if isinstance(self.source, Path) else len(self.source)

    def read(self) -> bytes:
        """Return its bytes. Blocking. Raises: OSError."""
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source


def load_file(flag: str, path: Path, medium: str) -> MediaFile:
    """Return a file of the shell. Blocking.

    Raises:
        InvalidInput: it cannot be read, is not whole, or is of another medium.
    """
    try:
        found = type_of(path)
    except OSError as error:
        raise InvalidInput(flag, "file_unreadable", path=str(path), error=error.strerror) from None
    except Undecodable:
        found = None
    if found is None or medium not in found.media:
        raise InvalidInput(flag, "not_a_media_file", path=str(path), wanted=note(f"medium.{medium}"))
    return MediaFile(path, found)


def file_of(socket: str, source: object, medium: str) -> MediaFile:
    """Return the file that a host's object reads from: a path, or bytes in memory. Blocking.

    Raises:
        InvalidInput: it cannot be read, or is of another medium.
    """
    try:
        if isinstance(source, io.BytesIO):
            data = source.getvalue()
            found = type_of_head(data[:HEAD_BYTES])
            file: Path | bytes = data
        else:
            file = Path(str(source))
            found = type_of(file)
    except (OSError, Undecodable) as error:
        raise InvalidInput(socket, "media_unreadable", error=type(error).__name__) from None
    if found is None or medium not in found.media:
        raise InvalidInput(socket, "media_unreadable", error=found.mime if found else "?")
    return MediaFile(file, found)


def check_length(socket: str, length: int, limit: int) -> None:
    """Refuse a file by its length in bytes.

    Raises:
        InvalidInput.
    """
    if length > limit:
        raise InvalidInput(socket, "media_too_large", found_bytes=length, limit_bytes=limit)


@dataclass(frozen=True)
class FileContent:
    """A file of one medium, which is sent as it is or not at all. ``digest`` stands for its content where given."""

    file: MediaFile
    medium: str
    digest: str = ""

    @property
    def least_bytes(self) -> int:
        """How many bytes it has."""
        return self.file.length

    def hash(self) -> str:
        """Return a hash of its bytes."""
        if self.digest:
            return self.digest
        if isinstance(self.file.source, bytes):
            return hashlib.sha256(self.file.source).hexdigest()
        digest = hashlib.sha256()
        with self.file.source.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def original(self, limit: int) -> Encoded | None:
        """Return the file, where it fits."""
        return whole(self.file, self.medium) if self.file.length <= limit else None

    def encode(self, limit: int, too_large: Encoded | None) -> Encoded:  # noqa: ARG002
        """Raise: nothing makes it smaller."""
        raise DoesNotFit(limit, self.file.length)

    def changed(self, sent: Note, encoded: Encoded) -> Note:  # noqa: ARG002
        """Add nothing."""
        return sent


def whole(file: MediaFile, medium: str, size: tuple[int, int] = (0, 0)) -> Encoded:
    """Return a file as what is sent of it. Blocking."""
    return Encoded(file.type.mime.partition("/")[2], None, file.read(), *size, medium=medium, original=True)
