"""A small file of the state folder: readable by its owner only, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from ..errors import FREE_DISK, ConfigError


def write_private(path: Path, text: str) -> None:
    """Write a file in place of the one before it; its folder is made where there is none. Blocking.

    Raises:
        ConfigError: the folder cannot be written. The message quotes nothing of the text.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise unwritable(path.parent, error) from None


def unwritable(folder: Path, error: OSError) -> ConfigError:
    """Return the error of a folder that cannot be written."""
    return ConfigError("folder_unwritable", folder=str(folder), error=type(error).__name__, next=(FREE_DISK,))
