"""Sounds over sockets: AUDIO is ``{"waveform": float [B,C,T], "sample_rate": Hz}``, sent as WAV or FLAC."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import InvalidInput
from ...texts import Note
from ..encode import DoesNotFit, Encoded
from ..file_type import AUDIO
from ..originals import FileContent, MediaFile, check_length, load_file

if TYPE_CHECKING:
    import torch

MAX_CHANNELS = 8
_MAX_RATE = 768_000
# 16 bits a sample; what FLAC makes of music is about half of it, and of silence next to nothing.
_BYTES_A_SAMPLE = 2


@dataclass(frozen=True)
class SoundContent:
    """One sound: float ``[C,T]``, and its samples a second."""

    waveform: torch.Tensor
    sample_rate: int

    @property
    def least_bytes(self) -> int:
        """Nothing: how far it shrinks is not known."""
        return 0

    def hash(self) -> str:
        """Return a hash of the rate, the shape and every sample."""
        import torch

        digest = hashlib.sha256(f"{self.sample_rate} {tuple(self.waveform.shape)}".encode())
        digest.update(self.waveform.to("cpu", torch.float32).contiguous().numpy().data)
        return digest.hexdigest()

    def original(self, limit: int) -> None:  # noqa: ARG002
        """Return nothing: there is no file of it."""
        return None

    def encode(self, limit: int, too_large: Encoded | None) -> Encoded:  # noqa: ARG002
        """Return it as WAV, which everything reads, else as FLAC, which is smaller; both keep 16 bits."""
        from ..sound import encode_sound

        found = 0
        for codec in ("wav", "flac"):
            if codec == "wav" and self.waveform.numel() * _BYTES_A_SAMPLE > limit:
                continue
            data = encode_sound(self.waveform, self.sample_rate, codec)
            found = len(data)
            if found <= limit:
                return Encoded(codec, None, data, 0, 0, medium=AUDIO)
        raise DoesNotFit(limit, found)

    def changed(self, sent: Note, encoded: Encoded) -> Note:  # noqa: ARG002
        """Add nothing."""
        return sent


class AudioInput:
    """Reads the sounds of an AUDIO, or a file of the shell."""

    def count(self, socket: str, value: object) -> int:
        """Return how many sounds a batch holds."""
        return 1 if isinstance(value, MediaFile) else len(_checked(socket, value)[0])

    def read(self, socket: str, value: object, limit: int) -> list[FileContent | SoundContent]:
        """Return the sounds of a batch, in order."""
        if isinstance(value, MediaFile):
            check_length(socket, value.length, limit)
            return [FileContent(value, AUDIO)]
        import torch

        waveform, rate = _checked(socket, value)
        if not bool(torch.isfinite(waveform).all()):
            raise InvalidInput(socket, "audio_shape", found="NaN")
        return [SoundContent(one.detach(), rate) for one in waveform]

    def load(self, flag: str, path: Path) -> MediaFile:
        """Return a sound file."""
        return load_file(flag, path, AUDIO)


def _checked(socket: str, value: object) -> tuple[torch.Tensor, int]:
    """Return the waveform of an AUDIO and its sample rate.

    Raises:
        InvalidInput.
    """
    import torch

    waveform = value.get("waveform") if isinstance(value, Mapping) else None
    rate = value.get("sample_rate") if isinstance(value, Mapping) else None
    if not isinstance(waveform, torch.Tensor):
        raise InvalidInput(socket, "not_of_type", wanted="AUDIO", found=type(value).__name__)
    shape = f"{waveform.dtype} [{'x'.join(map(str, waveform.shape))}]"
    usable = waveform.ndim == 3 and waveform.dtype.is_floating_point and waveform.numel() > 0
    if not usable or waveform.shape[1] > MAX_CHANNELS:
        raise InvalidInput(socket, "audio_shape", found=shape)
    if isinstance(rate, bool) or not isinstance(rate, int) or not 0 < rate <= _MAX_RATE:
        raise InvalidInput(socket, "audio_shape", found=f"sample_rate {rate!r:.20}")
    return waveform, rate


INPUT = AudioInput()
