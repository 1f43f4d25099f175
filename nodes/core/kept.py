"""The kept originals of delivered jobs: files in the state folder, the least recently used out first."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

FOLDER_NAME = "kept"


class Kept:
    """Up to ``max_bytes`` of original files, one folder a job. With 0, nothing is kept. Thread-safe."""

    def __init__(self, state_folder: Path, max_bytes: int) -> None:
        self._root = state_folder / FOLDER_NAME
        self._max_bytes = max_bytes

    def put(self, name: str, files: list[bytes]) -> bool:
        """Keep the originals of a job, all or none, and make room for them; whether they are kept."""
        if not self._max_bytes or sum(map(len, files)) > self._max_bytes:
            return False
        self._root.mkdir(mode=0o700, exist_ok=True)
        target = self._root / name
        draft = _beside(target)
        draft.mkdir(mode=0o700)
        try:
            for index, data in enumerate(files):
                (draft / f"{index:02}").write_bytes(data)
            _remove(target)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._make_room()
        return True

    def get(self, name: str) -> list[Path]:
        """Return the originals of a job in order, and note the use; none when they are not kept."""
        folder = self._root / name
        with contextlib.suppress(OSError):
            files = sorted(folder.iterdir())
            os.utime(folder)
            return files
        return []

    def _make_room(self) -> None:
        folders = []
        for folder in self._root.iterdir():
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in folder.iterdir())
                folders.append((folder.stat().st_mtime, size, folder))
        total = sum(size for _, size, _ in folders)
        for _, size, folder in sorted(folders, key=lambda entry: entry[0]):
            if total <= self._max_bytes:
                break
            _remove(folder)
            total -= size


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{os.getpid()}.{time.monotonic_ns()}")


def _remove(folder: Path) -> None:
    """Remove a folder at one stroke for its readers: they find all of it or nothing."""
    doomed = _beside(folder)
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
