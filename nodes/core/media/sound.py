"""Sounds <-> files, by the PyAV of the host. AUDIO is ``{"waveform": float32 [B,C,T], "sample_rate": Hz}``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import FETCH_AGAIN, DownloadError, TooLarge, Undecodable, step
from .pixels import MORE_MEMORY

Samples: TypeAlias = NDArray[np.float32]
Audio: TypeAlias = dict[str, Any]

# Of all channels together: 46 minutes of stereo at 48 kHz, 1 GiB in memory.
MAX_SAMPLES = 2**28


def decode_sound(path: Path) -> Audio:
    """Return the first track of a sound file as an AUDIO of one: ``waveform`` is float32 ``[1,C,T]``. Blocking.

    Raises:
        Undecodable: there is no sound in it, or it is damaged. TooLarge: it has too many samples, or more than the
            memory holds. DownloadError: PyAV is not there.
    """
    try:
        samples, rate = _decoded(path)
        waveform = torch.from_numpy(np.concatenate(samples, axis=1)).unsqueeze(0)
    except MemoryError:
        raise TooLarge("no_memory_left", next=MORE_MEMORY) from None
    return {"waveform": waveform, "sample_rate": rate}


def _decoded(path: Path) -> tuple[list[Samples], int]:
    """Return the pieces of the first track of sound, and its samples a second."""
    av = _av()
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise Undecodable("file_without_sound")
            rate = int(container.streams.audio[0].codec_context.sample_rate)
            samples = list(_bounded(_samples(av, container)))
    except (av.FFmpegError, ValueError) as error:
        raise Undecodable("file_undecodable", error=type(error).__name__) from None
    if not samples or rate <= 0:
        raise Undecodable("file_without_sound")
    return samples, rate


def encode_sound(waveform: torch.Tensor, sample_rate: int, codec: str) -> bytes:
    """Return a sound, float ``[C,T]`` in -1..1, as a FLAC or WAV file of 16 bits a sample. Blocking.

    Raises:
        DownloadError: PyAV is not there.
    """
    av = _av()
    # The scale that 16-bit sounds are decoded by, so that one of them is sent as it was.
    pcm = np.clip(np.rint(waveform.to("cpu", torch.float32).numpy() * 2**15), -(2**15), 2**15 - 1).astype(np.int16)
    into = io.BytesIO()
    layout = {1: "mono", 2: "stereo"}.get(len(pcm), f"{len(pcm)}c")
    with av.open(into, "w", format=codec) as container:
        stream = container.add_stream("flac" if codec == "flac" else "pcm_s16le", rate=sample_rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm.T).reshape(1, -1), "s16", layout)
        frame.sample_rate = sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return into.getvalue()


def _samples(av: Any, container: Any) -> Iterator[Samples]:
    """Yield float32 ``[C,T]`` in -1..1, whatever the file holds."""
    resampler = av.AudioResampler(format="fltp")
    for frame in container.decode(audio=0):
        for plain in resampler.resample(frame):
            yield plain.to_ndarray()
    for plain in resampler.resample(None):
        yield plain.to_ndarray()


def _bounded(pieces: Iterator[Samples]) -> Iterator[Samples]:
    left = MAX_SAMPLES
    for piece in pieces:
        left -= piece.size
        if left < 0:
            raise TooLarge("sound_too_long", limit=MAX_SAMPLES)
        yield piece


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise DownloadError("pyav_missing", next=(step("install_pyav"), FETCH_AGAIN)) from None
    return av
