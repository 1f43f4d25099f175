"""The files of a result on their way to the folder that a person named."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.config.settings import state_folder
from ..core.errors import ConfigError

# Beside the kept files, where what a broken process leaves behind is removed when room is needed.
_FOLDER = "kept"


@contextlib.contextmanager
def lending_folder() -> Iterator[Path]:
    """Make a folder for whole files until they are saved: where they are kept, so that links can stand for them.

    Raises:
        ConfigError: there is no place for it.
    """
    place = state_folder(os.environ, Path.home()) / _FOLDER
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigError("folder_unwritable", folder=str(place), error=error.strerror) from None
    with folder as name:
        yield Path(name)


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
