"""Where files go: into a folder, under a name, or as a pattern says. What is there is never overwritten."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import string
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..core.errors import InvalidInput
from ..core.texts import Note, note

VALUES = ("model", "seed", "index", "request_id")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
_SAME_ENDINGS = ({".jpg", ".jpeg"}, {".tif", ".tiff"}, {".mp4", ".m4v", ".mov"}, {".ogg", ".oga", ".ogv"})


@dataclass(frozen=True)
class Made:
    """What the names of a job's files may tell of it. ``first`` is the number of its first file in the call."""

    name: str
    model: str
    seed: str = ""
    request_id: str = ""
    first: int = 1


class Place:
    """What ``--out`` says: a folder, a file name, or a pattern of one.

    Raises:
        InvalidInput: it is a pattern with something else than ``VALUES`` in it.
    """

    def __init__(self, text: str) -> None:
        self.text = os.path.expanduser(text)
        _check_pattern(self.text)
        path = Path(self.text)
        a_folder = text.endswith(("/", os.sep)) or path.is_dir()
        named = "{" in path.name or _ENDING.fullmatch(path.suffix) is not None
        self._names_files = named and not a_folder

    def require(self) -> None:
        """Make the folder for the files, before anything is paid for.

        Raises:
            InvalidInput: it cannot be made or written.
        """
        folder = self._fixed_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise InvalidInput("--out", "no_folder", path=str(folder), error=error.strerror) from None

    def save(self, files: Sequence[Path], made: Made) -> list[Path]:
        """Copy files as they came, and return where they are; one that is there already, byte for byte, stays.

        Raises:
            OSError: the folder cannot be written. No part of a file is left.
        """
        return [_copied(file, self._target(file, made, number)) for number, file in enumerate(files)]

    def notes(self, files: Sequence[Path], saved: Sequence[Path]) -> list[Note]:
        """Say which files are of another type than their names tell."""
        return [
            note("note.other_ending", path=str(path), format=file.suffix.lstrip(".").upper())
            for file, path in zip(files, saved, strict=True)
            if not _same_ending(file.suffix, path.suffix)
        ]

    def _target(self, file: Path, made: Made, number: int) -> Path:
        pattern = (
            self.text
            if self._names_files
            else os.path.join(self.text, f"{made.name}-{made.request_id}-{number + 1}")
        )
        values = {
            "model": made.model,
            "seed": made.seed,
            "request_id": made.request_id,
            "index": made.first + number,
        }
        target = Path(pattern.format(**values) if "{" in self.text else pattern)
        # A dot is no ending where a folder's pattern, or a model's name, ends in a version.
        return target if _ENDING.fullmatch(target.suffix) else target.with_name(target.name + file.suffix)

    def _fixed_folder(self) -> Path:
        """Return the part of the path that no value stands in."""
        path = Path(self.text).parent if self._names_files else Path(self.text)
        fixed = [part for part in path.parts[: next(_places_of_values(path), None)]]
        return Path(*fixed) if fixed else Path()


def _check_pattern(text: str) -> None:
    try:
        for _, name, _, _ in string.Formatter().parse(text):
            if name is not None and name not in VALUES:
                raise InvalidInput("--out", "no_such_value", value=f"{{{name}}}", values=_listed())
        text.format(model="", seed="", index=1, request_id="")
    except ValueError as error:
        raise InvalidInput("--out", "bad_pattern", error=str(error), values=_listed()) from None


def _listed() -> str:
    return ", ".join(f"{{{name}}}" for name in VALUES)


def _places_of_values(path: Path) -> Iterator[int]:
    return (number for number, part in enumerate(path.parts) if "{" in part)


def _copied(file: Path, target: Path) -> Path:
    """Copy a file to a path, or to the next free one after it; return where its content is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        path = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        try:
            _copy(file, path)
            return path
        except FileExistsError:
            if path.is_file() and filecmp.cmp(file, path, shallow=False):
                return path
    raise AssertionError("there is always another number")


def _copy(file: Path, path: Path) -> None:
    """Copy a file to where nothing is. Not a link: whoever edits the copy must not edit the kept file."""
    target = path.open("xb")
    try:
        with target, file.open("rb") as source:
            shutil.copyfileobj(source, target)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _same_ending(one: str, other: str) -> bool:
    both = {one.lower(), other.lower()}
    return len(both) == 1 or any(both <= same for same in _SAME_ENDINGS)
