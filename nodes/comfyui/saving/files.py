"""Files of a job on their way to the host's output folder: whole, under names that nobody has, with a receipt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from ...core.errors import FREE_DISK, Charge, PackError


@dataclass(frozen=True)
class SavePlace:
    """Where the host saves files of a prefix: its folder, how their names begin, and a number that may be free."""

    folder: Path
    name: str
    number: int


def save_files(
    files: Sequence[Path], place_of: Callable[[int, int], SavePlace], receipt: Mapping[str, object]
) -> list[Path]:
    """Copy files as they came, write a receipt beside the first, and return the paths of the copies. Blocking.

    ``place_of`` tells the place of an image by its width and height, and of anything else by 0 and 0.

    Raises:
        PackError: the folder cannot be written. No part of a file is left.
    """
    try:
        saved = [_copy(file, place_of(*_size_of(file))) for file in files]
        if saved:
            told = {**receipt, "files": [path.name for path in saved]}
            text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
            _write(saved[0].with_suffix(".json"), lambda file: file.write(text.encode()))
        return saved
    except OSError as error:
        found = error.strerror or type(error).__name__
        folder = str(place_of(0, 0).folder)
        raise PackError("files_unsaved", folder=folder, error=found, charge=Charge.YES, next=(FREE_DISK,)) from None


def _copy(source: Path, place: SavePlace) -> Path:
    """Copy a file under the first name that is free. Not a link: whoever edits the one must not edit the other."""
    for number in count(place.number):
        target = place.folder / f"{place.name}_{number:05}_{source.suffix}"
        # The receipt of another job may have taken the number.
        if target.with_suffix(".json").exists():
            continue
        try:
            _write(target, lambda file: _pour(source, file))
            return target
        except FileExistsError:
            continue
    raise AssertionError("numbers do not end")


def _pour(source: Path, target: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, target, 2**20)


def _write(target: Path, write: Callable[[BinaryIO], object]) -> None:
    with target.open("xb") as file:
        try:
            write(file)
        except OSError:
            target.unlink(missing_ok=True)
            raise


def _size_of(file: Path) -> tuple[int, int]:
    """Return the width and the height of an image; 0 and 0 of anything else."""
    from ...core.media.pixels import opened

    try:
        with opened(file.read_bytes()) as image:
            return image.width, image.height
    except PackError:
        return 0, 0
