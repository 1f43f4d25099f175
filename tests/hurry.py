"""Runs in which waiting takes no time and hanging answers are given up after a second."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from makers import by_pillow, eight_bit, file_in

from emulator import Emulator, Job
from nodes.app.service import Service, open_service
from nodes.core.api.client import Client, Timeouts
from nodes.core.config.settings import read_settings
from nodes.core.http.download import Downloader, Trust
from nodes.core.jobs.waiting import Clock

FILE_CAP = 4 * 2**20
USER_AGENT = "tests"


class Skipping(Clock):
    """A clock that a sleep moves on at once."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


def service() -> Service:
    """Return the service that the nodes of this test use."""
    return open_service(read_settings(os.environ, Path.home()))


def hurry(seconds: float = 1.0) -> Skipping:
    """Let the nodes of this test wait in skipped time, with ``seconds`` for any answer; return their clock."""
    service().jobs.clock = clock = Skipping()
    limit(seconds)
    return clock


def limit(seconds: float) -> None:
    """Let the nodes of this test wait no longer than ``seconds`` for any answer."""
    one = service()
    one.client.close()
    one.jobs.downloader.close()
    timeouts = Timeouts(submit=seconds, read=seconds, result=seconds)
    one.client = one.jobs.client = Client(one.settings.base_url, one.settings.token, USER_AGENT, timeouts=timeouts)
    trust = Trust(one.settings.download_hosts, one.settings.local_origin)
    one.jobs.downloader = Downloader(trust, USER_AGENT, max_bytes=FILE_CAP, timeout=seconds)


def drawn(api: Emulator, job: Job) -> list[np.ndarray]:
    """Return the images that the API made for a job: uint8 ``[H,W,3]``."""
    return [by_pillow(_bytes(api, uri)) for uri in api.files.uris(job)]


def _bytes(api: Emulator, uri: str) -> bytes:
    if uri.startswith("data:"):
        return file_in(uri)
    found = api.files.find(uri.removeprefix(api.origin))
    assert found is not None
    return api.files.read(*found)


def delivered(batches: list[torch.Tensor]) -> list[np.ndarray]:
    """Return the images of a node's output: uint8 ``[H,W,3]``, of several sizes in the order of the batches."""
    return [eight_bit(image) for batch in batches for image in batch]


def same(got: list[np.ndarray], wanted: list[np.ndarray]) -> bool:
    """Whether two lists hold equal images."""
    return len(got) == len(wanted) > 0 and all(map(np.array_equal, got, wanted))


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what happens in the background, so many seconds at most."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited {seconds:.0f} s in vain"
        time.sleep(0.01)
