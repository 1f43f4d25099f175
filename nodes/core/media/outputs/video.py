"""Videos out of a result: streamed onto the disk, and handed on one by one as the host's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..host import MediaHost
from ..streamed import StreamedOutput


class VideoOutput(StreamedOutput):
    """Hands on videos; the graph decodes them."""

    max_bytes = 4 * 2**30
    seconds = 1800.0

    def turn(self, host: MediaHost) -> Callable[[Path], Any]:
        """Return what makes the host's own of a file."""
        return host.video


OUTPUT = VideoOutput()
