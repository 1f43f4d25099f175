"""Each kind of input: how it is read from a schema, what stands for it, and what the request holds of it."""

from __future__ import annotations

from typing import Any

import pytest
from model_files import IMAGES, model_file

from nodes.core.errors import InvalidInput
from nodes.core.members import names
from nodes.core.schema import kinds
from nodes.core.schema.document import Document, SchemaError
from nodes.core.schema.inputs import Flag, Socket, Widget
from nodes.core.schema.kind import INT32_MAX, UNSENT, Field, Given, Kind, Property
from nodes.core.schema.kinds.boolean import Boolean
from nodes.core.schema.kinds.choice import Choice
from nodes.core.schema.kinds.images import Images
from nodes.core.schema.kinds.integer import Integer
from nodes.core.schema.kinds.seed import Seed
from nodes.core.schema.kinds.text import Text
from nodes.core.schema.parse import parse_model

CASES = [
    ({"type": "string"}, Text()),
    ({"type": "string", "default": "red"}, Text(default="red")),
    ({"type": "string", "enum": ["b", "a"], "default": "a"}, Choice(("b", "a"), "a")),
    ({"type": "string", "enum": ["b", "a"]}, Choice(("b", "a"), "b")),
    ({"type": "integer", "minimum": 1, "maximum": 4, "default": 2}, Integer(1, 4, 2)),
    ({"type": "integer", "minimum": -3, "maximum": 4}, Integer(-3, 4, -3)),
    ({"type": "integer", "enum": [3, 1, 2], "default": 3}, Integer(1, 3, 3)),
    ({"type": "integer", "enum": [7]}, Integer(7, 7, 7)),
    ({"type": "boolean", "default": True}, Boolean(True)),
    ({"type": "boolean"}, Boolean(False)),
    (IMAGES, Images(1, 3)),
    ({**IMAGES, "minItems": 0, "maxItems": 1}, Images(0, 1)),
    ({"type": "array", "format": "image_uris", "maxItems": 2, "items": {"type": "string"}}, Images(0, 2)),
]


def read(prop: dict[str, Any], name: str = "x", required: bool = False) -> Field:
    (field,) = parse_model(model_file(required=(name,) if required else (), **{name: prop})).fields
    return field


@pytest.mark.parametrize(("prop", "kind"), CASES)
def test_each_construct_has_its_kind(prop: dict[str, Any], kind: Kind) -> None:
    found = read(prop).kind
    assert found == kind
    assert type(found) is type(kind)


def test_every_module_here_is_a_kind_and_each_is_read_above() -> None:
    assert len(names(kinds.__path__)) == len({type(kind) for _, kind in CASES} | {Seed})


def test_a_property_that_two_kinds_claim_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Integer, "read", classmethod(lambda cls, _: cls(0, 1, 0)))
    prop = Property("x", Document({"type": "boolean"}, "/x"), required=False, role="", prose=False)
    with pytest.raises(SchemaError, match="/x/type: several kinds claim 'boolean'"):
        kinds.kind_of(prop)


def test_a_seed_is_known_by_its_role() -> None:
    assert read({"type": "integer", "default": 5}, name="seed").kind == Seed(5)
    assert read({"type": "integer"}, name="seed").kind == Seed(0)


@pytest.mark.parametrize("default", [-1, INT32_MAX + 1, 1.5, "1", True])
def test_a_seeds_default_lies_in_its_range(default: Any) -> None:
    with pytest.raises(SchemaError, match=r"^/input_schema/properties/seed/default: "):
        read({"type": "integer", "default": default}, name="seed")


def test_samples_are_shown_and_never_a_default() -> None:
    text = read({"type": "string", "default": "A cat."}, required=True)
    images = read({**IMAGES, "default": ["https://a.example.com/1.png"]}, name="image_urls", required=True)
    for field, sample in ((text, "A cat."), (images, "https://a.example.com/1.png")):
        widget = field.inputs[-1]
        assert (widget.options["placeholder"], widget.options["default"]) == (sample, "")
        assert field.flags[-1].default in (None, "")


@pytest.mark.parametrize(
    ("prop", "kind", "options"),
    [
        ({"type": "string"}, "STRING", {"default": "", "multiline": False}),
        ({"type": "string", "enum": ["b", "a"]}, ("b", "a"), {"default": "b"}),
        ({"type": "integer", "enum": [1, 2]}, "INT", {"default": 1, "min": 1, "max": 2, "step": 1}),
        ({"type": "boolean"}, "BOOLEAN", {"default": False}),
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


def test_images_have_sockets_then_addresses_and_two_flags() -> None:
    field = read(IMAGES, name="reference_images", required=True)
    *sockets, address = field.inputs
    assert [one.name for one in sockets] == ["reference_image_1", "reference_image_2", "reference_image_3"]
    assert all(isinstance(one, Socket) and (one.type, one.medium) == ("IMAGE", "image") for one in sockets)
    assert (address.name, address.type) == ("reference_images", "STRING")
    assert not any(one.required for one in field.inputs), "any of them may hold the images"
    assert field.flags == (
        Flag("reference_image", tuple(one.name for one in sockets), metavar="FILE", repeated=True, medium="image"),
        Flag("reference_images", ("reference_images",), metavar="URL", repeated=True),
    )


def test_images_are_counted_over_sockets_and_addresses() -> None:
    field = read(IMAGES, name="image_urls", required=True)
    addresses = "https://a.example.com/1.png\n\nhttps://a.example.com/2.png"
    value = field.kind.check(field, Given({"image_urls": addresses}, {"image_3": 1}))
    assert field.kind.body(field, value, ["first"]) == ["first", *addresses.split("\n\n")]
    with pytest.raises(InvalidInput, match="given: 4"):
        field.kind.check(field, Given({"image_urls": addresses}, {"image_3": 2}))


def test_no_images_are_not_sent_unless_the_schema_requires_the_property() -> None:
    prop = {**IMAGES, "minItems": 0}
    for required, sent in ((False, UNSENT), (True, [])):
        field = read(prop, name="image_urls", required=required)
        assert field.kind.body(field, field.kind.check(field, Given({})), []) == sent
