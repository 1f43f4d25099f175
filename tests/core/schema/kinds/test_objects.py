"""Objects have no input: optional ones are left out, required ones refuse the model with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.schema.document import SchemaError
from nodes.core.schema.kind import UNSENT, Given

OBJECTS = [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]


@pytest.mark.parametrize("prop", OBJECTS)
def test_optional_ones_have_no_input_and_are_not_sent(prop: dict[str, Any]) -> None:
    field = read(prop)
    assert (field.inputs, field.flags) == ((), ())
    assert field.kind.body(field, field.kind.check(field, Given({})), []) is UNSENT


@pytest.mark.parametrize("prop", OBJECTS)
def test_required_ones_refuse_the_model(prop: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="/input_schema/properties/x/type: the model needs objects"):
        read(prop, required=True)
