"""A live schema beside the one of a model file: what is the same, what differs, what of a body it forbids."""

from __future__ import annotations

from typing import Any

import pytest
from offers import IMAGE, IMAGES, integer, one_of, schema, text
from support import MODELS, ROOT

from emulator.catalog import entry, load_models
from nodes.core.schema.live.allowed import MOST_TOLD, changes, forbidden
from nodes.core.schema.live.structure import MAX_PROPERTIES, Structure, read_structure
from nodes.core.schema.live.update import updated_document
from nodes.core.schema.parse import parse_model

URL = "https://a.example.com/1.png"


def structure(published: Any) -> Structure:
    found = read_structure(published)
    assert found
    return found


def told(live: Any, body: dict[str, object], *files: str) -> list[str]:
    """What is forbidden, as ``kind field``."""
    notes = forbidden(structure(live), body, files)
    return [f"{one.kind.removeprefix('forbidden.')} {one.params['field']}" for one in notes]


@pytest.mark.parametrize(
    "other",
    [
        {
            "properties": {"b": {"enum": [3, 2, 1], "type": "integer"}, "a": {"type": "string"}},
            "required": ["b", "a"],
        },
        schema(
            "b", "a", a=text(title="A", description="The a.", default="x"), b={"type": "integer", "enum": [1, 2, 3]}
        ),
        schema("a", "b", a=text(), b={"type": "integer", "minimum": 1.0, "maximum": 3, "default": 2}),
    ],
    ids=["order", "texts and defaults", "bounds for an enum"],
)
def test_what_does_not_change_a_structure(other: Any) -> None:
    own = structure(schema("a", "b", a=text(), b={"type": "integer", "enum": [1, 2, 3]}))
    assert own.hash == structure(other).hash
    assert changes(own, structure(other)) == ()


def test_the_form_of_an_array_of_files_does_not_change_a_structure() -> None:
    forms = (IMAGES, {"type": "array", "format": "image_uris", "minItems": 1, "maxItems": 4})
    assert len({structure(schema(images=one)).hash for one in forms}) == 1
    kinds = ({"type": "float"}, {"type": "number"}, {"type": ["number", "null"]})
    assert len({structure(schema(scale=one)).hash for one in kinds}) == 1


@pytest.mark.parametrize(
    "unreadable",
    [
        None,
        [],
        "schema",
        {},
        {"properties": {}},
        {"properties": []},
        {"properties": {"a": "string"}},
        {"properties": {"a": {}}, "required": "a"},
        {"properties": {"a": {}}, "required": [1]},
        {"properties": {"a": {"enum": "x"}}},
        {"properties": {"a": {"enum": [{}]}}},
        {"properties": {"a": {"enum": []}}},
        {"properties": {"a": {"minimum": "1"}}},
        {"properties": {"a": {"minimum": True}}},
        {"properties": {"a": {"maximum": float("inf")}}},
        {"properties": {"a": {"maximum": float("nan")}}},
        {"properties": {"a": {"maximum": 10**400}}},
        {"properties": {str(number): {} for number in range(MAX_PROPERTIES + 1)}},
    ],
)
def test_a_schema_that_cannot_be_read_has_no_structure(unreadable: Any) -> None:
    assert read_structure(unreadable) is None


@pytest.mark.parametrize(
    ("live", "body", "files", "expected"),
    [
        # What has really happened to published schemas.
        (
            schema(
                "prompt", prompt=text(), aspect_ratio=one_of("1:1"), resolution=one_of("1K"), quality=one_of("high")
            ),
            {"prompt": "a", "size": "1024x1024"},
            (),
            ["gone size"],
        ),
        (
            schema("prompt", "start_image_url", prompt=text(), start_image_url=IMAGE),
            {"prompt": "a", "image_url": URL},
            (),
            ["gone image_url", "missing start_image_url"],
        ),
        (
            schema("images", images=IMAGES),
            {"image_urls": ["hash"]},
            ("image_urls",),
            ["gone image_urls", "missing images"],
        ),
        (schema(duration=integer(4, 8, 4)), {"duration": 12}, (), ["range duration"]),
        (schema(duration=integer(4, 8, 4)), {"duration": 8}, (), []),
        # One that requires what is no property: a fault, which a person may pass over.
        (schema("image_urls", images=IMAGES), {"images": [URL]}, (), ["missing image_urls"]),
        (schema(size=one_of("1K", "2K")), {"size": "4K"}, (), ["choice size"]),
        (schema(level={"type": "integer", "enum": [1, 3]}), {"level": 2}, (), ["choice level"]),
        (schema(level={"type": "string", "enum": ["1", "3"]}), {"level": 1}, (), ["type level"]),
        (schema(on={"type": "integer"}), {"on": True}, (), ["type on"]),
        (schema(scale={"type": "number", "maximum": 1}), {"scale": 1}, (), []),
        (schema(scale={"type": "integer"}), {"scale": 1.5}, (), ["type scale"]),
        (schema(scale={"enum": [1, 2.5]}), {"scale": 1.0}, (), []),
        (schema(scale={"enum": [1, 2.5]}), {"scale": True}, (), ["choice scale"]),
        (schema(prompt=text(maxLength=3)), {"prompt": "four"}, (), ["length prompt"]),
        (schema(image_url={**IMAGE, "maxLength": 3}), {"image_url": "a hash"}, ("image_url",), []),
        (schema(images=IMAGES), {"images": ["a"] * 5}, ("images",), ["count images"]),
        (schema(tags={"type": "array", "items": one_of("a", "b")}), {"tags": ["a", "c", "d"]}, (), ["choice tags"]),
        (schema(anything={"oneOf": []}), {"anything": {"a": 1}}, (), []),
    ],
)
def test_what_a_live_schema_forbids(live: Any, body: Any, files: tuple[str, ...], expected: list[str]) -> None:
    assert told(live, body, *files) == expected


def test_what_is_told_is_short_and_plain() -> None:
    body = {f"gone_{number}\n{'x' * 100}": 1 for number in range(100)}
    notes = forbidden(structure(schema(a=text())), body, ())
    assert len(notes) == MOST_TOLD
    assert all(len(str(one.params["field"])) <= 64 and str(one.params["field"]).isprintable() for one in notes)
    wide = schema(size={"type": "string", "enum": [str(number) for number in range(500)]})
    (one,) = forbidden(structure(wide), {"size": "x"}, ())
    assert len(str(one)) < 400


def test_every_change_is_named() -> None:
    old = schema("a", a=text(), b=text(), c=one_of("x", "y"), d=integer(1, 9, 1), e=text(), gone=text())
    new = schema("a", "b", "new", a=text(), b=text(), c=one_of("x", "z"), d=integer(1, 5, 1), e={"type": "boolean"},
                 new=text(), more=text())  # fmt: skip
    assert [str(one) for one in changes(structure(old), structure(new))] == [
        "gone is not there any more.",
        "new is new, and required.",
        "more is new.",
        "b is required now.",
        "c has other choices: x, z.",
        "d has other limits.",
        "e has another type: boolean in place of string.",
    ]


def test_no_published_page_differs_from_its_entry() -> None:
    """The two that were seeds have titles and a designed order; their entries are alphabetical and have none."""
    offered = load_models(ROOT / "nodes" / "models")
    for model_id, model in MODELS.items():
        live = read_structure(entry(offered[model_id], 0.1)["input_schema"])
        assert live and model.structure and live.hash == model.structure.hash, model_id


def test_a_model_that_has_not_changed_keeps_every_input_when_it_is_updated() -> None:
    offered = load_models(ROOT / "nodes" / "models")
    for model_id, model in MODELS.items():
        made = parse_model(updated_document(model, entry(offered[model_id], 0.1), "2026-12-01"))
        assert made.serialized == model.serialized, model_id
        assert (made.node_id, made.command, made.output_kind) == (model.node_id, model.command, model.output_kind)
        assert [one.role for one in made.fields] == [one.role for one in model.fields]
        assert made.conditions == model.conditions
