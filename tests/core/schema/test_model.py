"""A published schema as typed fields: each kind, and each fault with its place in the file."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from properties import given, st

from nodes.core.schema.model import (
    INT32_MAX,
    Boolean,
    Choice,
    Field,
    Images,
    Integer,
    Limits,
    ModelSpec,
    SchemaError,
    Seed,
    Text,
    parse_model,
)

IMAGES = {"type": "array", "items": {"type": "string", "format": "image_uri"}, "minItems": 1, "maxItems": 3}
AT = "/input_schema/properties/x"


def document(**properties: Any) -> dict[str, Any]:
    return {
        "model_id": "vendor/model/task",
        "node_id": "RunComfyModelTask",
        "command": "task",
        "display_name": "Task (RunComfy)",
        "category": "RunComfy/Image",
        "description": "Does a task.",
        "search_aliases": ["one", "two"],
        "limits": {"image_bytes": 10, "request_bytes": 20},
        "input_schema": {"type": "object", "properties": properties},
    }


def parse(prop: dict[str, Any], name: str = "x", required: bool = False) -> Field:
    made = document(**{name: prop})
    made["input_schema"]["required"] = [name] if required else []
    (field,) = parse_model(made).fields
    return field


def fault(made: Any) -> str:
    with pytest.raises(SchemaError) as raised:
        parse_model(made)
    return str(raised.value)


def test_a_model_file_becomes_a_spec() -> None:
    assert parse_model(document()) == ModelSpec(
        model_id="vendor/model/task",
        node_id="RunComfyModelTask",
        command="task",
        display_name="Task (RunComfy)",
        category="RunComfy/Image",
        description="Does a task.",
        search_aliases=("one", "two"),
        limits=Limits(10, 20),
        fields=(),
    )


def test_fields_keep_the_schemas_order() -> None:
    names = ["zebra", "apple", "prompt", "image_urls", "seed"]
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    properties["image_urls"], properties["seed"] = IMAGES, {"type": "integer"}
    spec = parse_model(document(**properties))
    assert [field.name for field in spec.fields] == names
    assert spec.has_seed
    assert spec.images == Images(1, 3)


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
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
    ],
)
def test_each_construct_has_its_kind(prop: dict[str, Any], kind: Any) -> None:
    found = parse(prop).kind
    assert found == kind
    assert type(found) is type(kind)


def test_a_seed_is_known_by_its_name() -> None:
    assert parse({"type": "integer", "default": 5}, name="seed").kind == Seed(5)
    assert parse({"type": "integer"}, name="seed").kind == Seed(0)
    assert not parse_model(document(x={"type": "integer", "minimum": 0, "maximum": 1})).has_seed


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_prompts_are_multiline(name: str) -> None:
    assert parse({"type": "string"}, name=name).kind == Text(multiline=True)
    assert parse({"type": "string"}, name="prompts").kind == Text(multiline=False)


def test_the_sample_of_a_required_text_is_no_default() -> None:
    kind = parse({"type": "string", "default": "A cat."}, name="prompt", required=True).kind
    assert kind == Text(default="", sample="A cat.", multiline=True)


def test_the_sample_addresses_of_images_are_no_default() -> None:
    kind = parse({**IMAGES, "default": ["https://a.example.com/1.png"]}, required=True).kind
    assert kind == Images(1, 3, sample=("https://a.example.com/1.png",))
    assert isinstance(kind, Images) and kind.sockets == ("image_1", "image_2", "image_3")


def test_an_explanation_is_the_description_and_the_packs_note() -> None:
    made = document(x={"type": "boolean", "title": "Title", "description": "What it does."})
    (field,) = parse_model(made).fields
    assert (field.title, field.explanation) == ("Title", "What it does.")
    (field,) = parse_model({**made, "notes": {"x": "It costs more."}}).fields
    assert field.explanation == "What it does. It costs more."
    assert parse({"type": "boolean", "title": "Title", "description": ""}).explanation == "Title."
    assert parse({"type": "boolean"}).explanation == "x."


@pytest.mark.parametrize(
    ("prop", "pointer"),
    [
        ({"type": "number"}, f"{AT}/type"),
        ({"type": "float"}, f"{AT}/type"),
        ({"type": "object"}, f"{AT}/type"),
        ({"type": ["string", "null"]}, f"{AT}/type"),
        ({}, f"{AT}/type"),
        ({"type": "string", "pattern": "a+"}, f"{AT}/pattern"),
        ({"type": "string", "default": None}, f"{AT}/default"),
        ({"type": "string", "default": 1}, f"{AT}/default"),
        ({"type": "string", "title": 1}, f"{AT}/title"),
        ({"type": "string", "description": None}, f"{AT}/description"),
        ({"type": "string", "enum": []}, f"{AT}/default"),
        ({"type": "string", "enum": ["a", "a"]}, f"{AT}/enum"),
        ({"type": "string", "enum": ["a", 1]}, f"{AT}/enum"),
        ({"type": "string", "enum": "abc"}, f"{AT}/enum"),
        ({"type": "string", "enum": ["a"], "default": "b"}, f"{AT}/default"),
        ({"type": "string", "enum": ["a"], "default": 1}, f"{AT}/default"),
        ({"type": "integer"}, f"{AT}/minimum"),
        ({"type": "integer", "minimum": 1}, f"{AT}/maximum"),
        ({"type": "integer", "minimum": 1.0, "maximum": 2}, f"{AT}/minimum"),
        ({"type": "integer", "minimum": True, "maximum": 2}, f"{AT}/minimum"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, f"{AT}/maximum"),
        ({"type": "integer", "minimum": 1, "maximum": 2, "default": 3}, f"{AT}/default"),
        ({"type": "integer", "minimum": 1, "maximum": 2, "default": "1"}, f"{AT}/default"),
        ({"type": "integer", "enum": [1, 3]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, 1]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, True]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1.0, 2.0]}, f"{AT}/enum"),
        ({"type": "integer", "enum": []}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, 2], "default": 5}, f"{AT}/default"),
        ({"type": "boolean", "default": 1}, f"{AT}/default"),
        ({"type": "boolean", "default": "true"}, f"{AT}/default"),
        ({"type": "array"}, f"{AT}/items"),
        ({**IMAGES, "items": {"type": "string"}}, f"{AT}/items"),
        ({**IMAGES, "items": {"type": "string", "format": "video_uri"}}, f"{AT}/items"),
        ({**IMAGES, "items": "string"}, f"{AT}/items"),
        ({"type": "array", "items": IMAGES["items"]}, f"{AT}/maxItems"),
        ({**IMAGES, "maxItems": 0, "minItems": 0}, f"{AT}/maxItems"),
        ({**IMAGES, "minItems": 4}, f"{AT}/maxItems"),
        ({**IMAGES, "minItems": -1}, f"{AT}/minItems"),
        ({**IMAGES, "default": "https://a.example.com"}, f"{AT}/default"),
        ("string", AT),
        (None, AT),
    ],
)
def test_what_no_widget_stands_for_is_refused_at_its_place(prop: Any, pointer: str) -> None:
    assert fault(document(x=prop)).startswith(f"{pointer}: ")


@pytest.mark.parametrize("default", [-1, INT32_MAX + 1, 1.5, "1", True])
def test_a_seeds_default_lies_in_its_range(default: Any) -> None:
    assert fault(document(seed={"type": "integer", "default": default})).startswith(
        "/input_schema/properties/seed/default: "
    )


@pytest.mark.parametrize("key", [key for key in document() if key != "notes"])
def test_no_key_of_a_model_file_may_be_missing(key: str) -> None:
    made = document()
    del made[key]
    assert fault(made) == f"/{key}: missing"


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (["model_id"], 1, "/model_id"),
        (["display_name"], None, "/display_name"),
        (["search_aliases"], "one", "/search_aliases"),
        (["search_aliases"], [1], "/search_aliases"),
        (["limits"], [], "/limits"),
        (["limits", "image_bytes"], 0, "/limits/image_bytes"),
        (["limits", "request_bytes"], 1.5, "/limits/request_bytes"),
        (["limits", "pixels"], 1, "/limits/pixels"),
        (["extra"], 1, "/extra"),
        (["notes"], [], "/notes"),
        (["notes"], {"y": "text"}, "/input_schema/properties"),
        (["notes"], {"x": 1}, "/notes/x"),
        (["input_schema"], [], "/input_schema"),
        (["input_schema", "properties"], [], "/input_schema/properties"),
        (["input_schema", "required"], ["y"], "/input_schema/properties"),
        (["input_schema", "required"], "x", "/input_schema/required"),
        (["input_schema", "additionalProperties"], False, "/input_schema/additionalProperties"),
        (["input_schema", "properties", "y"], IMAGES, "/input_schema/properties"),
    ],
)
def test_a_fault_in_a_model_file_is_named_with_its_pointer(path: list[str], value: Any, pointer: str) -> None:
    made = copy.deepcopy(document(x=IMAGES))
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert fault(made).startswith(f"{pointer}: ")


@pytest.mark.parametrize("made", [None, [], "text", 1])
def test_a_model_file_is_an_object(made: Any) -> None:
    assert fault(made) == "/: not an object"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ["title", "description", "type", "default", "enum", "minimum", "maximum", "items", "maxItems", "other"]
PROPERTY = st.dictionaries(
    st.sampled_from(KEYS),
    JSON | st.sampled_from(["string", "integer", "boolean", "array", {"type": "string", "format": "image_uri"}]),
)


@given(st.dictionaries(st.sampled_from(["prompt", "seed", "x", "y"]), PROPERTY), st.lists(st.text(max_size=3)))
def test_any_schema_is_understood_or_refused_with_a_pointer(
    properties: dict[str, Any], required: list[str]
) -> None:
    made = document(**properties)
    made["input_schema"]["required"] = required
    try:
        spec = parse_model(made)
    except SchemaError as error:
        assert str(error).startswith("/input_schema")
    else:
        assert [field.name for field in spec.fields] == list(properties)
