"""An entry of the catalogue as a model file: names, roles and order by rule; hostile until proven otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from properties import given, st

from nodes.core.schema.document import SchemaError
from nodes.core.schema.entry import file_name_of, model_document
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.parse import parse_model

TEXT = {"type": "string"}
WHOLE = {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}
IMAGE = {"type": "string", "format": "image_uri"}
VIDEO = {"type": "string", "format": "video_uri"}


def entry(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return an entry as the live catalogue writes one: keys in the alphabet's order."""
    schema = {"properties": dict(sorted(properties.items())), "required": list(required), "type": "object"}
    return {
        "base_price_usd": 0.1,
        "categories": ["image-to-video"],
        "description": "Moves\nan image. It is fast. It is good.",
        "display_name": "Model 2.7 Pro",
        "input_schema": schema,
        "kind": "model",
        "model_id": "wan-ai/model-2.7/pro",
        "price_unit": "second",
    }


def spec_of(found: dict[str, Any], **more: Any) -> ModelSpec:
    return parse_model(model_document(found, "2026-11-21", **more))


def test_names_follow_from_the_entry() -> None:
    spec = spec_of(entry(prompt=TEXT))
    assert (spec.node_id, spec.command) == ("RunComfy_wan_ai__model_2___7__pro", "")
    assert (spec.display_name, spec.category) == ("Model 2.7 Pro (RunComfy)", "RunComfy/Video/Wan")
    assert spec.description == "Moves an image. Each run is one paid job."
    assert spec.output_kind == "video"
    assert spec.search_aliases == ("wan-ai", "wan", "model 2.7", "pro")
    assert file_name_of(spec.model_id) == "wan-ai/model-2.7-pro.json"


def test_without_words_of_its_own_the_id_names_it() -> None:
    found = {
        **entry(prompt=TEXT),
        "display_name": "",
        "description": "",
        "model_id": "openai/gpt-image-2/text-to-image",
    }
    spec = spec_of(found)
    assert spec.display_name == "GPT Image 2 Text to Image (RunComfy)"
    assert spec.description == "GPT Image 2 Text to Image, hosted by RunComfy. Each run is one paid job."
    assert "t2i" in spec.search_aliases


def test_widgets_stand_in_the_order_of_what_people_change() -> None:
    found = entry(
        ("video_url",),
        **{f"image_url_{number}": IMAGE for number in (1, 2, 10)},
        **{"video_url": VIDEO, "mask_url": IMAGE, "end_image_url": IMAGE, "start_image_url": IMAGE},
        **{"prompt": TEXT, "negative_prompt": TEXT, "seed": {"type": "integer"}, "duration": WHOLE, "aa": WHOLE},
        **{"resolution": {"type": "string", "enum": ["1K"]}, "aspect_ratio": {"type": "string", "enum": ["1:1"]}},
    )
    assert [each.name for each in spec_of(found).fields] == [
        *("prompt", "negative_prompt"),
        *(
            "video_url",
            "start_image_url",
            "end_image_url",
            "image_url_1",
            "image_url_2",
            "image_url_10",
            "mask_url",
        ),
        *("aspect_ratio", "resolution", "duration", "seed", "aa"),
    ]


def test_roles_follow_from_usual_names() -> None:
    found = entry(tags=TEXT, max_images=WHOLE, width=WHOLE, height=WHOLE, music_length_ms=WHOLE, mask_image=IMAGE)
    assert {each.name: each.role for each in spec_of(found).fields} == {
        **{"tags": "prompt", "max_images": "count", "width": "width", "height": "height"},
        **{"music_length_ms": "duration_ms", "mask_image": "mask"},
    }


def test_conditions_become_data() -> None:
    spec = spec_of(entry(prompt=TEXT, image_url=IMAGE), conditions=[{"any_of": ["prompt", "image_url"]}])
    assert [one.any_of for one in spec.conditions] == [("prompt", "image_url")]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("categories", [], "/categories: none ends in one of image, video, audio"),
        ("categories", ["text-to-3d"], "/categories: none ends"),
        ("categories", "text-to-image", "/categories"),
        ("model_id", "../../etc/passwd", "/model_id"),
        ("model_id", "a/b?c=d", "/model_id"),
        ("model_id", "a", "/model_id"),
        ("model_id", 1, "/model_id"),
        ("input_schema", None, "/input_schema"),
        ("input_schema", {"properties": {"with/slash": TEXT}}, "/input_schema/properties/with/slash"),
        ("input_schema", {"properties": {"__proto__": TEXT}}, "/input_schema/properties/__proto__"),
        (
            "input_schema",
            {"properties": {"images": {"type": "array"}}, "required": ["image_urls"]},
            "/input_schema",
        ),
        ("display_name", "x" * 10_001, "/display_name"),
        ("display_name", "two\nlines", "/display_name"),
        ("description", "x" * 10**7, "/description"),
    ],
)
def test_an_entry_that_cannot_be_a_model_is_refused_by_name(key: str, value: Any, said: str) -> None:
    with pytest.raises(SchemaError) as raised:
        spec_of({**entry(prompt=TEXT), key: value})
    assert str(raised.value).startswith(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ("categories", "description", "display_name", "input_schema", "model_id")


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_any_entry_is_a_model_or_refused(changed: dict[str, Any], properties: dict[str, Any]) -> None:
    try:
        spec = spec_of({**entry(**properties), **changed})
    except SchemaError as error:
        assert str(error).startswith("/")
    else:
        assert spec.inputs
