"""A number that need not be whole."""

from __future__ import annotations

import math
from typing import Any

import pytest
from kinds_of_input import read
from properties import given, st

from nodes.core.errors import InvalidInput
from nodes.core.schema.inputs import Widget
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.number import Number

HALF = {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
        (HALF, Number(0.0, 1.0, 0.5)),
        ({**HALF, "type": "float"}, Number(0.0, 1.0, 0.5)),
        ({"type": "number", "minimum": 0.5, "maximum": 2}, Number(0.5, 2.0, None)),
        ({**HALF, "default": None}, Number(0.0, 1.0, None)),
    ],
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Number) -> None:
    assert read(prop).kind == kind


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan, math.inf, 10**400, True, "0.5", None])
def test_both_bounds_are_included_and_nothing_else_passes(wrong: object) -> None:
    field = read(HALF)
    assert [field.kind.check(field, Given({"x": number})) for number in (0, 1, 0.25)] == [0.0, 1.0, 0.25]
    assert all(type(field.kind.check(field, Given({"x": number}))) is float for number in (0, 1))
    with pytest.raises(InvalidInput, match=r"^x: "):
        field.kind.check(field, Given({"x": wrong}))


@pytest.mark.parametrize(
    ("low", "high", "default", "step"),
    [(0, 1, 0.5, 0.01), (0.5, 2, 1, 0.01), (1, 50, 9, 0.1), (0, 240, 30, 0.1), (0, 100, 0.125, 0.001)],
)
def test_the_step_suits_the_range(low: float, high: float, default: float, step: float) -> None:
    assert Number(low, high, default).step == pytest.approx(step)


def test_without_a_default_an_optional_one_is_not_sent_until_it_is_set() -> None:
    field = read({"type": "number", "minimum": 0, "maximum": 1})
    (widget,), (flag,) = field.inputs, field.flags
    assert isinstance(widget, Widget) and flag.default is None
    assert (widget.options["default"], widget.options["min"], widget.options["step"]) == (-1.0, -1.0, 0.01)
    assert [field.kind.check(field, Given(values)) for values in ({}, {"x": -1}, {"x": -1.0})] == [UNSENT] * 3
    assert field.kind.check(field, Given({"x": 0})) == 0.0
    with pytest.raises(InvalidInput, match=r"0\.0 to 1\.0 is allowed"):
        field.kind.check(field, Given({"x": -0.5}))
    assert read({"type": "number", "minimum": 1, "maximum": 2}, required=True).kind == Number(1.0, 2.0, 1.0)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1))
def test_any_range_has_a_step(low: float, width: float, part: float) -> None:
    assert 0 < Number(low, low + width, low + width * part).step <= 0.1
