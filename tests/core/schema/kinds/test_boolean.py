"""True or false."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.inputs import Widget
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.boolean import Boolean


@pytest.mark.parametrize(
    ("prop", "kind"), [({"type": "boolean", "default": True}, Boolean(True)), ({"type": "boolean"}, Boolean(None))]
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Boolean) -> None:
    found = read(prop).kind
    assert found == kind and type(found) is Boolean


def test_without_a_default_an_optional_one_is_not_sent_until_it_is_set() -> None:
    field = read({"type": "boolean"})
    (widget,), (flag,) = field.inputs, field.flags
    assert isinstance(widget, Widget) and flag.default is None
    assert (widget.type, widget.options) == (("not sent", "true", "false"), {"default": "not sent"})
    found = [field.kind.check(field, Given({"x": value})) for value in ("not sent", None, "true", "false", False)]
    assert found == [UNSENT, UNSENT, True, False, False] and field.kind.check(field, Given({})) is UNSENT
    for wrong in ("True", "", 0, [], {}):
        with pytest.raises(InvalidInput, match="true or false is needed"):
            field.kind.check(field, Given({"x": wrong}))
    assert read({"type": "boolean"}, required=True).kind == Boolean(False)


def test_nothing_else_is_true() -> None:
    field = read({"type": "boolean"})
    assert field.kind.check(field, Given({"x": True})) is True
    with pytest.raises(InvalidInput, match="true or false is needed"):
        field.kind.check(field, Given({"x": 1}))
