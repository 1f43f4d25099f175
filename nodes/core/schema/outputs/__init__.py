"""The kinds of output, one module each: what a node of it returns. How its files are read is told in ``media``.

A module is found by being here, and offers its declaration as ``OUTPUT``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...members import member, names

DEFAULT_OUTPUT = "image"
"""What a job is taken to bring whose model is not known here."""


@dataclass(frozen=True)
class Returned:
    """One output of a node: ``type`` is the host's; a list goes on to the next nodes one by one."""

    name: str
    type: str
    is_list: bool = False


@dataclass(frozen=True)
class Output:
    """A kind of output: its name in a model file, and what a node of it returns, in order.

    ``medium`` is what its files are: an image, a video or a sound.
    """

    name: str
    returned: tuple[Returned, ...]
    medium: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "medium", self.medium or self.name)


def is_output(name: str) -> bool:
    """Whether there is a kind of output of this name."""
    return name in names(__name__)


def output_of(name: str) -> Output:
    """Return a kind of output by its name."""
    output: Output = member(__name__, name, "OUTPUT")
    return output
