"""Widget values -> request body. Pure. The host does not check values that come over a link, so this does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TypeVar

from .. import urls
from ..errors import InvalidInput
from ..schema.model import (
    INT32_MAX,
    JSON,
    RERUN_SEED,
    Boolean,
    Choice,
    Field,
    Images,
    Integer,
    ModelSpec,
    Seed,
    Text,
)
from ..texts import note

T = TypeVar("T")

# What the host's own seeds go up to.
UINT64_MAX = 2**64 - 1
_SHORT = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Arguments:
    """The checked inputs of one run: every scalar by name, the reference URLs, and the rerun seed."""

    spec: ModelSpec
    scalars: Mapping[str, JSON]
    reference_urls: tuple[str, ...]
    rerun_seed: int

    def body(self, images: Sequence[T]) -> dict[str, JSON | list[T | str]]:
        """Return the request body, in the schema's order, with ``images`` before the reference URLs.

        What stands for an image is the caller's: its content hash, or its encoded file.
        """
        return {
            field.name: [*images, *self.reference_urls]
            if isinstance(field.kind, Images)
            else self.scalars[field.name]
            for field in self.spec.fields
        }


def check(spec: ModelSpec, values: Mapping[str, object], local_origin: str | None = None) -> Arguments:
    """Check the widget values of one run; missing ones take the schema's default.

    ``values`` holds no sockets. ``local_origin`` is the API's origin where it is on loopback.

    Raises:
        InvalidInput: naming the field and its limit.
    """
    known = {field.name for field in spec.fields} | (set() if spec.has_seed else {RERUN_SEED})
    for name in values:
        if name not in known:
            raise InvalidInput(name, "no_such_input", node=spec.display_name)
    scalars: dict[str, JSON] = {}
    reference_urls: tuple[str, ...] = ()
    for field in spec.fields:
        if isinstance(field.kind, Images):
            reference_urls = _urls(field.name, values.get(field.name, ""), local_origin)
        else:
            scalars[field.name] = _scalar(field, values)
    return Arguments(spec, scalars, reference_urls, _whole(RERUN_SEED, values.get(RERUN_SEED, 0), 0, UINT64_MAX))


def check_reference_count(spec: ModelSpec, count: int) -> None:
    """Refuse too few or too many reference images, sockets and URLs together.

    Raises:
        InvalidInput: naming the field and both limits.
    """
    for field in spec.fields:
        kind = field.kind
        if isinstance(kind, Images) and not kind.minimum <= count <= kind.maximum:
            raise InvalidInput(
                field.name,
                "reference_count",
                minimum=kind.minimum,
                maximum=kind.maximum,
                given=count,
                first=kind.sockets[0],
                last=kind.sockets[-1],
            )


def _scalar(field: Field, values: Mapping[str, object]) -> JSON:
    match field.kind:
        case Text(default=default):
            return _text(field, values.get(field.name, default))
        case Choice(choices=choices, default=default):
            return _choice(field.name, values.get(field.name, default), choices)
        case Integer(minimum=low, maximum=high, default=default):
            return _whole(field.name, values.get(field.name, default), low, high)
        case Seed(default=default):
            return _whole(field.name, values.get(field.name, default), 0, None) & INT32_MAX
        case Boolean(default=default):
            return _boolean(field.name, values.get(field.name, default))
        case Images():
            raise TypeError("images are not scalars")


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(field.name, "not_text", found=_type_of(value))
    if field.required and not value.strip():
        raise InvalidInput(field.name, "empty")
    return value


def _choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise InvalidInput(name, "not_a_choice", choices=", ".join(choices), found=_brief(value))
    return value


def _whole(name: str, value: object, low: int, high: int | None) -> int:
    limits = note("limits.least", low=low) if high is None else note("limits.range", low=low, high=high)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidInput(name, "not_an_integer", limits=limits, found=_type_of(value))
    number = int(value)
    if number < low or (high is not None and number > high):
        raise InvalidInput(name, "out_of_range", limits=limits, found=_brief(number))
    return number


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(name, "not_a_boolean", found=_type_of(value))
    return value


def _urls(name: str, value: object, local_origin: str | None) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise InvalidInput(name, "not_addresses", found=_type_of(value))
    numbered = [(number, line.strip()) for number, line in enumerate(value.splitlines(), 1) if line.strip()]
    for number, url in numbered:
        try:
            urls.check_reference(url, local_origin)
        except urls.BadUrl as error:
            raise InvalidInput(name, "bad_address", line=number, problem=error.note) from None
    return tuple(url for _, url in numbered)


def _type_of(value: object) -> str:
    return type(value).__name__


def _brief(value: object) -> str:
    """Write a value in a few characters. Not every one can be written: Python refuses numbers of 5,000 digits."""
    if isinstance(value, int) and abs(value) > UINT64_MAX:
        return f"{'-' if value < 0 else ''}10^{round(value.bit_length() * math.log10(2))}"
    return repr(value[:40] if isinstance(value, str) else value) if isinstance(value, _SHORT) else _type_of(value)
