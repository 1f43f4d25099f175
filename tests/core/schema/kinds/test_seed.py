"""The seed of a model's random numbers."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.schema.document import SchemaError
from nodes.core.schema.inputs import Phrase
from nodes.core.schema.kind import INT32_MAX, Given
from nodes.core.schema.kinds.seed import Seed


def test_it_is_known_by_its_role() -> None:
    assert read({"type": "integer", "default": 5}, name="seed").kind == Seed(5)
    assert read({"type": "integer"}, name="seed").kind == Seed(0)


@pytest.mark.parametrize("default", [-1, INT32_MAX + 1, 1.5, "1", True])
def test_its_default_lies_in_its_range(default: Any) -> None:
    with pytest.raises(SchemaError, match=r"^/input_schema/properties/seed/default: "):
        read({"type": "integer", "default": default}, name="seed")


def test_a_larger_one_is_folded_and_the_widget_says_so() -> None:
    field = read({"type": "integer"}, name="seed")
    assert field.kind.check(field, Given({"seed": 2**31 + 5})) == 5
    (widget,) = field.inputs
    assert widget.hints == (Phrase("seed_wrapped", {"low": 0, "high": INT32_MAX}),)
    assert widget.options["control_after_generate"] is True
