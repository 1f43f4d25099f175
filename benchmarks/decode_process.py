"""One policy of decoding in a process of its own, so that its peak of memory is its own."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
import torch
from PIL import Image

from nodes.core import threads
from nodes.core.api.responses import Running, State, Succeeded, parse_files
from nodes.core.http.download import Downloader, Trust
from nodes.core.jobs.runner import JobRunner
from nodes.core.request.request import EncodedRequest, Request
from nodes.core.store.file_cache import FileCache
from nodes.core.store.job import NewJob
from nodes.core.store.journal import Journal
from nodes.core.urls import origin

from . import policies
from .measuring import Peak, timed
from .running import QuietHost

RUN_SECONDS = 2.0
KEEP_BYTES = 2**31


class ScriptedApi:
    """A client of one job that runs for a while and then has files."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = parse_files(list(files))
        self._submitted = 0.0
        self.answered = 0.0
        self.answered_cpu = 0.0

    def submit(self, _model_id: str, _body: bytes) -> str:
        """Accept the job."""
        self._submitted = time.perf_counter()
        return "request"

    def status(self, _request_id: str) -> State:
        """Tell whether it runs."""
        return Running() if time.perf_counter() - self._submitted < RUN_SECONDS else Succeeded((), 0.1)

    def result(self, _request_id: str, _model_id: str = "") -> State:
        """Tell its files, and note when."""
        self.answered, self.answered_cpu = time.perf_counter(), time.process_time()
        return Succeeded(self._files, 0.1)


def ours(files: Sequence[str], pixels_expected: int) -> tuple[torch.Tensor, dict[str, float]]:
    """Run a job as a node does; return its images, and the wall and processor seconds since its result."""
    api: Any = ScriptedApi(files)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        kept = FileCache(Path(folder, "kept"), KEEP_BYTES)
        downloader = Downloader(Trust((), origin(files[0])), "benchmarks")
        new_job = NewJob("fingerprint", "account", "model", "4K", 1)
        request = Request(new_job, len(files), pixels_expected, lambda: EncodedRequest(b"{}"))
        delivery = asyncio.run(
            JobRunner(api, journal, kept, downloader, account="account").run(request, QuietHost())
        )
        seconds = {"wall": time.perf_counter() - api.answered, "cpu": time.process_time() - api.answered_cpu}
        threads.finish()
        journal.close()
    return delivery.batches[0], seconds


def fresh_memory(files: Sequence[str]) -> None:
    """Touch memory of the result's size once: what the machine takes to hand it out."""
    torch.empty(len(files) * pixels_of(files[0]) * 3, device="cpu").fill_(0)


def pixels_of(url: str) -> int:
    """Return how many pixels a served image has."""
    with Image.open(io.BytesIO(requests.get(url).content)) as image:
        return image.width * image.height


def main(policy: str, files: Sequence[str]) -> None:
    """Print seconds, and the peak above the result as a share of it."""
    pixels = len(files) * pixels_of(files[0])
    peak = Peak()
    result: torch.Tensor | None
    match policy:
        case "ours":
            result, seconds = ours(files, pixels)
        case "unexpected":
            result, seconds = ours(files, 0)
        case "floor":
            result, seconds = timed(lambda: policies.decode_floor(files))
        case "common":
            result, seconds = timed(lambda: policies.decode_common(files))
        case _:
            result, seconds = timed(lambda: fresh_memory(files))
    size = 0 if result is None else result.numel() * result.element_size()
    memory = (peak.bytes() - size) / size if size else 0.0
    print(json.dumps({**seconds, "memory": memory}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
