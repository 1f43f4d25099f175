"""What videos and sounds have in common: files that lie on the disk, and go on one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .bounds import check_file_count
from .host import MediaHost
from .pixels import Floats


class FileTurner:
    """Makes the host's own of each file."""

    def __init__(self, turn: Callable[[Path], Any]) -> None:
        self._turn = turn
        self._turned: dict[int, Any] = {}

    def decode(self, index: int, file: Path) -> None:
        """Take in file number ``index`` (from 0), which lies where the host may read it.

        Raises:
            Undecodable, TooLarge.
        """
        self._turned[index] = self._turn(file)

    def batches(self) -> list[Any]:
        """Return the host's own of each whole file, in order."""
        return [self._turned[index] for index in sorted(self._turned)]


class StreamedOutput(ABC):
    """A kind of output whose files are never held in memory."""

    streamed = True
    max_bytes: int
    seconds: float

    @abstractmethod
    def turn(self, host: MediaHost) -> Callable[[Path], Any]:
        """Return what makes the host's own of a file."""

    def decoder(
        self,
        count: int,
        memory: Floats | None = None,  # noqa: ARG002
        wanted: int | None = None,
        host: MediaHost | None = None,
    ) -> FileTurner:
        """Return what turns the files into the host's own."""
        if host is None:
            raise ValueError("nobody takes the files")
        if wanted is not None:
            check_file_count(count, wanted)
        return FileTurner(self.turn(host))

    def count(self, media: Sequence[Any]) -> int:
        """Return how many files are in what was decoded."""
        return len(media)

    def sizes(self, media: Sequence[Any]) -> list[tuple[int, int]]:  # noqa: ARG002
        """Return nothing: no pixels are decoded."""
        return []
