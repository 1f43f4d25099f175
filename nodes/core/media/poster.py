"""A still of a video, for whoever looks through a list of them. PyAV is the host's; without it there is none."""

from __future__ import annotations

import logging
from pathlib import Path

from PIL import Image

from .bounds import MAX_PIXELS

# A video that begins with nothing to see is shown a little later, where it has so many frames.
_LOOKS = 24
_DARK = 16

log = logging.getLogger(__name__)


def poster(path: Path, edge: int) -> Image.Image | None:
    """Return the first frame of a video that is not all dark, RGB, of at most ``edge`` pixels a side. Blocking.

    None where there is no PyAV, no frame, or too many pixels in one.
    """
    try:
        import av
    except ImportError:
        return None
    try:
        with av.open(str(path)) as container:
            still = _still(container)
    except (av.FFmpegError, ValueError) as error:
        log.info("There is no still of a kept video (%s).", type(error).__name__)
        return None
    if still is not None:
        still.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return still


def _still(container: object) -> Image.Image | None:
    streams = container.streams.video  # type: ignore[attr-defined]
    if not streams or streams[0].width * streams[0].height > MAX_PIXELS:
        return None
    streams[0].thread_type = "NONE"
    first = None
    for _, frame in zip(range(_LOOKS), container.decode(streams[0]), strict=False):  # type: ignore[attr-defined]
        still: Image.Image = frame.to_image()
        first = first or still
        if max(high for _, high in still.getextrema()) > _DARK:  # type: ignore[misc]
            return still
    return first
