"""One policy of decoding in a process of its own, so that its peak of memory is its own."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import requests
import torch
from PIL import Image

from nodes.core import workers
from nodes.core.collection import collect
from nodes.core.downloads import Downloader, Trust
from nodes.core.retry import What
from nodes.core.urls import origin
from nodes.core.waiting import Clock, Watch

from . import policies
from .measuring import Peak
from .running import QuietHost

T = TypeVar("T")


def ours(urls: Sequence[str]) -> torch.Tensor:
    """Collect the files as a run does."""

    async def run() -> torch.Tensor:
        watch = Watch(QuietHost(), Clock(), 600.0)

        async def read(_: What, call: Callable[[], T]) -> T:
            return await watch.result(workers.start(call))

        downloader = Downloader(Trust((), origin(urls[0])), "benchmarks")
        batches, _ = await collect(urls, downloader, read, lambda _: None)
        return batches[0]

    return asyncio.run(run())


def fresh_memory(urls: Sequence[str]) -> None:
    """Touch memory of the result's size once: what the machine takes to hand it out."""
    with Image.open(io.BytesIO(requests.get(urls[0]).content)) as image:
        torch.empty((len(urls), image.height, image.width, 3), device="cpu").fill_(0)


def main(policy: str, urls: Sequence[str]) -> None:
    """Print seconds, and the peak above the result as a share of it."""
    function: Callable[[Sequence[str]], torch.Tensor | None] = {
        "ours": ours,
        "floor": policies.decode_floor,
        "common": policies.decode_common,
        "memory": fresh_memory,
    }[policy]
    peak, wall, cpu = Peak(), time.perf_counter(), time.process_time()
    result = function(urls)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = 0 if result is None else result.numel() * result.element_size()
    memory = (peak.bytes() - size) / size if size else 0.0
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": memory}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
