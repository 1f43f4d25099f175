"""Conditions among inputs: each is checked before anything is spent, with an error that names the inputs."""

from __future__ import annotations

from typing import Any

import pytest
from model_files import IMAGES, model_file

from nodes.core.errors import InvalidInput
from nodes.core.request.validate import check
from nodes.core.schema.document import SchemaError
from nodes.core.schema.kind import Given
from nodes.core.schema.parse import parse_model

URL = "https://a.example.com/1.png"
MANY = {**IMAGES, "minItems": 0, "maxItems": 9}
PROPERTIES = {
    "prompt": {"type": "string"},
    "sound": {"type": "boolean"},
    "paper": {"type": "string", "enum": ["white", "none"], "default": "white"},
    "image_urls": MANY,
    "video_url": {"type": "string", "format": "video_uri"},
    "elements": {"type": "array", "items": {"type": "object"}},
}


def run(conditions: list[Any], counts: dict[str, int] | None = None, **values: object) -> None:
    made = {**model_file(**PROPERTIES), "conditions": conditions}
    check(parse_model(made), Given(values, counts or {}))


@pytest.mark.parametrize(
    ("condition", "passing", "refused", "said"),
    [
        (
            {"any_of": ["prompt", "video_url"]},
            [{"prompt": "a"}, {"video_url": URL}],
            {},
            "prompt: at least one of prompt, video is needed",
        ),
        (
            {"at_most": 2, "of": ["image_urls", "video_url"]},
            [{}, {"image_urls": f"{URL}\n{URL}"}, {"image_urls": URL, "video_url": URL}],
            {"image_urls": f"{URL}\n{URL}", "video_url": URL},
            "image_urls: image_urls, video are allowed 2 files together at most, not 3",
        ),
        (
            {"when": {"video_url": True}, "at_most": 1, "of": ["image_urls"]},
            [{"image_urls": f"{URL}\n{URL}"}, {"image_urls": URL, "video_url": URL}],
            {"image_urls": f"{URL}\n{URL}", "video_url": URL},
            "image_urls: together with video, image_urls is allowed 1 files at most, not 2",
        ),
        (
            {"when": {"video_url": True}, "none_of": {"sound": True}},
            [{"sound": True}, {"sound": False, "video_url": URL}],
            {"sound": True, "video_url": URL},
            "sound: sound is not allowed together with video",
        ),
        (
            {"when": {"video_url": True}, "none_of": {"paper": "none"}},
            [{"paper": "none"}, {"video_url": URL}],
            {"paper": "none", "video_url": URL},
            "paper: paper = none is not allowed together with video",
        ),
    ],
)
def test_a_condition_is_checked(
    condition: dict[str, Any], passing: list[dict[str, object]], refused: dict[str, object], said: str
) -> None:
    for values in passing:
        run([condition], **values)
    with pytest.raises(InvalidInput, match=said):
        run([condition], **refused)


def test_what_a_socket_brings_counts() -> None:
    run([{"any_of": ["video_url"]}], {"video": 1})
    with pytest.raises(InvalidInput, match="not 4"):
        run([{"at_most": 3, "of": ["image_urls", "video_url"]}], {"video": 1, "image_1": 2}, image_urls=URL)


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ("any_of", "/conditions/0: not an object"),
        ({}, "/conditions/0/any_of"),
        ({"any_of": ["prompt"], "none_of": {"prompt": True}}, "/conditions/0/any_of"),
        ({"at_most": 1}, "/conditions/0/any_of"),
        ({"at_most": -1, "of": ["prompt"]}, "/conditions/0/at_most"),
        ({"any_of": "prompt"}, "/conditions/0/any_of"),
        ({"none_of": {"prompt": []}}, "/conditions/0/none_of/prompt"),
        ({"any_of": ["prompt"], "unless": {}}, "/conditions/0/unless"),
        ({"any_of": ["nothing"]}, "/conditions: no input 'nothing'"),
        ({"any_of": ["elements"]}, "/conditions: no input 'elements'"),
    ],
)
def test_one_that_is_not_understood_is_refused(condition: Any, place: str) -> None:
    with pytest.raises(SchemaError) as raised:
        run([condition])
    assert str(raised.value).startswith(place)
