"""What the program that runs the nodes makes of the whole files of a result."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class MediaHost(Protocol):
    """Turns files into what its nodes hand on, and has a folder where they lie as long as it may read them."""

    @property
    def folder(self) -> Path:
        """Where files are lent to it: it removes them itself, later."""

    @property
    def takes_all(self) -> bool:
        """Whether files are all that it takes: of whatever medium, and images not as tensors."""

    def video(self, path: Path) -> Any:
        """Return a video as its nodes take it. Blocking.

        Raises:
            DownloadError: it cannot be used.
        """

    def audio(self, path: Path) -> Any:
        """Return a sound as its nodes take it. Blocking.

        Raises:
            DownloadError: it cannot be used.
        """


@dataclass(frozen=True)
class FilesOnly:
    """A host that wants the files as they came, of whatever medium."""

    folder: Path
    takes_all: bool = True

    def video(self, path: Path) -> Path:
        """Return the file."""
        return path

    def audio(self, path: Path) -> Path:
        """Return the file."""
        return path


def lend(source: Path | bytes, folder: Path, name: str) -> Path:
    """Let a file lie in another folder as well, under this name, and return its path there. Blocking.

    It takes no room there where the file system can link it. Removing the one leaves the other.

    Raises:
        OSError: there is no room for it.
    """
    target = folder / name
    with contextlib.suppress(OSError):
        if isinstance(source, Path) and target.samefile(source):
            return target
    folder.mkdir(parents=True, exist_ok=True)
    passing = folder / f".{name}.{secrets.token_hex(8)}"
    try:
        _put(source, passing)
        os.replace(passing, target)
    finally:
        passing.unlink(missing_ok=True)
    return target


def _put(source: Path | bytes, target: Path) -> None:
    if isinstance(source, bytes):
        target.write_bytes(source)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
