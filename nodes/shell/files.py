"""The files of a result on their way to the folder that a person named."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path


def save(files: Sequence[Path], folder: Path, name: str) -> list[Path]:
    """Copy files as they came to ``name-1`` .. with their endings, and return their paths.

    Raises:
        OSError: the folder cannot be written. No part of a file is left.
    """
    paths = [folder / f"{name}-{number}{file.suffix}" for number, file in enumerate(files, 1)]
    for file, path in zip(files, paths, strict=True):
        try:
            # Not a link: whoever edits the file must not edit the kept one.
            shutil.copyfile(file, path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return paths
