"""From the addresses of a result to its images: all files at once, each decoded as it arrives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .. import threads
from ..api.responses import HostedFile, InlineFile, ResultFile
from ..api.retry import Operation
from ..errors import PackError
from ..http.download import MAX_FILE_BYTES, Download, Downloader
from ..media.outputs import Decoder, OutputMedium
from ..media.pixels import decode_inline
from ..store.file_cache import CacheWriter

T = TypeVar("T")
Reader = Callable[[Operation, Callable[[], T]], Awaitable[T]]

log = logging.getLogger(__name__)


async def collect(
    files: Sequence[ResultFile],
    decoder: Decoder,
    writer: CacheWriter,
    downloader: Downloader,
    read: Reader[None],
    arrived: Callable[[int], None],
) -> None:
    """Fetch every file of a result, decode it into ``decoder`` and write the original to ``writer``.

    ``read`` repeats a blocking call as the retry rule says; ``arrived`` is told how many files are there.

    Raises:
        DownloadError, ApiError: of the first file that cannot be had; the others are finished first.
    """
    for file in files:
        if isinstance(file, HostedFile):
            downloader.trust.check(file.url)
    done = 0

    async def one(index: int, fetch: Callable[[], bytes]) -> None:
        nonlocal done

        def fetch_and_decode() -> None:
            data = fetch()
            decoding = threads.CODING.submit(decoder.decode, index, data)
            writer.add(index, data)
            decoding.result()

        await read(Operation.FILE, fetch_and_decode)
        done += 1
        arrived(done)

    outcomes = await asyncio.gather(
        *(one(index, _fetcher(file, downloader)) for index, file in enumerate(files)), return_exceptions=True
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


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


def _fetcher(file: ResultFile, downloader: Downloader) -> Callable[[], bytes]:
    match file:
        case HostedFile(url):
            return Download(downloader, url).attempt
        case InlineFile(media_type, payload):
            return partial(decode_inline, media_type, payload, MAX_FILE_BYTES)
