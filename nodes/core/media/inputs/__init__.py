"""What comes over the sockets of a node, one module for each medium: looked at, counted, and made ready to be sent.

A module is found by its name, which a socket's declaration gives, and offers ``INPUT``. A shell has files in place
of sockets: what ``load`` returns of one is taken as what a socket brought.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ...members import member
from ...texts import Note
from ..encode import Encoded


class Content(Protocol):
    """One thing that came over a socket, as it is known before it is encoded."""

    @property
    def least_bytes(self) -> int:
        """How many bytes a file of it has at least; 0 where it can be made smaller."""

    def hash(self) -> str:
        """Return a hash of everything that may be seen or heard of it, the same in every process. Blocking."""

    def original(self, limit: int) -> Encoded | None:
        """Return the file that it is, where that may be sent as it is and has at most ``limit`` bytes. Blocking."""

    def encode(self, limit: int, too_large: Encoded | None) -> Encoded:
        """Return the best encoding of at most ``limit`` bytes. Blocking.

        ``too_large`` is an encoding of the same content that a larger limit allowed.

        Raises:
            DoesNotFit.
        """

    def changed(self, sent: Note, encoded: Encoded) -> Note:
        """Add to ``sent``, which says how it travels, what an encoding had to change to fit."""


class InputMedium(Protocol):
    """How one medium is read from sockets, and from files of the shell."""

    def count(self, socket: str, value: object) -> int:
        """Return how many things come over a socket, after a look at the outside alone.

        Raises:
            InvalidInput: the host's type is another, or it is too large.
        """

    def read(self, socket: str, value: object, limit: int) -> Sequence[Content]:
        """Return what comes over a socket, in order. Blocking.

        A file of more than ``limit`` bytes that cannot be made smaller is not read.

        Raises:
            InvalidInput: it cannot be sent.
        """

    def load(self, flag: str, path: Path) -> object:
        """Return a file as a socket would bring it. Blocking.

        Raises:
            InvalidInput: naming the flag.
        """


def input_medium(name: str) -> InputMedium:
    """Return a medium by its name."""
    medium: InputMedium = member(__name__, name, "INPUT")
    return medium
