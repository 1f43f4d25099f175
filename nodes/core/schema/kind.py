"""What a kind of input owns: how it is read, shown and checked, and what of it the request's body holds."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .document import JSON, Document
from .inputs import Flag, Socket, Widget

INT32_MAX = 2**31 - 1


class Unsent(Enum):
    """Stands for a property that the request leaves out."""

    UNSENT = "unsent"


UNSENT = Unsent.UNSENT


def stand_in(minimum: float) -> int:
    """Return the value of a widget that stands for a number that is not sent: -1, or what is less than any sent."""
    return min(-1, math.floor(minimum) - 1)


@dataclass(frozen=True)
class Property:
    """One property of an input schema, as a kind reads it: ``role`` is '' or what the model file says it is for."""

    name: str
    schema: Document
    required: bool
    role: str
    prose: bool


@dataclass(frozen=True)
class Field:
    """One input of a node's model: its name, its published words, and its kind.

    ``note`` is the pack's own addition to the description. A ``rare`` one few people change.
    """

    name: str
    kind: Kind
    required: bool = False
    role: str = ""
    title: str = ""
    description: str = ""
    note: str = ""
    rare: bool = False

    @property
    def inputs(self) -> tuple[Widget | Socket, ...]:
        """The widgets and sockets that stand for it, in the node's order."""
        return self.kind.inputs(self)

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """The sockets among its inputs, in the order in which what comes over them is sent."""
        return tuple(one for one in self.inputs if isinstance(one, Socket))

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The flags of the shell that stand for it."""
        return self.kind.flags(self)


@dataclass(frozen=True)
class Given:
    """What one run was given: the value of each widget by name, and how many things each socket brought.

    ``local_origin`` is the API's origin where it is on loopback: addresses there are allowed as well.
    """

    values: Mapping[str, object]
    counts: Mapping[str, int] = field(default_factory=dict)
    local_origin: str | None = None


class Kind(ABC):
    """A kind of input. One that is made from a schema is a module of ``kinds``."""

    @classmethod
    @abstractmethod
    def read(cls, prop: Property) -> Kind | None:
        """Return the kind of a property; None where it is of another kind.

        Raises:
            SchemaError: it is of this kind, and has something that is not understood.
        """

    @abstractmethod
    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:
        """Return the widgets and sockets that stand for it, in the node's order."""

    @abstractmethod
    def flags(self, field: Field) -> tuple[Flag, ...]:
        """Return the flags of the shell that stand for it."""

    @abstractmethod
    def check(self, field: Field, given: Given) -> JSON | Unsent:
        """Return the checked value; what nobody gave is the schema's default.

        Raises:
            InvalidInput: naming the input and its limit.
        """

    def count(self, field: Field, value: object, given: Given) -> int:  # noqa: ARG002
        """Return how many things the request holds of a checked value: none of what is empty, off or not sent."""
        return int(value is not UNSENT and value is not False and value != "")

    def body(self, field: Field, value: Any, files: Sequence[object]) -> Any:  # noqa: ARG002
        """Return what the request holds of a checked value; ``files`` stand for what its sockets brought.

        ``UNSENT``, also as the checked value, is left out.
        """
        return value


class Scalar(Kind):
    """A kind with one widget and one flag, both called as the property is."""

    default: Any

    @abstractmethod
    def widget(self, field: Field) -> Widget:
        """Return the widget that stands for it."""

    @abstractmethod
    def flag(self, field: Field) -> Flag:
        """Return the flag that stands for it."""

    @abstractmethod
    def accept(self, field: Field, value: object) -> JSON | Unsent:
        """Return a value that may be sent.

        Raises:
            InvalidInput: naming the input and its limit.
        """

    def inputs(self, field: Field) -> tuple[Widget | Socket, ...]:
        """Return the one widget."""
        return (self.widget(field),)

    def flags(self, field: Field) -> tuple[Flag, ...]:
        """Return the one flag."""
        return (self.flag(field),)

    def check(self, field: Field, given: Given) -> JSON | Unsent:
        """Return the checked value of the widget, or of the schema's default."""
        return self.accept(field, given.values.get(field.name, self.default))
