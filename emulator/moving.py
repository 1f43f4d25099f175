"""Makes videos and sounds that play: short, small, and the same for the same request."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

FRAMES_A_SECOND = 12
RATE = 44100
# So long a file is at most, whatever was asked and is charged for.
MOST_SECONDS = 2.0
# How much of a video's image is out of sight at its end.
_ZOOM = 0.16
_VIDEO_CODECS = {"mp4": ("libx264", "mpeg4"), "mov": ("libx264", "mpeg4"), "webm": ("libvpx-vp9", "libvpx")}
_SOUND_CODECS = {"mp3": "libmp3lame", "wav": "pcm_s16le", "flac": "flac"}


def require_library() -> None:
    """Raises: RuntimeError where neither videos nor sounds can be made."""
    _av()


def make_video(
    image: Image.Image,
    seconds: float,
    *,
    ending: str,
    sound: bool,
    key: str,
    finish: Callable[[Image.Image], None] = lambda _: None,
) -> bytes:
    """Return a video: the image, that comes nearer; ``finish`` adds to each frame what does not move.

    Each side of the image is even.
    """
    av, into = _av(), io.BytesIO()
    still = image.convert("RGB")
    frames = max(2, round(min(seconds, MOST_SECONDS) * FRAMES_A_SECOND))
    with av.open(into, "w", format=ending) as container:
        stream = container.add_stream(_codec(av, _VIDEO_CODECS[ending]), rate=FRAMES_A_SECOND)
        stream.width, stream.height, stream.pix_fmt = image.width, image.height, "yuv420p"
        # One thread: the same request gives the same bytes, on any number of processors.
        stream.thread_count = 1
        voice = container.add_stream("libopus" if ending == "webm" else "aac", rate=48000) if sound else None
        for number in range(frames):
            frame = _nearer(still, number / frames)
            finish(frame)
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))
        if voice is not None:
            _add_sound(av, container, voice, frames / FRAMES_A_SECOND, 48000, key)
    return into.getvalue()


def make_sound(seconds: float, *, ending: str, key: str) -> bytes:
    """Return a sound: a chord that its key decides."""
    av, into = _av(), io.BytesIO()
    with av.open(into, "w", format=ending) as container:
        stream = container.add_stream(_SOUND_CODECS[ending], rate=RATE, layout="stereo")
        _add_sound(av, container, stream, min(seconds, MOST_SECONDS), RATE, key)
    return into.getvalue()


def padded(video: bytes, padding: int) -> tuple[bytes, int]:
    """Return an MP4 with a box behind it that holds ``padding`` bytes of nothing: its bytes without these.

    Beside it stands how many zeros follow.
    """
    return video + (1).to_bytes(4, "big") + b"free" + (padding + 16).to_bytes(8, "big"), padding


def _nearer(image: Image.Image, share: float) -> Image.Image:
    """Return an image seen from nearer, and a little from the side: ``share`` 0 is all of it."""
    width, height = image.size
    cut = _ZOOM * share
    left, top = width * cut * 0.65, height * cut * 0.4
    box = (left, top, left + width * (1 - cut), top + height * (1 - cut))
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def _add_sound(av: Any, container: Any, stream: Any, seconds: float, rate: int, key: str) -> None:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    moments = np.arange(int(seconds * rate)) / rate
    voices = [np.sin(2 * np.pi * (110 + byte) * moments) for byte in digest[:4]]
    both = np.stack([voices[0] + voices[1], voices[2] + voices[3]], axis=1) * 0.3
    samples = (both * 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _codec(av: Any, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in av.codecs_available), names[-1])


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise RuntimeError("videos and sounds need the package PyAV: python -m pip install av") from error
    return av
