"""What a live schema forbids of a request that is about to be sent, and what of two schemas differs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ...texts import Note, note
from ..checks import brief, same
from ..document import JSON
from .structure import Shape, Structure

MOST_TOLD = 20
_MAX_NAME = 64
_MOST_CHOICES = 30
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}
# What the bounds of a schema measure, from the lower end to the upper one.
_MEASURES = {
    "range": ("minimum", "maximum"),
    "count": ("minItems", "maxItems"),
    "length": ("minLength", "maxLength"),
}


def forbidden(live: Structure, body: Mapping[str, object], files: Collection[str]) -> tuple[Note, ...]:
    """Return a note for each property of a body that the live schema does not allow, and for each that it misses.

    ``files`` are the properties in whose place something else stands for files: their texts are not looked at.
    """
    found = [told for name, value in body.items() for told in _of_property(live, name, value, name in files)]
    found += [note("forbidden.missing", field=_name(name)) for name in sorted(live.required - body.keys())]
    return tuple(found[:MOST_TOLD])


def changes(old: Structure, new: Structure) -> tuple[Note, ...]:
    """Return a note for each property that has changed."""
    gone = [note("change.gone", field=_name(name)) for name in old.properties if name not in new.properties]
    added = [
        note("change.new_required" if name in new.required else "change.new", field=_name(name))
        for name in new.properties
        if name not in old.properties
    ]
    kept = [
        told
        for name, shape in old.properties.items()
        if name in new.properties
        for told in _changed(name, shape, new.properties[name], name in new.required - old.required)
    ]
    return tuple([*gone, *added, *kept][:MOST_TOLD])


def _changed(name: str, old: Shape, new: Shape, now_required: bool) -> Iterator[Note]:
    field = _name(name)
    if now_required:
        yield note("change.required", field=field)
    if old.type != new.type:
        yield note("change.type", field=field, old=_name(old.type) or "-", new=_name(new.type) or "-")
    elif new.choices is not None and set(map(repr, old.choices or ())) != set(map(repr, new.choices)):
        yield note("change.choices", field=field, choices=_listed(new.choices))
    elif old != new and old.canonical() != new.canonical():
        yield note("change.bounds", field=field)


def _of_property(live: Structure, name: str, value: object, is_file: bool) -> Iterator[Note]:
    field, shape = _name(name), live.properties.get(name)
    if shape is None:
        yield note("forbidden.gone", field=field)
    elif not _is_of(value, shape.type):
        yield note("forbidden.type", field=field, type=_name(shape.type))
    elif isinstance(value, list | tuple):
        yield from _out_of(field, "count", len(value), shape)
        if shape.items and not is_file:
            yield from _first(_of_value(field, one, shape.items) for one in value)
    elif not is_file:
        yield from _of_value(field, value, shape)


def _of_value(field: str, value: object, shape: Shape) -> Iterator[Note]:
    if shape.choices is not None and not _is_among(value, shape.choices):
        yield note("forbidden.choice", field=field, value=brief(value), choices=_listed(shape.choices))
    elif isinstance(value, str):
        yield from _out_of(field, "length", len(value), shape)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _out_of(field, "range", value, shape)


def _out_of(field: str, measure: str, value: float, shape: Shape) -> Iterator[Note]:
    low, high = (shape.bounds.get(bound) for bound in _MEASURES[measure])
    if (low is not None and value < low) or (high is not None and value > high):
        yield note(f"forbidden.{measure}", field=field, found=f"{value:g}", limits=_limits(low, high))


def _limits(low: float | None, high: float | None) -> Note:
    if low is None:
        return note("limits.most", high=_number(high))
    return note("limits.least", low=_number(low)) if high is None else note(
        "limits.range", low=_number(low), high=_number(high)
    )  # fmt: skip


def _number(value: float | None) -> str:
    return f"{value:.15g}" if value is not None else ""


def _is_of(value: object, kind: str) -> bool:
    types = _TYPES.get(kind)
    if types is None or (isinstance(value, bool) and kind != "boolean"):
        return types is None
    return isinstance(value, types) or (kind == "integer" and isinstance(value, float) and value.is_integer())


def _is_among(value: object, choices: Collection[object]) -> bool:
    """Whether a value is one of the choices; 1 and 1.0 are one, true is neither."""
    return any(same(value, one) or (_is_number(value) and _is_number(one) and value == one) for one in choices)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first(found: Iterable[Iterator[Note]]) -> Iterator[Note]:
    """Yield what is wrong with the first item that is."""
    for notes in found:
        told = list(notes)
        if told:
            yield from told
            return


def _name(text: str) -> str:
    """Return a name that others have written, as a short line."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MAX_NAME])


def _listed(choices: Collection[JSON]) -> str:
    shown = [_name(str(one)) for one in list(choices)[:_MOST_CHOICES]]
    return ", ".join([*shown, *(["\u2026"] if len(choices) > len(shown) else [])])
