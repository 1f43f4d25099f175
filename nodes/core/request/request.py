"""What is to be run: a job's identity, what is expected of it, and how its body is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..schema.outputs import DEFAULT_OUTPUT
from ..store.job import NewJob


@dataclass(frozen=True)
class EncodedRequest:
    """A request ready to be posted, and a line for each reference on how it travels."""

    body: bytes
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What is to be run. ``prepare`` is blocking and called only where a job has to be submitted.

    ``pixels_expected`` is how many its images are expected to have together, 0 where nothing tells.
    ``output`` is the kind of its files.
    """

    new_job: NewJob
    images_wanted: int
    pixels_expected: int
    prepare: Callable[[], EncodedRequest]
    output: str = DEFAULT_OUTPUT
