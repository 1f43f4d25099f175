"""Sounds out of a result: AUDIO is ``{"waveform": float32 [1,C,T], "sample_rate": Hz}``, one for each file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..host import MediaHost
from ..streamed import StreamedOutput


class AudioOutput(StreamedOutput):
    """Hands on sounds as the host decodes them."""

    max_bytes = 2**30
    seconds = 600.0

    def turn(self, host: MediaHost) -> Callable[[Path], Any]:
        """Return what makes the host's own of a file."""
        return host.audio


OUTPUT = AudioOutput()
