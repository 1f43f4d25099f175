"""A passing folder for the whole files of a result, until they are where they are wanted."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import ConfigError

KEPT = "kept"


@contextlib.contextmanager
def lending_folder(state_folder: Path) -> Iterator[Path]:
    """Make a folder where the files are kept, so that links can stand for them. Blocking.

    What a broken process leaves behind there is removed when room is needed.

    Raises:
        ConfigError: there is no place for it.
    """
    place = state_folder / KEPT
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigError("folder_unwritable", folder=str(place), error=error.strerror) from None
    with folder as name:
        yield Path(name)
