"""Files kept in the state folder, up to a number of bytes: the least recently used out first."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from pathlib import Path

log = logging.getLogger(__name__)


class Kept:
    """Up to ``max_bytes`` of files, one folder an entry, in ``root``. With 0, nothing is kept. Thread-safe."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes

    def draft(self, name: str) -> Draft:
        """Begin an entry; nobody finds it before all of it is kept."""
        return Draft(self, self._root / name, self._max_bytes)

    def get(self, name: str) -> list[Path]:
        """Return the files of an entry in order, and note the use; none when they are not kept."""
        folder = self._root / name
        with contextlib.suppress(OSError):
            files = sorted(folder.iterdir())
            os.utime(folder)
            return files
        return []

    def make_room(self) -> None:
        """Remove what was not used for longest until the rest fits."""
        folders = []
        for folder in self._root.iterdir():
            with contextlib.suppress(OSError):
                folders.append((folder.stat().st_mtime, _size(folder), folder))
        total = sum(size for _, size, _ in folders)
        for _, size, folder in sorted(folders, key=lambda entry: entry[0]):
            if total <= self._max_bytes:
                break
            _remove(folder)
            total -= size


class Draft:
    """An entry on its way into the store, all of it or none. Blocking; files may be added from several threads.

    What stands against it, such as a full disk, costs the kept copy alone: it is logged, and nothing is raised.
    """

    def __init__(self, kept: Kept, target: Path, max_bytes: int) -> None:
        self._kept = kept
        self._target = target
        self._folder = _beside(target)
        self._max_bytes = max_bytes
        self._wanted = max_bytes > 0

    def add(self, index: int, data: bytes) -> None:
        """Write file number ``index``, from 0 to 99."""
        self._wanted = self._wanted and len(data) <= self._max_bytes
        if not self._wanted:
            return
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / f"{index:02}").write_bytes(data)
        except OSError as error:
            self._give_up(error)

    def keep(self) -> None:
        """Put the entry in place, also of an older one of its name, and make room for it."""
        try:
            if self._wanted and _size(self._folder) <= self._max_bytes:
                _remove(self._target)
                self._folder.rename(self._target)
                self._kept.make_room()
        except OSError as error:
            self._give_up(error)
        self.discard()

    def discard(self) -> None:
        """Remove what was written and is not kept; nothing more is written."""
        self._wanted = False
        shutil.rmtree(self._folder, ignore_errors=True)

    def _give_up(self, error: OSError) -> None:
        if self._wanted:
            log.warning("%s is not kept: %s", self._target.name, error)
        self._wanted = False


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{os.getpid()}.{time.monotonic_ns()}")


def _remove(folder: Path) -> None:
    """Remove a folder at one stroke for its readers: they find all of it or nothing."""
    doomed = _beside(folder)
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
