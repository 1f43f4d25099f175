"""The kept files of the record as they are served: the originals byte for byte, and small copies of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..core import threads
from ..core.media.file_type import IMAGE, VIDEO, FileType
from ..core.store.job import Job
from .entries import type_of_kept
from .record import Record, integer

USUAL_EDGE = 256
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class KeptFile:
    """A file as it lies on the disk, and what it is called where somebody saves it.

    ``media_type`` is '' where it is not known: then no browser is to show it.
    """

    path: Path
    media_type: str
    name: str


@dataclass(frozen=True)
class MadeFile:
    """A file that is made when it is asked for. The same ``etag`` stands for the same bytes; '' for none such.

    ``make`` is blocking. ``name`` is '' for what is only shown.
    """

    make: Callable[[], bytes]
    media_type: str
    etag: str = ""
    name: str = ""


def original(record: Record, job_id: object, index: object) -> KeptFile | None:
    """Return the file of a job with this number as it came; None where it is not kept. Blocking.

    Raises:
        InvalidInput: there is no such job.
    """
    job, number, path = record.file(job_id, index)
    if path is None:
        return None
    found = type_of_kept(path)
    return KeptFile(path, found.mime if found else "", name_of(job, number, found))


def small_copy(record: Record, job_id: object, index: object, edge: object) -> MadeFile | None:
    """Return a small image of a file of a job; None where nothing is kept that one can be made of. Blocking.

    Raises:
        InvalidInput: there is no such job.
    """
    from ..core.media import thumbnail

    job, number, path = record.file(job_id, index)
    found = type_of_kept(path) if path else None
    if path is None or found is None or found.medium not in (IMAGE, VIDEO):
        return None
    pixels = thumbnail.edge_of(integer(edge, USUAL_EDGE))
    etag = f"{job.name}-{number}-{pixels}"
    make = thumbnail.of_image if found.medium == IMAGE else thumbnail.of_video
    return MadeFile(partial(_made, make, path, pixels), thumbnail.MEDIA_TYPE, etag)


def name_of(job: Job, index: int, found: FileType | None) -> str:
    """Return what a file of a job is called where it is saved."""
    words = (job.model_id.replace("/", "-") or "runcomfy", job.request_id or str(job.id), str(index + 1))
    return "-".join(_PLAIN.sub("-", word) for word in words) + (found.suffix if found else "")


def _made(make: Callable[[Path, int], bytes], path: Path, edge: int) -> bytes:
    return threads.CODING.submit(make, path, edge).result()
