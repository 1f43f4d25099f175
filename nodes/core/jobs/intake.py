"""Takes in the whole files of one result: looked at, decoded, and lent to the host as they came."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from .. import threads
from ..errors import DownloadError, OtherMedium, TooLarge, Undecodable
from ..http.download import MAX_FILE_BYTES, unwritable
from ..media.file_type import HEAD_BYTES, FileType, type_of, type_of_head
from ..media.host import MediaHost, lend
from ..media.outputs import Decoder, output_medium
from ..schema.outputs import output_of
from ..texts import note

log = logging.getLogger(__name__)


class Intake:
    """The way of each file of one result into a decoder. Blocking, from several threads.

    ``output`` is the kind that is expected; ``name`` is what the files are called in the host's folder.
    """

    def __init__(self, decoder: Decoder, output: str, host: MediaHost | None, name: str) -> None:
        self._decoder = decoder
        self._medium = output_of(output).medium
        self._streamed = output_medium(output).streamed
        self._host = host
        self._name = name
        self._lent: dict[int, Path] = {}
        self._others: dict[int, str] = {}

    @property
    def lent(self) -> tuple[Path, ...]:
        """The files in the host's folder, in order."""
        return tuple(self._lent[index] for index in sorted(self._lent))

    @property
    def medium(self) -> str:
        """What the files are: what was expected, unless all that were taken in are of one other medium."""
        others = set(self._others.values())
        return others.pop() if len(others) == 1 and len(self._others) == len(self._lent) else self._medium

    def begin(self, index: int, file: bytes | Path) -> Callable[[bytes | Path], None]:
        """Begin to take in a file: its bytes, or the path of one that lies on the disk. What is returned ends it.

        That is called with the bytes or, where the file lies on the disk by then, with its path.

        Raises (both):
            OtherMedium, Undecodable, TooLarge, DownloadError. OSError: it cannot be read.
        """
        found = type_of_head(file[:HEAD_BYTES]) if isinstance(file, bytes) else type_of(file)
        if found is not None and self._medium not in found.media:
            return partial(self._take_other, index, found)
        whole = self._lend(index, file, found) if self._streamed else _in_memory(file)
        return partial(self._end, index, found, threads.CODING.submit(self._decoder.decode, index, whole))

    def _end(self, index: int, found: FileType | None, decoding: Future[None], file: bytes | Path) -> None:
        try:
            decoding.result()
        except Undecodable:
            if found is None or found.medium == self._medium:
                raise
            # A container for videos that has no sound.
            self._take_other(index, found, file)
            return
        self._show(index, found, file)

    def _take_other(self, index: int, found: FileType, file: bytes | Path) -> None:
        """Hand on a file of another medium as it is, where the host takes it."""
        self._show(index, found, file)
        if not (self._host is not None and self._host.takes_all and index in self._lent):
            raise OtherMedium(
                "other_medium", found=note(f"medium.{found.medium}"), wanted=note(f"medium.{self._medium}")
            )
        self._others[index] = found.medium

    def _show(self, index: int, found: FileType | None, file: bytes | Path) -> None:
        """Lend a file that is delivered in another form already: without it, the run is none the worse.

        Raises:
            DownloadError: the host takes nothing but files, and this one cannot be lent.
        """
        if self._host is None or found is None:
            return
        try:
            self._lent[index] = self._lend(index, file, found)
        except DownloadError as error:
            if self._host.takes_all:
                raise
            log.warning("A file of %s cannot be shown: %s", self._name, error.message)

    def _lend(self, index: int, file: bytes | Path, found: FileType | None) -> Path:
        if self._host is None:
            raise DownloadError("file_cut")
        if found is None:
            raise Undecodable("file_not_media")
        try:
            return lend(file, self._host.folder, f"{self._name}-{index + 1}{found.suffix}")
        except OSError as error:
            raise unwritable(error) from None


def _in_memory(file: bytes | Path) -> bytes:
    """Return the bytes of a file, also of one that was called a video and is an image."""
    if isinstance(file, bytes):
        return file
    if file.stat().st_size > MAX_FILE_BYTES:
        raise TooLarge("answer_too_large", limit_bytes=MAX_FILE_BYTES)
    return file.read_bytes()
