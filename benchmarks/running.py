"""Runs of the pack's nodes outside ComfyUI, in a state folder of their own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodes.app.service import close_services
from nodes.comfyui.factory import node_class
from nodes.comfyui.previews import Shown
from nodes.core.jobs.progress import Progress
from nodes.core.media.host import FilesOnly, MediaHost
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.registry import load_models
from nodes.core.store.job import Author

from .measuring import ROOT

TEXT_TO_IMAGE: ModelSpec = next(spec for spec in load_models() if spec.command == "text-to-image")


class QuietHost:
    """A host and its observer that never stops and shows nothing."""

    def run_host(self) -> QuietHost:
        """Watch a run."""
        return self

    def interrupt(self) -> BaseException:
        """Return what Stop would raise."""
        return KeyboardInterrupt()

    def media_host(self) -> MediaHost:
        """Take images alone."""
        return FilesOnly(Path(os.environ["RUNCOMFY_STATE_DIR"]) / "lent", takes_all=False)

    def blocked(self, told: str) -> object:
        """Return what is told."""
        return told

    def shown(self, files: Sequence[Path]) -> Shown:
        """Show nothing."""
        del files
        return {}

    def show(self, files: Sequence[Path]) -> None:
        """Show nothing."""

    def state_folder(self) -> Path | None:
        """Leave the folder to the settings."""
        return None

    def author(self) -> Author:
        """Return nobody."""
        return Author()

    def stopped(self) -> bool:
        """Never stop."""
        return False

    def report(self, progress: Progress) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Api:
    """Where an emulator listens."""

    base_url: str
    token: str


@contextlib.contextmanager
def state(base_url: str, token: str) -> Iterator[Path]:
    """Point the pack at an API and at an empty state folder, and yield the folder."""
    with tempfile.TemporaryDirectory() as folder, _environment(base_url, token, folder):
        try:
            yield Path(folder)
        finally:
            close_services()


@contextlib.contextmanager
def emulator_process(run_seconds: float, *faults: str) -> Iterator[Api]:
    """Run the emulator in a process of its own: in ours, its threads would hold the interpreter."""
    command = [sys.executable, "-m", "emulator", "--port", "0", "--queue-seconds", "0", "--run-seconds"]
    befall = [part for fault in faults for part in ("--fault", fault)]
    with subprocess.Popen(
        [*command, str(run_seconds), *befall], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"_BASE=(\S+) RUNCOMFY_API_TOKEN=(\S+)", process.stdout.readline())
            if found is None:
                raise RuntimeError("the emulator did not start")
            yield Api(found[1], found[2])
        finally:
            process.terminate()


async def generate(prompt: str) -> None:
    """Run the text-to-image node to its end."""
    await node_class(TEXT_TO_IMAGE, QuietHost())().generate(prompt=[prompt])


@contextlib.contextmanager
def _environment(base_url: str, token: str, folder: str) -> Iterator[None]:
    kept = dict(os.environ)
    for name in [name for name in kept if name.startswith("RUNCOMFY_")]:
        del os.environ[name]
    os.environ.update(
        RUNCOMFY_MODEL_API_BASE=base_url, RUNCOMFY_API_TOKEN=token, RUNCOMFY_STATE_DIR=folder, HOME=folder
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
