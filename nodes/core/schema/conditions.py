"""What a schema does not say: which inputs need, exclude or bound each other. Checked before anything is spent.

A condition of a model file is one of three, each with an optional ``when``:

``{"any_of": ["prompt", "image_url"]}``                              at least one of them is given
``{"at_most": 5, "of": ["images", "videos"]}``                       so many things together
``{"when": {"mask_url": true}, "none_of": {"background": "transparent"}}``   none of these is so

``true`` stands for a property that is given, and on; anything else for that very value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInput
from .checks import same
from .document import JSON, MAX_ITEMS, Document
from .inputs import Phrase
from .kind import Field, Given

_KEYS = "when any_of at_most of none_of"


@dataclass(frozen=True)
class Condition:
    """One condition; what is empty asks nothing."""

    when: Mapping[str, JSON] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()
    at_most: int = 0
    of: tuple[str, ...] = ()
    none_of: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """The properties that it speaks of."""
        return {*self.when, *self.any_of, *self.of, *self.none_of}


def told_beforehand(condition: Condition, fields: Iterable[Field]) -> Iterator[Phrase]:
    """Yield a condition in sentences, for whoever reads before they run; ``fields`` are its model's."""
    known = {one.name: one for one in fields}
    others = tuple(_told(known[name], wanted) for name, wanted in condition.when.items())
    if condition.any_of:
        yield Phrase("needs_one_of", {"names": _inputs(known, condition.any_of)})
    if condition.none_of:
        names = tuple(_told(known[name], wanted) for name, wanted in condition.none_of.items())
        yield Phrase("not_together", {"names": names, "others": others})
    if condition.of:
        values = {"names": _inputs(known, condition.of), "limit": condition.at_most}
        yield Phrase("most_beside", {**values, "others": others}) if others else Phrase("most_together", values)


def _inputs(known: Mapping[str, Field], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(_input(known[name]) for name in names)


def _told(field: Field, wanted: JSON) -> str:
    return _input(field) if wanted is True else f"{_input(field)} = {wanted}"


def _input(field: Field) -> str:
    """Return the input that stands for a property: the only socket, else the widget."""
    return field.sockets[0].name if len(field.sockets) == 1 else field.inputs[-1].name


class Run:
    """The checked values of one run, as conditions ask for them."""

    def __init__(self, fields: Iterable[Field], values: Mapping[str, object], given: Given) -> None:
        self._fields = {one.name: one for one in fields}
        self._values = values
        self._given = given

    def check(self, condition: Condition) -> None:
        """Check one condition.

        Raises:
            InvalidInput: naming the inputs.
        """
        if all(self._is_so(name, wanted) for name, wanted in condition.when.items()):
            others = ", ".join(self._told(name, wanted) for name, wanted in condition.when.items())
            self._check_any(condition.any_of)
            self._check_none(condition.none_of, others)
            self._check_number(condition, others)

    def _check_any(self, names: tuple[str, ...]) -> None:
        if names and not any(self._count(name) for name in names):
            raise InvalidInput(self._input(names[0]), "one_of_them", fields=self._list(names))

    def _check_none(self, values: Mapping[str, JSON], others: str) -> None:
        for name, wanted in values.items():
            if self._is_so(name, wanted):
                told = self._told(name, wanted)
                raise InvalidInput(self._input(name), "not_together", fields=told, others=others)

    def _check_number(self, condition: Condition, others: str) -> None:
        names, limit = condition.of, condition.at_most
        found = sum(self._count(name) for name in names)
        if not names or found <= limit:
            return
        field, fields = self._input(names[0]), self._list(names)
        if others:
            raise InvalidInput(field, "too_many_beside", fields=fields, others=others, limit=limit, found=found)
        raise InvalidInput(field, "too_many_together", fields=fields, limit=limit, found=found)

    def _is_so(self, name: str, wanted: JSON) -> bool:
        return self._count(name) > 0 if wanted is True else same(self._values[name], wanted)

    def _count(self, name: str) -> int:
        one = self._fields[name]
        return one.kind.count(one, self._values[name], self._given)

    def _told(self, name: str, wanted: JSON) -> str:
        return _told(self._fields[name], wanted)

    def _list(self, names: Sequence[str]) -> str:
        return ", ".join(_inputs(self._fields, names))

    def _input(self, name: str) -> str:
        return _input(self._fields[name])


def read_conditions(model: Document) -> tuple[Condition, ...]:
    """Return the conditions of a model file.

    Raises:
        SchemaError: one is not understood. Whether its properties are there, the reader of these checks.
    """
    if "conditions" not in model:
        return ()
    found = model.list("conditions")
    return tuple(_read(Document(one, f"{model.at}/conditions/{number}")) for number, one in enumerate(found))


def _read(one: Document) -> Condition:
    one.only(_KEYS)
    asked = [key for key in ("any_of", "at_most", "none_of") if key in one]
    if len(asked) != 1 or ("of" in one) != ("at_most" in one):
        raise one.fault("any_of", "one of any_of, at_most with of, and none_of is needed")
    return Condition(
        when=_values(one, "when"),
        any_of=one.texts("any_of", ()),
        at_most=one.integer("at_most", 0, low=0, high=MAX_ITEMS),
        of=one.texts("of", ()),
        none_of=_values(one, "none_of"),
    )


def _values(one: Document, key: str) -> dict[str, JSON]:
    wanted = one.object(key, {})
    found = {name: wanted.get(name) for name in wanted}
    for name, value in found.items():
        if not isinstance(value, str | int):
            raise wanted.fault(name, "neither true nor a string nor an integer")
    return found
