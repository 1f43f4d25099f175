"""Gets one video in a process of its own, so that its peak of memory is its own."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import requests
import torch

from nodes.core.api.responses import parse_files
from nodes.core.http.download import Downloader, Trust
from nodes.core.jobs.context import JobDependencies, RunContext
from nodes.core.jobs.fetch import fetch
from nodes.core.media.host import FilesOnly
from nodes.core.media.outputs import output_medium
from nodes.core.store.file_cache import FileCache
from nodes.core.urls import origin

from .measuring import Peak, timed
from .running import QuietHost

KEEP_BYTES = 2**32


async def ours(url: str, folder: Path) -> None:
    """Get a video as a job does: into the file cache, and linked into the host's folder."""
    downloader = Downloader(Trust((), origin(url)), "benchmarks")
    cache = FileCache(folder / "kept", KEEP_BYTES)
    host = FilesOnly(folder / "temp")
    dependencies = JobDependencies(None, None, cache, downloader, account="")  # type: ignore[arg-type]
    run = RunContext(dependencies, QuietHost(), host)
    decoder = output_medium("video").decoder(1, None, 1, host)
    fetched = await fetch(run, "video", parse_files({"video": url}), "video", decoder)
    assert not fetched.missing and fetched.lent[0].stat().st_size > 0
    downloader.close()


def plain(url: str, folder: Path) -> None:
    """Write a file as it arrives, and nothing else."""
    with requests.get(url, stream=True) as answer, (folder / "video").open("wb") as file:
        for piece in answer.iter_content(2**18):
            file.write(piece)


def whole(url: str, folder: Path) -> None:
    """Hold the whole file, as common code does."""
    (folder / "video").write_bytes(requests.get(url).content)


def main(policy: str, url: str) -> None:
    """Print the seconds, and the peak of memory in MiB."""
    torch.empty(1)
    with tempfile.TemporaryDirectory() as name:
        peak = Peak()
        match policy:
            case "ours":
                _, seconds = timed(lambda: asyncio.run(ours(url, Path(name))))
            case "floor":
                _, seconds = timed(lambda: plain(url, Path(name)))
            case _:
                _, seconds = timed(lambda: whole(url, Path(name)))
        print(json.dumps({**seconds, "memory": peak.bytes() / 2**20}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
