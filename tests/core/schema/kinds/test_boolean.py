"""True or false."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.kind import Given
from nodes.core.schema.kinds.boolean import Boolean


@pytest.mark.parametrize(
    ("prop", "kind"), [({"type": "boolean", "default": True}, Boolean(True)), ({"type": "boolean"}, Boolean(False))]
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Boolean) -> None:
    found = read(prop).kind
    assert found == kind and type(found) is Boolean


def test_nothing_else_is_true() -> None:
    field = read({"type": "boolean"})
    assert field.kind.check(field, Given({"x": True})) is True
    with pytest.raises(InvalidInput, match="true or false is needed"):
        field.kind.check(field, Given({"x": 1}))
