"""How the files of a result become what a node returns, one module for each kind of output.

A module is found by its name, which the model file gives, and offers ``OUTPUT``. What the outputs of a node are
called is declared in ``schema``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from ...errors import Undecodable
from ...members import member, names
from ..file_type import type_of
from ..host import MediaHost
from ..pixels import Floats


class Decoder(Protocol):
    """Takes in the whole files of one result, each as it arrives, from any thread."""

    def decode(self, index: int, file: Any) -> None:
        """Take in file number ``index`` (from 0): its bytes or, of what is streamed, its path.

        Raises:
            Undecodable, TooLarge.
        """

    def batches(self) -> list[Any]:
        """Return what a node hands on of them, once all are there: of images, a batch for each size."""


class OutputMedium(Protocol):
    """How one kind of output is fetched and decoded.

    A file of at most ``max_bytes`` is fetched within ``seconds``; where it is ``streamed``, onto the disk, and
    never held in memory.
    """

    streamed: bool
    max_bytes: int
    seconds: float

    def decoder(self, count: int, memory: Floats | None, wanted: int | None, host: MediaHost | None) -> Decoder:
        """Return a decoder of ``count`` files. ``memory`` was got ready for them, where it is of use.

        ``wanted`` is how many were asked for, and bounds what is decoded; None where that is known to be in bounds.

        Raises:
            TooLarge: there are many more files than were asked for.
        """

    def count(self, media: Sequence[Any]) -> int:
        """Return how many files are in what was decoded."""

    def sizes(self, media: Sequence[Any]) -> list[tuple[int, int]]:
        """Return the sizes (width, height) of what was decoded into pixels."""


def output_medium(name: str) -> OutputMedium:
    """Return a kind of output by its name."""
    medium: OutputMedium = member(__name__, name, "OUTPUT")
    return medium


def is_medium(name: str) -> bool:
    """Whether there is a kind of output of this name."""
    return name in names(__name__)


def by_medium(files: Sequence[tuple[Path, str]], host: MediaHost, media: Iterable[str]) -> dict[str, list[Any]]:
    """Return what is handed on of whole files that the host may read, by what they are. Blocking.

    Beside each file stands what it was expected to be: a container for videos may hold a sound.

    Raises:
        Undecodable, TooLarge, DownloadError.
    """
    found: dict[str, list[Path]] = {medium: [] for medium in media}
    for file, expected in files:
        found[_medium_of(file, expected, host)].append(file)
    return {medium: _handed(each, host, medium) for medium, each in found.items()}


def _medium_of(file: Path, expected: str, host: MediaHost) -> str:
    """Return what a file is: what was expected, where it holds that, else what its type usually holds."""
    found = type_of(file)
    if expected == found.medium or expected not in found.media:
        return found.medium
    try:
        _handed([file], host, expected)
    except Undecodable:
        return found.medium
    return expected


def _handed(files: Sequence[Path], host: MediaHost, name: str) -> list[Any]:
    medium = output_medium(name)
    decoder = medium.decoder(len(files), None, None, host)
    for index, file in enumerate(files):
        decoder.decode(index, file if medium.streamed else file.read_bytes())
    return decoder.batches()
