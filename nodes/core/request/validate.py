"""What a node was given -> checked arguments -> request body. Pure; the kinds of input do the checking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..errors import InvalidInput
from ..schema.conditions import Run
from ..schema.document import JSON
from ..schema.kind import UNSENT, Given, Unsent
from ..schema.model import ModelSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Arguments:
    """The checked inputs of one run, by the property's name; the pack's own inputs apart.

    ``widgets`` are what was given, by the widget's name.
    """

    spec: ModelSpec
    values: Mapping[str, JSON | Unsent]
    own: Mapping[str, JSON | Unsent]
    widgets: Mapping[str, object] = field(default_factory=dict)

    def role(self, role: str) -> JSON:
        """Return the value of the property that has a role; None where there is none, or where it is not sent."""
        field = self.spec.role(role)
        value = self.values[field.name] if field else UNSENT
        return None if isinstance(value, Unsent) else value

    def body(self, files: Mapping[str, Sequence[T]]) -> dict[str, JSON | T | list[T | JSON]]:
        """Return the request body, in the order of the fields; ``files`` stand for what its sockets brought.

        What stands for a file is the caller's: the hash of its content, or its encoded form.
        """
        sent = {
            field.name: field.kind.body(field, self.values[field.name], files.get(field.name, ()))
            for field in self.spec.fields
        }
        return {name: value for name, value in sent.items() if value is not UNSENT}


def check(spec: ModelSpec, given: Given) -> Arguments:
    """Check what a node was given; what is missing takes the schema's default. ``given.values`` holds no sockets.

    Raises:
        InvalidInput: naming the input and its limit.
    """
    known = {one.name for one in spec.inputs}
    for name in given.values:
        if name not in known:
            raise InvalidInput(name, "no_such_input", node=spec.display_name)
    values = {field.name: field.kind.check(field, given) for field in spec.fields}
    run = Run(spec.fields, values, given)
    for condition in spec.conditions:
        run.check(condition)
    return Arguments(
        spec,
        values,
        {field.name: field.kind.check(field, given) for field in spec.own_fields},
        given.values,
    )
