"""Videos over sockets: VIDEO is an object of the host's. Its container is sent as it is, where it has one."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from ...errors import InvalidInput
from ..file_type import VIDEO
from ..originals import FileContent, MediaFile, check_length, file_of, load_file
from ..pixels import content_hash

_NEEDED = ("get_components", "save_to")


class VideoInput:
    """Reads the video of a VIDEO, or a file of the shell."""

    def count(self, socket: str, value: object) -> int:
        """Return 1, if it is a video."""
        if not isinstance(value, MediaFile) and not all(hasattr(value, name) for name in _NEEDED):
            raise InvalidInput(socket, "not_of_type", wanted="VIDEO", found=type(value).__name__)
        return 1

    def read(self, socket: str, value: Any, limit: int) -> list[FileContent]:
        """Return the video as the file that it comes from; one that was made of frames is encoded by the host."""
        if isinstance(value, MediaFile):
            return [_content(socket, value, limit)]
        if _reads_a_whole_file(value):
            return [_content(socket, file_of(socket, value.get_stream_source(), VIDEO), limit)]
        return [_content(socket, _saved(socket, value, limit), limit, _hash_of(socket, value))]

    def load(self, flag: str, path: Path) -> MediaFile:
        """Return a video file."""
        return load_file(flag, path, VIDEO)


def _content(socket: str, file: MediaFile, limit: int, digest: str = "") -> FileContent:
    check_length(socket, file.length, limit)
    return FileContent(file, VIDEO, digest)


def _reads_a_whole_file(value: Any) -> bool:
    """Whether the host's object stands for a file as it is.

    ``VideoFromFile`` says where it reads from; what it inherits from would write a file first. Newer hosts let it
    stand for a part of the file, which it knows privately (seen in the host's own code).
    """
    kind = type(value)
    is_part = any(getattr(value, f"_{kind.__name__}__{name}", 0) for name in ("start_time", "duration"))
    return "get_stream_source" in vars(kind) and not is_part


def _saved(socket: str, value: Any, limit: int) -> MediaFile:
    """Let the host write the video into a file, and return that in memory."""
    with tempfile.TemporaryDirectory(prefix="runcomfy-") as folder:
        path = Path(folder) / "video.mp4"
        try:
            value.save_to(str(path))
        except Exception as error:
            # Whatever the host's encoder raises: nothing is spent yet.
            raise InvalidInput(socket, "media_unreadable", error=type(error).__name__) from error
        file = file_of(socket, path, VIDEO)
        check_length(socket, file.length, limit)
        return MediaFile(file.read(), file.type)


def _hash_of(socket: str, value: Any) -> str:
    """Return a hash of the frames, their rate and the sound: an encoder of another day writes another file."""
    import torch

    from ..tensors import to_pixels

    parts = value.get_components()
    digest = hashlib.sha256(f"{parts.frame_rate}".encode())
    for frame in parts.images:
        digest.update(content_hash(to_pixels(socket, frame.unsqueeze(0))[0]).encode())
    if parts.audio:
        digest.update(f"{parts.audio['sample_rate']} {tuple(parts.audio['waveform'].shape)}".encode())
        digest.update(parts.audio["waveform"].detach().to("cpu", torch.float32).numpy().tobytes())
    return digest.hexdigest()


INPUT = VideoInput()
