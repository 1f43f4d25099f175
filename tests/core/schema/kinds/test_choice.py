"""One of several strings."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.kind import Given
from nodes.core.schema.kinds.choice import Choice


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
        ({"type": "string", "enum": ["b", "a"], "default": "a"}, Choice(("b", "a"), "a")),
        ({"type": "string", "enum": ["b", "a"]}, Choice(("b", "a"), "b")),
    ],
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Choice) -> None:
    found = read(prop).kind
    assert found == kind and type(found) is Choice


def test_only_one_of_them_is_accepted() -> None:
    field = read({"type": "string", "enum": ["b", "a"]})
    assert field.kind.check(field, Given({"x": "a"})) == "a"
    with pytest.raises(InvalidInput, match="one of b, a is needed"):
        field.kind.check(field, Given({"x": "c"}))
