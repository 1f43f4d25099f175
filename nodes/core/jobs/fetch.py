"""From the files of a result to its images: all at once, each by itself, and decoded as it arrives."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import threads
from ..api.responses import HostedFile, InlineFile, ResultFile, UnreadFile
from ..api.retry import Operation
from ..errors import LOOK_AT_GENERATIONS, DownloadError, JobTimedOut, PackError, ProtocolError
from ..http.download import MAX_FILE_BYTES, Download
from ..media.outputs import Decoder, OutputMedium
from ..media.pixels import decode_inline
from ..store.file_cache import CacheWriter
from .context import RunContext

# With the pauses between them, about two minutes.
TRIES_BESIDE_WHOLE_ONES = 12

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """What could be had of the files of a result.

    ``batches`` hold the images of the whole ones. ``missing`` says why each other one could not be had, by its
    number from 0. ``kept``: nothing was fetched, all are kept copies.
    """

    files: tuple[ResultFile, ...]
    batches: list[Any]
    missing: Mapping[int, PackError]
    kept: bool

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the whole files that have one, in order."""
        whole = [file for index, file in enumerate(self.files) if index not in self.missing]
        return tuple(file.url for file in whole if isinstance(file, HostedFile))


async def fetch(run: RunContext, name: str, files: tuple[ResultFile, ...], decoder: Decoder) -> Fetched:
    """Get the files of a result: those that are kept under ``name`` from there, and keep all that are whole.

    No error of the pack is raised: it is that of a missing file.

    Raises:
        Stopped.
    """
    cache = run.dependencies.file_cache
    kept = await run.blocking(cache.get, name)
    fetching = _Fetching(run, decoder, cache.writer(name), kept)
    try:
        missing = await fetching.all(files)
        if len(missing) < len(files) and any(isinstance(error, JobTimedOut) for error in missing.values()):
            # The images that are there are handed out.
            run.begin_anew()
        batches = await run.blocking(decoder.batches)
        # A part of a result is kept where its addresses tell of how many files it is one.
        if fetching.fetched and (not missing or addresses(files)):
            await run.finishing(fetching.writer.commit)
    finally:
        threads.start(fetching.writer.close)
    return Fetched(files, batches, missing, kept=not fetching.fetched)


class _Fetching:
    """The files of one result on their way into one decoder and one entry of the cache."""

    def __init__(self, run: RunContext, decoder: Decoder, writer: CacheWriter, kept: Mapping[int, Path]) -> None:
        self._run = run
        self._decoder = decoder
        self.writer = writer
        self._kept = kept
        self.fetched = 0
        self._done = 0
        self._failures: Counter[int] = Counter()

    async def all(self, files: Sequence[ResultFile]) -> dict[int, PackError]:
        """Get every file, and return the errors of those that cannot be had; each is tried to its end."""
        tries = (self._one(index, file) for index, file in enumerate(files))
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        missing = {}
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, PackError):
                missing[index] = outcome
            elif outcome is not None:
                raise outcome
        return missing

    async def _one(self, index: int, file: ResultFile) -> None:
        path = self._kept.get(index)
        if path is None or not await self._run.blocking(self._take, index, path):
            await self._run.read(Operation.FILE, partial(self._fetch, index, _source(file, self._run)))
            self.fetched += 1
        self._done += 1
        self._run.report(done=self._done)

    def _take(self, index: int, path: Path) -> bool:
        """Take a file from its kept copy; return whether that could be read. Blocking."""
        try:
            self._decode_and_keep(index, path.read_bytes())
        except (OSError, PackError) as error:
            log.warning("A kept copy cannot be read and is fetched again: %s", error)
            return False
        return True

    def _fetch(self, index: int, source: Callable[[], bytes]) -> None:
        """Blocking. The images that are there do not wait until the job's deadline for one that cannot be had."""
        try:
            self._decode_and_keep(index, source())
        except PackError as error:
            self._failures[index] += 1
            if self._done and self._failures[index] >= TRIES_BESIDE_WHOLE_ONES:
                raise DownloadError(error.note) from None
            raise

    def _decode_and_keep(self, index: int, data: bytes) -> None:
        decoding = threads.CODING.submit(self._decoder.decode, index, data)
        self.writer.add(index, data)
        decoding.result()


def decode_kept(files: Sequence[Path], output: OutputMedium) -> list[Any] | None:
    """Decode kept originals into batches; None where one of them is missing or damaged. Blocking."""
    decoder = output.decoder(len(files))
    try:
        for future in [
            threads.CODING.submit(decoder.decode, index, path.read_bytes()) for index, path in enumerate(files)
        ]:
            future.result()
    except (OSError, PackError) as error:
        log.warning("A kept copy cannot be read and is fetched again: %s", error)
        return None
    return decoder.batches()


def addresses(files: Sequence[ResultFile]) -> tuple[str, ...]:
    """Return the address of each file, or nothing where not all have one: then the API is asked for them again."""
    hosted = tuple(file.url for file in files if isinstance(file, HostedFile))
    return hosted if len(hosted) == len(files) else ()


def not_understood() -> PackError:
    """Return the error of a result that is there, and paid for, in a form that is not known."""
    return ProtocolError("output_not_understood", may_repeat=False).but(next=(LOOK_AT_GENERATIONS,))


def _source(file: ResultFile, run: RunContext) -> Callable[[], bytes]:
    """Return what gets the bytes of a file. Blocking."""
    match file:
        case HostedFile(url):
            return Download(run.dependencies.downloader, url).attempt
        case InlineFile(media_type, payload):
            return partial(decode_inline, media_type, payload, MAX_FILE_BYTES)
        case UnreadFile():
            raise not_understood()
