"""Files kept in the state folder, up to a number of bytes: the least recently used are removed first."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

_LABEL = "job.json"
_NUMBER = re.compile(r"[0-9]{2}")
# Of a job, of one that is not in the record, or of an encoding; and what is beside it on its way in or out.
_ENTRY = re.compile(r"([0-9a-f]{16,}(-[0-9]+)?|unrecorded-[\w-]+)(\.[0-9]+\.[0-9a-f]{16})*", re.ASCII)

log = logging.getLogger(__name__)


class FileCache:
    """Up to ``max_bytes`` of files in ``root``, one folder for each entry. With 0, nothing is kept. Thread-safe.

    ``root`` may be shared by hosts: an entry is there for every reader as a whole, or not at all. Entries are as
    private as the folder that they are in; one that is made is its owner's alone. What else lies in ``root`` is
    left alone: a person may have chosen it.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self.max_bytes = max_bytes

    def writer(self, name: str) -> CacheWriter:
        """Begin an entry; nobody finds any of it before ``commit``."""
        return CacheWriter(self, self._root / name)

    def get(self, name: str) -> dict[int, Path]:
        """Return the kept files of an entry by their numbers, in order, and note the use."""
        files = self.look(name)
        with contextlib.suppress(OSError):
            os.utime(self._root / name)
        return files

    def look(self, name: str) -> dict[int, Path]:
        """Return the kept files of an entry by their numbers, in order; to look at them is no use of them.

        What else lies in its folder, such as a ``.DS_Store``, is not the pack's.
        """
        with contextlib.suppress(OSError):
            paths = sorted((self._root / name).iterdir())
            return {int(path.name): path for path in paths if _NUMBER.fullmatch(path.name)}
        return {}

    def remove(self, name: str) -> None:
        """Remove an entry, if there is one."""
        _remove(self._root / name)

    def label(self, name: str, text: str) -> None:
        """Write a text beside the files of an entry, where it is kept and has none."""
        path = self._root / name / _LABEL
        draft = _beside(path)
        try:
            if path.parent.is_dir() and not path.exists():
                draft.write_text(text, encoding="utf-8")
                draft.replace(path)
        except OSError as error:
            log.warning("%s is kept without a label: %s", name, error)
            with contextlib.suppress(OSError):
                draft.unlink()

    def labels(self) -> Iterator[str]:
        """Go through the texts beside the entries, in no order."""
        for path in self._root.glob(f"*/{_LABEL}"):
            with contextlib.suppress(OSError, ValueError):
                yield path.read_text(encoding="utf-8")

    def make_room(self) -> None:
        """Remove the least recently used entries until the rest fits."""
        entries = []
        with contextlib.suppress(OSError):
            for folder in filter(_is_entry, self._root.iterdir()):
                with contextlib.suppress(OSError):
                    entries.append((folder.stat().st_mtime, _size(folder), folder))
        total = sum(size for _, size, _ in entries)
        for _, size, folder in sorted(entries):
            if total <= self.max_bytes:
                break
            _remove(folder)
            total -= size


class CacheWriter:
    """An entry on its way into the store: all that was added, or nothing. Blocking; from several threads.

    Nothing is raised: a problem such as a full disk is logged, and the entry is not kept.
    """

    def __init__(self, cache: FileCache, target: Path) -> None:
        self._cache = cache
        self._target = target
        self._folder = _beside(target)
        self._wanted = cache.max_bytes > 0
        self._begun = False
        self._lock = threading.Lock()
        self.closed = False

    def add(self, index: int, data: bytes) -> Path | None:
        """Write file number ``index``, from 0 to 99, and return where it lies until it is committed, if it does."""
        path = self._folder / f"{index:02}"
        try:
            if self._begin(len(data)):
                path.write_bytes(data)
                return path
        except OSError as error:
            self._give_up(error)
        return None

    def place(self, index: int) -> Path:
        """Return where file number ``index`` may be written by others, and lies until ``commit`` or ``close``.

        This is so also where nothing is kept.

        Raises:
            OSError: the folder cannot be made.
        """
        with self._lock:
            if not self._begun and not self.closed:
                self._make_folder()
        return self._folder / f"{index:02}"

    def copy(self, index: int, path: Path) -> None:
        """Let a kept file be one of this entry too: it replaces the older entry, which it may be of."""
        try:
            if self._begin(path.stat().st_size):
                target = self._folder / f"{index:02}"
                try:
                    os.link(path, target)
                except OSError:
                    shutil.copyfile(path, target)
        except OSError as error:
            self._give_up(error)

    def commit(self) -> None:
        """Put the entry in place; it replaces an older one of the same name."""
        try:
            with self._lock:
                if self._wanted and _size(self._folder) <= self._cache.max_bytes:
                    _remove(self._target)
                    self._folder.rename(self._target)
                    self._begun = False
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Remove what was not committed, and entries that there is no room for. Later files are ignored."""
        with self._lock:
            self._wanted = False
            self.closed = True
            if self._begun:
                shutil.rmtree(self._folder, ignore_errors=True)
        if self._cache.max_bytes:
            self._cache.make_room()

    def _begin(self, size: int) -> bool:
        with self._lock:
            if size > self._cache.max_bytes:
                self._wanted = False
            if self._wanted and not self._begun:
                self._make_folder()
            return self._wanted

    def _make_folder(self) -> None:
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only once: if the folder was evicted meanwhile, the next file must not make it again.
        self._folder.mkdir(mode=stat.S_IMODE(self._folder.parent.stat().st_mode))
        self._begun = True

    def _give_up(self, error: OSError) -> None:
        if self._wanted:
            log.warning("%s is not kept: %s", self._target.name, error)
        self._wanted = False


def _is_entry(folder: Path) -> bool:
    return _ENTRY.fullmatch(folder.name) is not None


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.{os.getpid()}.{secrets.token_hex(8)}")


def _remove(folder: Path) -> None:
    """Remove a folder so that a reader finds all of it or nothing."""
    doomed = _beside(folder)
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
