"""What has happened to jobs and could not be recorded: kept in memory and on the disk until it is."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from ..engines.engine import Session, Value
from ..job import BEFORE, Job

_COLUMNS = frozenset(column.name for column in fields(Job)) - {"id", "name", "outcome"} | {"note"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Write:
    """A change of one row, where it is in one of ``states``; without ``changes``, the row is removed.

    The row is named by its id and its ``name``, which no row of another record has.
    """

    id: int
    name: str
    states: tuple[str, ...]
    changes: Mapping[str, Value] = field(default_factory=dict)

    def apply(self, db: Session) -> None:
        """Carry it out. To do so again changes nothing."""
        which = f"WHERE id = ? AND name = ? AND state IN ({', '.join('?' * len(self.states))})"
        if not self.changes:
            db.execute(f"DELETE FROM jobs {which}", (self.id, self.name, *self.states))
            return
        columns = ", ".join(f"{column} = ?" for column in self.changes)
        # Ignored where another claim holds the same fingerprint by now.
        db.update(f"UPDATE jobs SET {columns} {which}", (*self.changes.values(), self.id, self.name, *self.states))


class OwedWrites:
    """The writes that one process owes a record, in order. Thread-safe.

    A file of the state folder, its owner's alone, holds them as well: ``<record>.<process>.jsonl``. Where its
    process has died, the next one that writes to the record takes it over. It never holds a write without those
    before it, nor one that the record has by now: the end of a claim, for one, means another thing where nobody
    knows any more that its job was sent.
    """

    def __init__(self, folder: Path, record: str, process: str) -> None:
        self._folder = folder
        self._record = record
        self._process = process
        self._writes: list[Write] = []
        self._is_saved = True
        self._lock = threading.Lock()

    @property
    def is_saved(self) -> bool:
        """Whether the disk has all that is owed, so that it outlives this process."""
        return self._is_saved

    @property
    def pending(self) -> tuple[Write, ...]:
        """What is owed now."""
        return tuple(self._writes)

    def add(self, write: Write) -> None:
        """Owe a write. A disk that is full does not keep it from being owed."""
        with self._lock:
            self._writes.append(write)
            self._save(write)

    def settled(self, writes: Sequence[Write]) -> None:
        """Owe these, the oldest, no more: the record has them."""
        with self._lock:
            del self._writes[: len(writes)]
            if self._writes:
                self._is_saved = False
                self._save()
            else:
                _remove(self._files(self._process))
                self._is_saved = True

    def take_over(self, is_alive: Callable[[str], bool]) -> None:
        """Owe what processes owed that have died."""
        for path in self._files():
            process = path.name.split(".")[1]
            if process != self._process and not is_alive(process):
                with contextlib.suppress(OSError):
                    writes = _read(path)
                    # Of two that take it over, one finds it.
                    path.rename(self._path(f".{secrets.token_hex(4)}"))
                    with self._lock:
                        self._writes.extend(writes)

    def _save(self, *added: Write) -> None:
        """Add to the file what was ``added``; where it does not hold what is owed, write it anew."""
        others, path = self._files(self._process), self._path()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._is_saved:
                _append(path, added)
                return
            new = path.with_suffix(".new")
            _remove([new])
            _append(new, self._writes)
            new.replace(path)
        except OSError as error:
            self._is_saved = False
            log.warning("What is owed to the record is kept in memory alone: %s", error)
        else:
            self._is_saved = True
            _remove(other for other in others if other != path)

    def _files(self, process: str = "") -> list[Path]:
        """Return the files of a process, or of all."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        begins = f"{self._record}.{process}." if process else f"{self._record}."
        return sorted(self._folder / name for name in names if name.startswith(begins) and name.endswith(".jsonl"))

    def _path(self, part: str = "") -> Path:
        return self._folder / f"{self._record}.{self._process}{part}.jsonl"


def _append(path: Path, writes: Sequence[Write]) -> None:
    with open(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(write)) + "\n" for write in writes)
        file.flush()
        os.fsync(file.fileno())


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _read(path: Path) -> list[Write]:
    """Return the writes of a file; a line that was not finished, or that another version wrote, is left out."""
    writes = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            write = Write(**json.loads(line))
            usable = set(write.changes) <= _COLUMNS and set(write.states) <= set(BEFORE)
        except (ValueError, TypeError):
            usable = False
        if usable:
            writes.append(write)
        else:
            log.warning("A line of %s cannot be read", path)
    return writes
