"""The checks that kinds of input share. What comes over a link, the host does not check.

All raise ``InvalidInput`` with the input's name and what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

from .. import urls
from ..errors import InvalidInput
from ..texts import note

T = TypeVar("T")

# Longer numbers are told by their length.
_LONG = 2**64
_SHORT = (str, int, float, bool, type(None))


def whole(name: str, value: object, low: int, high: int | None) -> int:
    """Return a whole number of ``low`` to ``high``, both included; without an upper end if that is None."""
    limits = note("limits.least", low=low) if high is None else note("limits.range", low=low, high=high)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidInput(name, "not_an_integer", limits=limits, found=type_of(value))
    number = int(value)
    if number < low or (high is not None and number > high):
        raise InvalidInput(name, "out_of_range", limits=limits, found=brief(number))
    return number


def text(name: str, value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise InvalidInput(name, "not_text", found=type_of(value))
    return value


def number(name: str, value: object, low: float, high: float) -> float:
    """Return a number of ``low`` to ``high``, both included."""
    limits = note("limits.range", low=low, high=high)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidInput(name, "not_numeric", limits=limits, found=type_of(value))
    found: Any = value
    # Compared before it is converted: an integer of 400 digits is not a float. NaN is within no bounds.
    if not low <= found <= high:
        raise InvalidInput(name, "out_of_range", limits=limits, found=brief(value))
    return float(found)


def one_of(name: str, value: object, choices: Sequence[T]) -> T:
    """Return one of several strings or integers."""
    for choice in choices:
        if same(value, choice):
            return choice
    raise InvalidInput(name, "not_a_choice", choices=", ".join(map(str, choices)), found=brief(value))


def same(value: object, choice: object) -> bool:
    """Whether two values are one: true is not 1, and 1.0 is neither."""
    return type(value) is type(choice) and value == choice


def ends(values: object) -> tuple[int, int] | None:
    """Return the least and the greatest of integers without a gap; None for anything else."""
    if not isinstance(values, list) or not values or any(type(value) is not int for value in values):
        return None
    low, high = min(values), max(values)
    return (low, high) if high - low + 1 == len(values) == len(set(values)) else None


def truth(name: str, value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise InvalidInput(name, "not_a_boolean", found=type_of(value))
    return value


def addresses(name: str, value: object, local_origin: str | None) -> tuple[str, ...]:
    """Return public https addresses, one a line; blank lines are left out."""
    if not isinstance(value, str):
        raise InvalidInput(name, "not_addresses", found=type_of(value))
    numbered = [(number, line.strip()) for number, line in enumerate(value.splitlines(), 1) if line.strip()]
    for number, url in numbered:
        try:
            urls.check_reference(url, local_origin)
        except urls.BadUrl as error:
            raise InvalidInput(name, "bad_address", line=number, problem=error.note) from None
    return tuple(url for _, url in numbered)


def type_of(value: object) -> str:
    """Name the type of what was given."""
    return type(value).__name__


def brief(value: object) -> str:
    """Write a value in a few characters. Not every one can be written: Python refuses numbers of 5,000 digits."""
    if isinstance(value, int) and abs(value) > _LONG:
        return f"{'-' if value < 0 else ''}10^{round(value.bit_length() * math.log10(2))}"
    return repr(value[:40] if isinstance(value, str) else value) if isinstance(value, _SHORT) else type_of(value)
