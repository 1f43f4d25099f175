"""One of several strings."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.choice import NOT_SENT, Choice


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
        ({"type": "string", "enum": ["b", "a"], "default": "a"}, Choice(("b", "a"), "a")),
        ({"type": "string", "enum": ["b", "a"]}, Choice(("b", "a"))),
        ({"type": "string", "enum": ["b", "a"], "default": None}, Choice(("b", "a"))),
        ({"type": "integer", "enum": [5, 10], "default": 10}, Choice((5, 10), 10)),
        ({"type": "integer", "enum": [48, 24]}, Choice((48, 24))),
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


def test_without_a_default_there_is_a_first_entry_that_is_not_sent() -> None:
    field = read({"type": "integer", "enum": [24, 48]})
    (widget,) = field.inputs
    assert (widget.type, widget.options["default"]) == ((NOT_SENT, 24, 48), NOT_SENT)
    given = [field.kind.check(field, Given({"x": value})) for value in (NOT_SENT, None, 24)]
    assert [*given, field.kind.check(field, Given({}))] == [UNSENT, UNSENT, 24, UNSENT]
    needed = read({"type": "integer", "enum": [24, 48]}, required=True)
    with pytest.raises(InvalidInput, match="x: choose one of 24, 48"):
        needed.kind.check(needed, Given({}))


@pytest.mark.parametrize("wrong", ["24", 24.0, True, 25])
def test_an_integer_is_sent_as_one(wrong: object) -> None:
    field = read({"type": "integer", "enum": [1, 24, 48], "default": 48})
    assert field.kind.check(field, Given({"x": 24})) == 24
    with pytest.raises(InvalidInput, match="one of 1, 24, 48 is needed"):
        field.kind.check(field, Given({"x": wrong}))
