"""A string: what is read, and what is never a default."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.text import Text


@pytest.mark.parametrize(
    ("prop", "kind"), [({"type": "string"}, Text()), ({"type": "string", "default": "red"}, Text(default="red"))]
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Text) -> None:
    found = read(prop).kind
    assert found == kind and type(found) is Text


def test_the_sample_of_a_required_text_is_shown_and_never_sent() -> None:
    field = read({"type": "string", "default": "A cat."}, required=True)
    assert field.kind == Text(sample="A cat.")
    (widget,) = field.inputs
    assert (widget.options["placeholder"], widget.options["default"]) == ("A cat.", "")
    with pytest.raises(InvalidInput, match="it is empty"):
        field.kind.check(field, Given({}))


def test_a_text_that_is_not_required_may_be_empty() -> None:
    field = read({"type": "string"})
    assert field.kind.check(field, Given({"x": " "})) == " "


def test_an_empty_text_is_not_sent_unless_it_stands_in_place_of_a_default() -> None:
    for default, sent in (("", UNSENT), ("red", "")):
        field = read({"type": "string", "default": default})
        assert field.kind.check(field, Given({"x": ""})) == sent
        assert bool(field.inputs[0].hints) == (sent is UNSENT), "said beside it"


def test_its_length_is_bounded() -> None:
    field = read({"type": "string", "maxLength": 3})
    assert field.kind.check(field, Given({"x": "\U0001f98a" * 3})) == "\U0001f98a" * 3
    with pytest.raises(InvalidInput, match="x: at most 3 characters are allowed, not 4"):
        field.kind.check(field, Given({"x": "four"}))
