"""What the tests share: a host that records, a runner of nodes, and images."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emulator import Emulator
from nodes.app.service import close_services, open_service
from nodes.comfyui.collect import collect_class
from nodes.comfyui.factory import PackNode, node_class
from nodes.core.config.settings import read_settings
from nodes.core.jobs.progress import Progress, Stage
from nodes.core.media.host import MediaHost
from nodes.core.media.sound import decode_sound
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.registry import load_models
from nodes.core.store.job import Author, Job

ROOT = Path(__file__).resolve().parent.parent
MODELS = {spec.model_id: spec for spec in load_models()}
TEXT_TO_IMAGE = MODELS["google/nano-banana-2/text-to-image"]
PRO_EDIT = MODELS["google/nano-banana/pro/edit"]


class Interrupted(BaseException):
    """Stands for the host's own interrupt."""


@dataclass
class GraphMedia:
    """A host as a graph has it: sounds are decoded, videos are read from their files later."""

    folder: Path
    takes_all: bool = False

    def video(self, path: Path) -> Path:
        return path

    def audio(self, path: Path) -> dict[str, Any]:
        return decode_sound(path)


@dataclass(frozen=True)
class Blocked:
    """Stands for the host's own sign for an output with nothing at it."""

    told: str


class RecordingHost:
    """A host and its observer: keeps every report, and stops when a test says so."""

    def __init__(self) -> None:
        self.reports: list[Progress] = []
        self.stop_at: Stage | None = None
        self.stop_now = False
        self.arrived: list[list[Path]] = []
        self.media: MediaHost | None = None

    def run_host(self) -> RecordingHost:
        return self

    def interrupt(self) -> BaseException:
        return Interrupted()

    def media_host(self) -> MediaHost | None:
        return self.media

    def blocked(self, told: str) -> Blocked:
        return Blocked(told)

    def state_folder(self) -> Path | None:
        return None

    def shown(self, files: Sequence[Path]) -> dict[str, list[object]]:
        return {"images": [*files]} if files else {}

    def show(self, files: Sequence[Path]) -> None:
        self.arrived.append(list(files))

    def author(self) -> Author:
        """Nobody is known."""
        return Author()

    def stopped(self) -> bool:
        return self.stop_now

    def report(self, progress: Progress) -> None:
        self.reports.append(progress)
        if progress.stage is self.stop_at:
            self.stop_now = True

    @property
    def last(self) -> Progress:
        return self.reports[-1]

    @property
    def text(self) -> str:
        return "\n".join(report.text() for report in self.reports)


async def run_node(node: PackNode, **values: object) -> Any:
    """Run a node with one value for each input, as the host does it: in lists. Masks come last, if any."""
    ended: Any = await node.generate(**{name: [value] for name, value in values.items()})
    batches, (urls,), (request_id,), *masks = ended["result"]
    return (batches, urls, request_id, *masks)


class Runner:
    """Runs the pack's nodes against the emulator, in a state folder of the test."""

    def __init__(self, api: Emulator, state: Path) -> None:
        self.api = api
        self.state = state
        self.host = RecordingHost()

    def run(self, spec: ModelSpec, **values: object) -> tuple[list[torch.Tensor], str, str]:
        """Run a node as the host does: in a new event loop."""
        return asyncio.run(self.start(spec, **values))

    async def start(self, spec: ModelSpec, host: RecordingHost | None = None, **values: object):
        return await run_node(node_class(spec, host or self.host)(), **values)

    def run_list(self, spec: ModelSpec, **lists: list[object]) -> tuple[list[torch.Tensor], list[str], list[str]]:
        """Run a node with a list of values for each input."""
        ended: Any = asyncio.run(node_class(spec, self.host)().generate(**lists))
        return ended["result"]

    def collect(self, request_id: object) -> tuple[list[torch.Tensor], str, str]:
        """Run the node that collects, and return what it returns of a job of images."""
        images, urls, request_id, *_ = self.collect_all(request_id)
        return images, urls, request_id

    def collect_all(self, request_id: object) -> tuple[list[Any], str, str, list[Any], list[Any]]:
        """Run the node that collects, and return all that it returns: videos and sounds last."""
        self.host.media = self.host.media or GraphMedia(self.state / "shown")
        return asyncio.run(run_node(collect_class(self.host)(), request_id=request_id))

    def text_to_image(self, prompt: str = "a fox", **values: object) -> tuple[list[torch.Tensor], str, str]:
        return self.run(TEXT_TO_IMAGE, prompt=prompt, **values)

    def pro_edit(self, prompt: str = "make it blue", **values: object) -> tuple[list[torch.Tensor], str, str]:
        return self.run(PRO_EDIT, prompt=prompt, **values)

    def jobs(self) -> list[Job]:
        """Return the journal, newest first."""
        settings = read_settings(os.environ, Path.home())
        return open_service(settings).journal.recent()

    def restart(self) -> None:
        """Forget everything that a new process would not know."""
        close_services()
        self.host = RecordingHost()


def image(height: int = 48, width: int = 64, count: int = 1, seed: int = 0) -> torch.Tensor:
    """Return float32 ``[count,height,width,3]`` whose values are 8-bit ones."""
    values = torch.randint(0, 256, (count, height, width, 3), generator=torch.Generator().manual_seed(seed))
    return values.to(torch.float32) / 255
