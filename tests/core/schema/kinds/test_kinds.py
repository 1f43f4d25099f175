"""The kinds of input: a folder is the list of them, and a property is of one kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.members import names
from nodes.core.schema import kinds
from nodes.core.schema.document import Document, SchemaError
from nodes.core.schema.inputs import Widget
from nodes.core.schema.kind import Property
from nodes.core.schema.kinds.integer import Integer

NUMBER = {"type": "float", "minimum": 0, "maximum": 1, "default": 0}


def test_every_kind_has_tests_of_its_own() -> None:
    here = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert set(names(kinds.__name__)) == here - {"kinds"}


def test_a_property_that_two_kinds_claim_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Integer, "read", classmethod(lambda cls, _: cls(0, 1, 0)))
    prop = Property("x", Document({"type": "boolean"}, "/x"), required=False, role="", prose=False)
    with pytest.raises(SchemaError, match="/x/type: several kinds claim 'boolean'"):
        kinds.kind_of(prop)


@pytest.mark.parametrize(
    ("prop", "kind", "options"),
    [
        ({"type": "string"}, "STRING", {"default": "", "multiline": False}),
        ({"type": "string", "enum": ["b", "a"], "default": "b"}, ("b", "a"), {"default": "b"}),
        ({"type": "integer", "enum": [5, 10], "default": 5}, (5, 10), {"default": 5}),
        (
            {"type": "float", "minimum": 0, "maximum": 1, "default": 0},
            "FLOAT",
            {"default": 0, "min": 0, "max": 1, "step": 0.01},
        ),
        ({"type": "integer", "enum": [1, 2], "default": 1}, "INT", {"default": 1, "min": 1, "max": 2, "step": 1}),
        ({"type": "boolean", "default": False}, "BOOLEAN", {"default": False}),
    ],
)
def test_a_scalar_has_one_widget_and_one_flag_of_its_name(
    prop: dict[str, Any], kind: object, options: dict[str, object]
) -> None:
    field = read(prop)
    (widget,), (flag,) = field.inputs, field.flags
    assert isinstance(widget, Widget)
    assert (widget.name, widget.type, widget.options, widget.required) == ("x", kind, options, False)
    assert (flag.name, flag.inputs, flag.default) == ("x", ("x",), options["default"])
    assert read(prop, required=True).inputs[0].required
