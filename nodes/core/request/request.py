"""What is to be run: a job's identity, what is expected of it, and how its body is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..schema.outputs import DEFAULT_OUTPUT
from ..store.job import NewJob
from ..texts import Note


@dataclass(frozen=True)
class EncodedRequest:
    """A request ready to be posted, and for each reference how it travels: ``socket`` is among a note's values.

    ``notes`` are told of the whole of it.
    """

    body: bytes
    sent: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Request:
    """What is to be run. ``prepare`` is blocking and called only where a job has to be submitted.

    ``pixels_expected`` is how many its images are expected to have together, 0 where nothing tells.
    ``output`` is the kind of its files, ``shape`` the aspect ratio as the model calls it, '' where it has none.
    """

    new_job: NewJob
    images_wanted: int
    pixels_expected: int
    prepare: Callable[[], EncodedRequest]
    output: str = DEFAULT_OUTPUT
    shape: str = ""
