"""The files of a run as the host's page shows them on a node: by their places in its folders. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Shown: TypeAlias = dict[str, list[object]]
Prompt: TypeAlias = Mapping[str, Mapping[str, Any]]

SOUNDS = frozenset({".mp3", ".wav", ".flac", ".ogg", ".m4a", ".aac"})
VIDEOS = frozenset({".mp4", ".webm", ".mov", ".mkv", ".avi"})
SHOWING = frozenset(
    {
        *("PreviewImage", "SaveImage", "SaveAnimatedWEBP", "SaveAnimatedPNG", "SaveVideo", "SaveWEBM"),
        *("PreviewAudio", "SaveAudio", "SaveAudioMP3", "SaveAudioOpus"),
    }
)
"""The host's nodes that show all that comes to them."""
_INPUTS = {"images": "image", "video": "video", "audio": "audio"}
"""What their inputs are called, and the medium of each."""


def shown(files: Sequence[Path], folder: Path, kind: str = "temp") -> Shown:
    """Return what the host calls the ``ui`` of a node. ``folder``, its folder of a kind, holds the files."""
    sounds = [file for file in files if file.suffix in SOUNDS]
    # The host shows videos among the images, and plays them where it is told that something moves.
    images = [file for file in files if file.suffix not in SOUNDS]
    ui: Shown = {}
    if images:
        ui["images"] = [_place(file, folder, kind) for file in images]
    if any(file.suffix in VIDEOS for file in images):
        ui["animated"] = [True]
    if sounds:
        ui["audio"] = [_place(file, folder, kind) for file in sounds]
    return ui


def media_shown_next(prompt: Prompt, node: str) -> frozenset[str]:
    """Return the media that lead from a node straight to one that shows them."""
    showing = [each.get("inputs", {}) for each in prompt.values() if each.get("class_type") in SHOWING]
    return frozenset(
        medium for name, medium in _INPUTS.items() if any(_comes_from(node, one.get(name)) for one in showing)
    )


def not_shown_next(files: Sequence[Path], media: Collection[str]) -> list[Path]:
    """Return the files that no node shows which follows."""
    return [file for file in files if _medium(file) not in media]


def _comes_from(node: str, value: object) -> bool:
    """Whether a value of an input is a link from a node."""
    return isinstance(value, list) and value[:1] == [node]


def _medium(file: Path) -> str:
    return "audio" if file.suffix in SOUNDS else "video" if file.suffix in VIDEOS else "image"


def _place(file: Path, folder: Path, kind: str) -> dict[str, str]:
    return {"filename": file.name, "subfolder": "/".join(file.relative_to(folder).parts[:-1]), "type": kind}
