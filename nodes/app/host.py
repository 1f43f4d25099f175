"""What the nodes need of the program that runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..core.jobs.waiting import RunHost
from ..core.media.host import MediaHost
from ..core.store.job import Author


class Host(Protocol):
    """What a node needs of the program that runs it: ComfyUI, or a shell."""

    def run_host(self) -> RunHost:
        """Return who watches the node that is being run now."""

    def interrupt(self) -> BaseException:
        """Return what to raise after Stop."""

    def media_host(self) -> MediaHost | None:
        """Return who takes the files of results; without one, images alone can be delivered."""

    def state_folder(self) -> Path | None:
        """Return a folder for the pack's files that the host does not serve, or None."""

    def author(self) -> Author:
        """Return who runs the node now, as far as the host knows: call it in the node's own context."""
