"""The seed of a model's random numbers."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.document import SchemaError
from nodes.core.schema.inputs import Phrase
from nodes.core.schema.kind import INT32_MAX, UNSENT, Given
from nodes.core.schema.kinds.seed import Seed


def test_it_is_known_by_its_role() -> None:
    assert read({"type": "integer", "default": 5}, name="seed").kind == Seed(5)
    assert read({"type": "integer", "default": 0, "minimum": 0, "maximum": 2**40}, name="seed").kind == Seed(0)
    assert read({"type": "integer", "default": 3, "minimum": 1, "maximum": 9}, name="seed").kind == Seed(3, 1, 9)


@pytest.mark.parametrize("prop", [{}, {"default": None}, {"default": -1}, {"default": -1, "minimum": -1}])
def test_without_a_default_or_with_minus_one_it_is_not_sent_at_minus_one(prop: dict[str, Any]) -> None:
    field = read({"type": "integer", **prop}, name="seed")
    (widget,) = field.inputs
    assert (widget.options["default"], widget.options["min"]) == (-1, -1)
    assert [field.kind.check(field, Given({"seed": seed})) for seed in (-1, 0, 7)] == [UNSENT, 0, 7]
    assert field.kind.check(field, Given({})) is UNSENT
    with pytest.raises(InvalidInput, match="-1 or more"):
        field.kind.check(field, Given({"seed": -2}))


@pytest.mark.parametrize("prop", [{"default": -1}, {"default": 0, "minimum": 1}, {"minimum": 9, "maximum": 8}])
def test_one_that_has_to_be_sent_has_a_value_to_send(prop: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=r"^/input_schema/properties/seed/"):
        read({"type": "integer", **prop}, name="seed", required=True)


@pytest.mark.parametrize("default", [-2, INT32_MAX + 1, 1.5, "1", True])
def test_its_default_lies_in_its_range(default: Any) -> None:
    with pytest.raises(SchemaError, match=r"^/input_schema/properties/seed/default: "):
        read({"type": "integer", "default": default}, name="seed")


def test_a_larger_one_is_folded_and_the_widget_says_so() -> None:
    small = read({"type": "integer", "default": 3, "minimum": 1, "maximum": 9}, name="seed")
    assert [small.kind.check(small, Given({"seed": seed})) for seed in (9, 10, 19)] == [9, 1, 1]
    field = read({"type": "integer", "default": 0}, name="seed")
    assert field.kind.check(field, Given({"seed": 2**31 + 5})) == 5
    (widget,) = field.inputs
    assert widget.hints == (Phrase("seed_wrapped", {"low": 0, "high": INT32_MAX}),)
    assert widget.options["control_after_generate"] is True
