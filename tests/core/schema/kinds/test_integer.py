"""A whole number within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.inputs import Widget
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.integer import Integer


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 4, "default": 2}, Integer(1, 4, 2)),
        ({"type": "integer", "minimum": -3, "maximum": 4}, Integer(-3, 4, None)),
        ({"type": "integer", "enum": [3, 1, 2], "default": 3}, Integer(1, 3, 3)),
        ({"type": "integer", "enum": [7]}, Integer(7, 7, None)),
    ],
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Integer) -> None:
    found = read(prop).kind
    assert found == kind and type(found) is Integer


def test_without_a_default_an_optional_one_is_not_sent_until_it_is_set() -> None:
    for low, shown in ((3, -1), (0, -1), (-3, -4)):
        field = read({"type": "integer", "minimum": low, "maximum": 15})
        (widget,), (flag,) = field.inputs, field.flags
        assert isinstance(widget, Widget)
        assert (widget.options["default"], widget.options["min"], flag.default) == (shown, shown, None)
        assert field.kind.check(field, Given({})) is UNSENT
        assert field.kind.check(field, Given({"x": shown})) is UNSENT
        assert field.kind.check(field, Given({"x": None})) is UNSENT
        assert field.kind.check(field, Given({"x": low})) == low
    with pytest.raises(InvalidInput, match="3 to 15 is allowed, not 0"):
        field = read({"type": "integer", "minimum": 3, "maximum": 15})
        field.kind.check(field, Given({"x": 0}))
    needed = read({"type": "integer", "minimum": 3, "maximum": 15}, required=True)
    assert needed.kind == Integer(3, 15, 3)


def test_both_bounds_are_included() -> None:
    field = read({"type": "integer", "minimum": 1, "maximum": 4})
    assert [field.kind.check(field, Given({"x": number})) for number in (1, 4)] == [1, 4]
    for number in (0, 5):
        with pytest.raises(InvalidInput, match=f"1 to 4 is allowed, not {number}"):
            field.kind.check(field, Given({"x": number}))
