"""From the files of a result to what a node hands on: all at once, each by itself, and decoded as it arrives."""

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
from ..errors import LOOK_AT_GENERATIONS, DownloadError, JobTimedOut, OtherMedium, PackError, ProtocolError
from ..http.download import MAX_FILE_BYTES, Download, StreamedDownload, unwritable
from ..media.outputs import Decoder, OutputMedium, is_medium, output_medium
from ..media.pixels import decode_inline
from ..store.file_cache import CacheWriter
from .context import RunContext
from .intake import Intake

# With the pauses between them, about two minutes.
TRIES_BESIDE_WHOLE_ONES = 12

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """What could be had of the files of a result.

    ``batches`` hold what is handed on of the whole ones, ``lent`` are these as they came. ``missing`` says why each
    other one could not be had, by its number from 0. ``kept``: nothing was fetched, all are kept copies. ``medium``
    is what the files are.
    """

    files: tuple[ResultFile, ...]
    batches: list[Any]
    missing: Mapping[int, PackError]
    kept: bool
    lent: tuple[Path, ...]
    medium: str

    @property
    def any_whole(self) -> bool:
        """Whether any of the files could be had."""
        return len(self.missing) < len(self.files)

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the whole files that have one, in order."""
        whole = [file for index, file in enumerate(self.files) if index not in self.missing]
        return tuple(file.url for file in whole if isinstance(file, HostedFile))


async def fetch(
    run: RunContext, name: str, files: tuple[ResultFile, ...], output: str, decoder: Decoder
) -> Fetched:
    """Get the files of a result: those that are kept under ``name`` from there, and keep all that are whole.

    ``output`` is their kind. No error of the pack is raised: it is that of a missing file.

    Raises:
        Stopped.
    """
    cache = run.dependencies.file_cache
    kept = await run.blocking(cache.get, name)
    intake = Intake(decoder, output, run.media_host, name)
    fetching = _Fetching(run, output, intake, cache.writer(name), kept)
    try:
        missing = await fetching.all(files)
        if len(missing) < len(files) and any(isinstance(error, JobTimedOut) for error in missing.values()):
            # What is there is handed out.
            run.begin_anew()
        batches = await run.blocking(decoder.batches)
        # A part of a result is kept where its addresses tell of how many files it is one.
        all_there = all(isinstance(error, OtherMedium) for error in missing.values())
        if fetching.fetched and (all_there or addresses(files)):
            await run.finishing(fetching.writer.commit)
    finally:
        threads.start(fetching.writer.close)
    return Fetched(files, batches, missing, not fetching.fetched, intake.lent, intake.medium)


class _Fetching:
    """The files of one result on their way into one decoder and one entry of the cache."""

    def __init__(
        self, run: RunContext, output: str, intake: Intake, writer: CacheWriter, kept: Mapping[int, Path]
    ) -> None:
        self._run = run
        self._output = output
        self._intake = intake
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
        if path is None or not await self._run.blocking(self._take_kept, index, path):
            source = await self._run.blocking(self._source, index, file)
            try:
                await self._run.read(Operation.FILE, partial(self._fetch, index, source))
            except OtherMedium:
                self.fetched += 1
                raise
            self.fetched += 1
        self._done += 1
        self._run.report(done=self._done)

    def _take_kept(self, index: int, path: Path) -> bool:
        """Take a file from its kept copy; return whether that could be read. Blocking.

        Raises:
            OtherMedium: it is whole, and would be the same if it were fetched.
        """
        try:
            self._intake.begin(index, path)(path)
        except OtherMedium:
            self.writer.copy(index, path)
            raise
        except (OSError, PackError) as error:
            log.warning("A kept copy cannot be read and is fetched again: %s", error)
            return False
        self.writer.copy(index, path)
        return True

    def _fetch(self, index: int, source: Callable[[], bytes | Path]) -> None:
        """Blocking. The files that are there do not wait until the job's deadline for one that cannot be had."""
        try:
            file = source()
            end = self._intake.begin(index, file)
            # What is in memory is written while it is decoded.
            end(file if isinstance(file, Path) else self.writer.add(index, file) or file)
        except PackError as error:
            self._failures[index] += 1
            if self._done and self._failures[index] >= TRIES_BESIDE_WHOLE_ONES:
                raise DownloadError(error.note) from None
            raise

    def _source(self, index: int, file: ResultFile) -> Callable[[], bytes | Path]:
        """Return what gets a file: its bytes or, of what is streamed, where it lies then. Blocking."""
        downloader = self._run.dependencies.downloader
        match file:
            case HostedFile(url):
                medium = self._medium_of(file)
                if not medium.streamed:
                    return Download(downloader, url).attempt
                path = self._place(index)
                return StreamedDownload(
                    downloader, url, path, medium.max_bytes, medium.seconds, lambda: not self.writer.closed
                ).attempt
            case InlineFile(media_type, payload):
                return partial(self._inline, index, media_type, payload)
            case UnreadFile():
                raise not_understood()

    def _medium_of(self, file: HostedFile) -> OutputMedium:
        """Return how a file is fetched: as what is expected, unless the answer says that it is larger."""
        expected = output_medium(self._output)
        return output_medium(file.medium) if not expected.streamed and is_medium(file.medium) else expected

    def _inline(self, index: int, media_type: str, payload: str) -> bytes | Path:
        """Return a file that came inside the answer, as its medium takes it in."""
        data = decode_inline(media_type, payload, MAX_FILE_BYTES)
        if not output_medium(self._output).streamed:
            return data
        path = self._place(index)
        try:
            path.write_bytes(data)
        except OSError as error:
            raise unwritable(error) from None
        return path

    def _place(self, index: int) -> Path:
        try:
            return self.writer.place(index)
        except OSError as error:
            raise unwritable(error) from None


def take_kept(run: RunContext, name: str, files: Sequence[Path], output: str) -> Fetched | None:
    """Return what is had of kept originals; None where one of them is damaged. Blocking."""
    decoder = output_medium(output).decoder(len(files), None, None, run.media_host)
    intake = Intake(decoder, output, run.media_host, name)
    try:
        ends = [intake.begin(index, path) for index, path in enumerate(files)]
        for end, path in zip(ends, files, strict=True):
            end(path)
    except (OSError, PackError) as error:
        log.warning("A kept copy cannot be read and is fetched again: %s", error)
        return None
    return Fetched((), decoder.batches(), {}, True, intake.lent, intake.medium)


def addresses(files: Sequence[ResultFile]) -> tuple[str, ...]:
    """Return the address of each file, or nothing where not all have one: then the API is asked for them again."""
    hosted = tuple(file.url for file in files if isinstance(file, HostedFile))
    return hosted if len(hosted) == len(files) else ()


def not_understood() -> PackError:
    """Return the error of a result that is there, and paid for, in a form that is not known."""
    return ProtocolError("output_not_understood", may_repeat=False).but(next=(LOOK_AT_GENERATIONS,))
