"""The files of a run as the host's page shows them on a node: by their places in its folders. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def is_shown_next(prompt: Prompt, node: str) -> bool:
    """Whether the first output of a node leads straight to one that shows it."""
    return any(
        each.get("class_type") in SHOWING and [node, 0] in each.get("inputs", {}).values()
        for each in prompt.values()
    )


def _place(file: Path, folder: Path, kind: str) -> dict[str, str]:
    return {"filename": file.name, "subfolder": "/".join(file.relative_to(folder).parts[:-1]), "type": kind}
