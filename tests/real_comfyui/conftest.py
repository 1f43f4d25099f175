"""Fixtures: one ComfyUI with one emulator for the whole session, put back in order after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_comfyui.host import Comfy, installation

from emulator import Emulator

SECRET = "rc-this-token-must-not-be-seen-anywhere-4711"


@pytest.fixture(scope="session")
def account() -> Iterator[Emulator]:
    with Emulator(token=SECRET) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def started(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    if installation() is None:
        pytest.skip("COMFYUI_PATH is not set")
    with Comfy(tmp_path_factory.mktemp("comfyui"), account) as comfy:
        yield comfy


@pytest.fixture
def api(account: Emulator) -> Iterator[Emulator]:
    """The emulator. It knows the jobs of earlier tests: ask for those of a prompt of your own."""
    yield account
    release(account)


@pytest.fixture
def comfy(started: Comfy, api: Emulator) -> Iterator[Comfy]:
    yield started
    release(api)
    if not started.idle():
        started.interrupt()
        started.until(started.idle, "ComfyUI is idle")


@pytest.fixture
def fresh_folder(tmp_path: Path) -> Path:
    """The folder of a ComfyUI that a test may kill."""
    if installation() is None:
        pytest.skip("COMFYUI_PATH is not set")
    return tmp_path / "comfyui"


def release(api: Emulator) -> None:
    api.hold = api.hold_running = False
    api.queue_seconds = api.run_seconds = 0.0
    api.clear_faults()
    for job in api.jobs:
        api.finish(job.request_id)
