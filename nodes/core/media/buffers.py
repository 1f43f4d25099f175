"""Memory for results, made ready while their jobs run.

The system provides memory page by page, when a page is first written to. For four images of 4096x4096 this takes
from 0.1 to 1 s, as long as decoding them; so it is done before they arrive.
"""

from __future__ import annotations

import threading

import numpy as np

from .pixels import Floats

MAX_BYTES = 2**30
# The images of one resolution have up to an eighth more pixels than its square one. Pages that are not written to
# take no memory.
_MARGIN = 1.13
_VALUES_A_PIXEL = 3
_BYTES_A_VALUE = 4
_VALUES_A_PAGE = 1024


class BufferPool:
    """Hands out memory that is ready to be filled, up to ``max_bytes`` at a time. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._left = max_bytes
        self._lock = threading.Lock()

    def take(self, pixels: int) -> Floats | None:
        """Return memory for about so many RGB pixels; None if that would pass the limit or the machine has no more.

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
        """Stop counting what was taken: its images are in it, or none will come."""
        if memory is not None:
            self._reserve(-memory.nbytes)

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True
