"""A model file as typed data, and each fault in one with its place: a file is hostile until proven otherwise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from model_files import IMAGES, model_file
from properties import given, st

from nodes.core.schema.document import MAX_CHARACTERS, MAX_ITEMS, SchemaError
from nodes.core.schema.kind import Field
from nodes.core.schema.kinds.text import Text
from nodes.core.schema.model import Limits, ModelSpec
from nodes.core.schema.own import ON_FAILURE, RERUN_SEED
from nodes.core.schema.parse import parse_model

AT = "/input_schema/properties/x"
STRING = {"type": "string"}
IMAGE = {"type": "string", "format": "image_uri"}


def parse(prop: Any, name: str = "x", required: bool = False) -> Field:
    (field,) = parse_model(model_file(required=(name,) if required else (), **{name: prop})).fields
    return field


def fault(made: Any) -> str:
    with pytest.raises(SchemaError) as raised:
        parse_model(made)
    return str(raised.value)


def changed(path: list[str], value: Any) -> dict[str, Any]:
    """Return a model file with one image input called x, and one value of it changed."""
    made = copy.deepcopy(model_file(x=IMAGES))
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


def test_a_model_file_becomes_a_spec() -> None:
    made = model_file()
    spec = parse_model(made)
    assert spec.fields == ()
    assert spec == ModelSpec(
        model_id="vendor/model/task",
        node_id="RunComfyModelTask",
        command="task",
        display_name="Task (RunComfy)",
        category="RunComfy/Image",
        description="Does a task.",
        search_aliases=("one", "two"),
        output_kind="image",
        limits=Limits(10, 20),
        schema_sha256=made["schema_sha256"],
        read_on="2026-11-21",
        read_fields=tuple,
    )


def test_fields_come_in_the_order_of_the_file_and_the_packs_own_is_last() -> None:
    made = model_file(zebra=STRING, apple=STRING, prompt=STRING, image_urls={**IMAGES, "maxItems": 1})
    made["order"] = ["prompt", "image_urls", "zebra", "apple"]
    spec = parse_model(made)
    assert [field.name for field in spec.fields] == made["order"]
    names = ["prompt", "image_1", "image_urls", "zebra", "apple", RERUN_SEED, ON_FAILURE]
    assert [one.name for one in spec.inputs] == names
    assert [flag.name for flag in spec.flags] == ["prompt", "image", *names[2:-1]]


def test_roles_say_what_a_property_is_for_whatever_it_is_called() -> None:
    made = model_file(how_many={"type": "integer", "minimum": 1, "maximum": 4}, luck={"type": "integer"})
    made["roles"] = {"count": "how_many", "seed": "luck"}
    spec = parse_model(made)
    count, seed = spec.role("count"), spec.role("seed")
    assert count and seed and (count.name, seed.name) == ("how_many", "luck")
    assert spec.role("prompt") is None
    assert RERUN_SEED not in [one.name for one in spec.inputs], "the model's own seed asks for a new take"


def test_what_few_people_change_is_rare_and_the_packs_own_on_failure_is() -> None:
    made = model_file(prompt=STRING, tolerance=STRING)
    made["rare"] = ["tolerance"]
    spec = parse_model(made)
    assert [each.name for each in (*spec.fields, *spec.own_fields) if each.rare] == ["tolerance", ON_FAILURE]


def test_prose_has_several_lines() -> None:
    made = model_file(prompt=STRING, style=STRING)
    made["prose"] = ["prompt"]
    assert [field.kind for field in parse_model(made).fields] == [Text(multiline=True), Text()]


def test_published_words_and_the_packs_note_are_kept() -> None:
    made = model_file(x={"type": "boolean", "title": "Title", "description": "What it does."})
    made["notes"] = {"x": "It costs more."}
    (field,) = parse_model(made).fields
    assert (field.title, field.description, field.note) == ("Title", "What it does.", "It costs more.")
    assert parse({"type": "boolean"}).title == ""


def test_published_words_hold_nothing_that_a_terminal_obeys() -> None:
    words = {"type": "string", "title": "a\x1b]0;title\x07", "description": "red\x1b[31m\u202e\nblue"}
    field = next(one for one in parse_model(model_file(words=words)).fields if one.name == "words")
    assert (field.title, field.description) == ("a ]0;title ", "red [31m \nblue")
    choices = {"type": "string", "enum": ["red\x1b[31m", "blue"], "default": "blue"}
    assert (
        fault(model_file(choices=choices)) == "/input_schema/properties/choices/enum: a choice that cannot be shown"
    )


def test_several_properties_may_hold_images() -> None:
    spec = parse_model(model_file(image_urls=IMAGES, reference_images=IMAGES))
    names = [one.name for one in spec.inputs]
    assert names[:4] == ["image_1", "image_2", "image_3", "image_urls"]
    assert names[4:8] == ["reference_image_1", "reference_image_2", "reference_image_3", "reference_images"]


@pytest.mark.parametrize(
    ("prop", "pointer"),
    [
        ({"type": "vector"}, f"{AT}/type"),
        ({"type": "number"}, f"{AT}/minimum"),
        ({"type": "float", "minimum": 0, "maximum": 10**400}, f"{AT}/maximum"),
        ({"type": "number", "minimum": 0, "maximum": float("nan")}, f"{AT}/maximum"),
        ({"type": "number", "minimum": 0, "maximum": 1, "default": 1.5}, f"{AT}/default"),
        ({"type": "string", "maxLength": -1}, f"{AT}/maxLength"),
        ({"type": "string", "format": "image_uri", "default": ["a"]}, f"{AT}/default"),
        ({"type": "string", "format": "image_uri", "validations": {}}, f"{AT}/validations"),
        ({"type": "string", "format": "image_uri", "validations": [1]}, f"{AT}/validations/0"),
        ({"type": ["string", "null"]}, f"{AT}/type"),
        ({}, f"{AT}/type"),
        ({"type": "string", "pattern": "a+"}, f"{AT}/pattern"),
        ({"type": "string", "format": "date"}, f"{AT}/type"),
        ({"type": "string", "default": 1}, f"{AT}/default"),
        ({"type": "string", "title": 1}, f"{AT}/title"),
        ({"type": "string", "description": None}, f"{AT}/description"),
        ({"type": "string", "enum": []}, f"{AT}/enum"),
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
        ({"type": "integer", "enum": [1, 1]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, True]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1.0, 2.0]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, 2**60]}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, 3], "default": 2}, f"{AT}/default"),
        ({"type": "integer", "enum": []}, f"{AT}/enum"),
        ({"type": "integer", "enum": [1, 2], "default": 5}, f"{AT}/default"),
        ({"type": "integer", "minimum": 0, "maximum": 10**30}, f"{AT}/maximum"),
        ({"type": "boolean", "default": 1}, f"{AT}/default"),
        ({"type": "boolean", "default": "true"}, f"{AT}/default"),
        ({"type": "array"}, f"{AT}/type"),
        ({**IMAGES, "items": {"type": "string"}}, f"{AT}/type"),
        ({**IMAGES, "items": {"type": "string", "format": "date"}}, f"{AT}/type"),
        ({**IMAGES, "items": "string"}, f"{AT}/items"),
        ({**IMAGES, "maxItems": 0, "minItems": 0}, f"{AT}/maxItems"),
        ({**IMAGES, "minItems": 4}, f"{AT}/maxItems"),
        ({**IMAGES, "minItems": -1}, f"{AT}/minItems"),
        ({**IMAGES, "default": "https://a.example.com"}, f"{AT}/default"),
        ("string", AT),
        (None, AT),
    ],
)
def test_what_no_widget_stands_for_is_refused_at_its_place(prop: Any, pointer: str) -> None:
    assert fault(model_file(x=prop)).startswith(f"{pointer}: ") or fault(model_file(x=prop)).startswith(
        f"{pointer} "
    )


@pytest.mark.parametrize("key", [key for key in model_file() if key not in ("notes", "prose", "command")])
def test_no_key_of_a_model_file_may_be_missing(key: str) -> None:
    made = model_file()
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
        (["output"], "hologram", "/output"),
        (["output"], "../outputs/image", "/output"),
        (["output"], "__init__", "/output"),
        (["roles"], {"colour": "x"}, "/roles/colour"),
        (["roles"], {"count": "y"}, "/input_schema/properties"),
        (["roles"], {"count": "x", "size": "x"}, "/roles"),
        (["roles"], {"count": 1}, "/roles/count"),
        (["order"], [], "/order"),
        (["order"], ["x", "y"], "/order"),
        (["order"], ["x", "x"], "/order"),
        (["prose"], ["y"], "/input_schema/properties"),
        (["rare"], ["y"], "/input_schema/properties"),
        (["notes"], [], "/notes"),
        (["notes"], {"y": "text"}, "/input_schema/properties"),
        (["notes"], {"x": 1}, "/notes/x"),
        (["schema_sha256"], "abc", "/schema_sha256"),
        (["read_on"], "yesterday", "/read_on"),
        (["input_schema"], [], "/input_schema"),
        (["input_schema", "properties"], [], "/input_schema/properties"),
        (["input_schema", "required"], ["y"], "/input_schema/properties"),
        (["input_schema", "required"], "x", "/input_schema/required"),
        (["input_schema", "additionalProperties"], False, "/input_schema/additionalProperties"),
    ],
)
def test_a_fault_in_a_model_file_is_named_with_its_pointer(path: list[str], value: Any, pointer: str) -> None:
    assert fault(changed(path, value)).startswith(f"{pointer}: ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("model_id", name) for name in ("vendor", "a/../b", "a/b?c", "a//b", "/a/b", "a/b/", "a/B", "a/b c")),
        *(("node_id", name) for name in ("KSampler", "RunComfy", "RunComfy.A", "RunComfy/A", "runcomfyA")),
        *(("command", name) for name in ("jobs", "collect", "run", "-a", "a-", "A", "a b", "--help", "", "a" * 65)),
        *(("category", name) for name in ("api node/x", "Image", "RunComfy/", "RunComfy//A", "RunComfy/<b>")),
        *(("display_name", name) for name in ("", " ", "two\nlines", "bell\a", "x" * 401)),
        *(("description", name) for name in ("", "two\nlines", "x" * 10**7)),
    ],
)
def test_a_name_that_could_do_harm_is_refused(key: str, value: str) -> None:
    assert fault({**model_file(), key: value}).startswith(f"/{key}: ")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "control_after_generate",
            "rerun_seed",
            "on_failure",
            "self",
            "class",
            "lambda",
            "None",
            "__proto__",
            "constructor",
            "toString",
        ),
        *(
            "out",
            "offline",
            "help",
            "with space",
            "with/slash",
            "with-dash",
            "9lives",
            "",
            "_hidden",
            "x" * 65,
            "ä",
        ),
    ],
)
def test_a_property_cannot_take_a_name_that_means_something(name: str) -> None:
    assert fault(model_file(**{name: STRING})).startswith("/input_schema/properties/")


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"image_urls": IMAGES, "image_1": STRING}, "image_1"),
        ({"image_urls": IMAGES, "images": IMAGES}, "image_1"),
        ({"image": IMAGES, "image_urls": STRING}, "image_urls"),
        ({"image_urls": IMAGES, "image": STRING}, "image"),
        ({"Size": STRING, "size": STRING}, "size"),
        ({"image": IMAGE, "image_url": IMAGE}, "image"),
        ({"image_url_1": IMAGE, "image_urls": IMAGES}, "image_1"),
    ],
)
def test_two_inputs_never_share_a_name(properties: dict[str, Any], name: str) -> None:
    assert fault(model_file(**properties)).endswith(f"would be called {name!r}")


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ({"x": {"type": "string", "enum": [str(n) for n in range(100_000)]}}, f"{AT}/enum"),
        ({"x": {**IMAGES, "maxItems": 100_000}}, f"{AT}/maxItems"),
        ({"x": {"type": "string", "description": "x" * 10**7}}, f"{AT}/description"),
        ({"x": {"type": "string", "default": "x" * (MAX_CHARACTERS + 1)}}, f"{AT}/default"),
        ({"x": {"type": "string", "enum": ["x" * (MAX_CHARACTERS + 1)]}}, f"{AT}/enum"),
        ({"x": {"type": "integer", "enum": list(range(2**53, 2**53 + 2))}}, f"{AT}/enum"),
        ({f"x{n}": STRING for n in range(65)}, "/input_schema/properties"),
        ({f"x{n}": STRING for n in range(MAX_ITEMS + 1)}, "/input_schema/properties"),
    ],
)
def test_nothing_in_a_model_file_is_larger_than_a_node_can_be(properties: dict[str, Any], place: str) -> None:
    assert fault(model_file(**properties)).startswith(f"{place}: ")


@pytest.mark.parametrize("made", [None, [], "text", 1])
def test_a_model_file_is_an_object(made: Any) -> None:
    assert fault(made) == "/: not an object"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ["title", "description", "type", "default", "enum", "minimum", "maximum", "items", "maxItems", "format"]
PROPERTY = st.dictionaries(
    st.sampled_from([*KEYS, "other"]),
    JSON | st.sampled_from(["string", "integer", "boolean", "array", "image_uri", {"format": "image_uri"}]),
)


@given(st.dictionaries(st.sampled_from(["prompt", "seed", "x", "y"]), PROPERTY), st.lists(st.text(max_size=3)))
def test_any_schema_is_understood_or_refused_with_a_pointer(
    properties: dict[str, Any], required: list[str]
) -> None:
    made = model_file(**properties)
    made["input_schema"]["required"] = required
    try:
        spec = parse_model(made)
    except SchemaError as error:
        assert str(error).startswith("/input_schema")
    else:
        assert [field.name for field in spec.fields] == list(properties)
