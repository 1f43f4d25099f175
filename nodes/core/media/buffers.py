"""Memory for results that are about to come, got ready while their jobs run.

A machine hands out memory page by page, as each is first written, and a virtual one may have to ask its host. For
four images of 4096x4096 this takes from a tenth of a second to a whole one, as long as decoding them.
"""

from __future__ import annotations

import threading

import numpy as np

from .pixels import Floats

MAX_BYTES = 2**30
# Google's images of one resolution have up to an eighth more pixels than the square one. What of it is not
# written to is never handed out.
_MARGIN = 1.13
_VALUES_A_PIXEL = 3
_BYTES_A_VALUE = 4
_VALUES_A_PAGE = 1024


class BufferPool:
    """What is got ready and not yet filled, up to ``max_bytes`` at a time. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._left = max_bytes
        self._lock = threading.Lock()

    def take(self, pixels: int) -> Floats | None:
        """Return memory for about so many pixels; None where too much is taken already or none is left.

        Blocking, for up to a second for the largest results.
        """
        values = pixels * _VALUES_A_PIXEL
        length = int(values * _MARGIN)
        if not self._reserve(length * _BYTES_A_VALUE):
            return None
        try:
            memory = np.empty(length, np.float32)
        except (MemoryError, ValueError):
            self._reserve(-length * _BYTES_A_VALUE)
            return None
        memory[:values:_VALUES_A_PAGE] = 0
        return memory

    def give_back(self, memory: Floats | None) -> None:
        """Count what was taken no more: its images are in it, or none will come."""
        if memory is not None:
            self._reserve(-memory.nbytes)

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True
