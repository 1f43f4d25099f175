"""An array of images: sockets, and addresses by line."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read
from model_files import IMAGES

from nodes.core.errors import InvalidInput
from nodes.core.schema.inputs import Flag, Socket
from nodes.core.schema.kind import UNSENT, Given
from nodes.core.schema.kinds.files import Files
from nodes.core.schema.media import IMAGE


@pytest.mark.parametrize(
    ("prop", "kind"),
    [
        (IMAGES, Files(IMAGE, 1, 3)),
        ({**IMAGES, "minItems": 0, "maxItems": 1}, Files(IMAGE, 0, 1)),
        ({"type": "array", "format": "image_uris", "maxItems": 2, "items": {"type": "string"}}, Files(IMAGE, 0, 2)),
        ({"type": "array", "format": "image_uris", "maxItems": 2}, Files(IMAGE, 0, 2)),
        ({"type": "array", "format": "image_uris"}, Files(IMAGE, 0, 16)),
        ({"type": "array", "items": {"format": "image_uri"}, "minItems": 20}, Files(IMAGE, 20, 20)),
    ],
)
def test_it_is_read_from_a_schema(prop: dict[str, Any], kind: Files) -> None:
    assert read(prop).kind == kind


def test_defaults_are_neither_shown_nor_sent() -> None:
    field = read({**IMAGES, "default": ["https://a.example.com/1.png"]}, name="image_urls", required=True)
    address = field.inputs[-1]
    assert address.options == {"default": "", "multiline": True}
    with pytest.raises(InvalidInput, match="image_urls: connect an image to image_1"):
        field.kind.check(field, Given({}))


def test_it_has_sockets_then_addresses_and_two_flags() -> None:
    field = read(IMAGES, name="reference_images", required=True)
    *sockets, address = field.inputs
    assert [one.name for one in sockets] == ["reference_image_1", "reference_image_2", "reference_image_3"]
    assert all(isinstance(one, Socket) and (one.type, one.medium) == ("IMAGE", "image") for one in sockets)
    assert (address.name, address.type) == ("reference_images", "STRING")
    assert not any(one.required for one in field.inputs), "any of them may hold the images"
    names = tuple(one.name for one in sockets)
    assert field.flags == (
        Flag("reference_image", names, metavar="FILE", repeated=True, medium="image", address="reference_images"),
        Flag("reference_images", ("reference_images",), metavar="URL", repeated=True),
    )


def test_images_are_counted_over_sockets_and_addresses() -> None:
    field = read(IMAGES, name="image_urls", required=True)
    addresses = "https://a.example.com/1.png\n\nhttps://a.example.com/2.png"
    value = field.kind.check(field, Given({"image_urls": addresses}, {"image_3": 1}))
    assert field.kind.body(field, value, ["first"]) == ["first", *addresses.split("\n\n")]
    with pytest.raises(InvalidInput, match="given: 4"):
        field.kind.check(field, Given({"image_urls": addresses}, {"image_3": 2}))


def test_none_are_not_sent_unless_the_schema_requires_the_property() -> None:
    prop = {**IMAGES, "minItems": 0}
    for required, sent in ((False, UNSENT), (True, [])):
        field = read(prop, name="image_urls", required=required)
        assert field.kind.body(field, field.kind.check(field, Given({})), []) == sent


@pytest.mark.parametrize(("form", "kind"), [("video_uri", "VIDEO"), ("audio_uri", "AUDIO")])
def test_videos_and_sounds_have_sockets_of_their_own(form: str, kind: str) -> None:
    field = read({"type": "array", "items": {"type": "string", "format": form}, "maxItems": 2}, name="clips")
    assert [(one.name, one.type, one.medium) for one in field.sockets] == [
        ("clip_1", kind, kind.lower()),
        ("clip_2", kind, kind.lower()),
    ]


def test_one_is_needed_where_the_schema_requires_the_property_and_names_no_least() -> None:
    prop = {"type": "array", "format": "image_uris"}
    needed, free = read(prop, name="images", required=True), read({**prop, "minItems": 2}, name="images")
    with pytest.raises(InvalidInput, match="images: connect an image to image_1"):
        needed.kind.check(needed, Given({}))
    assert free.kind.body(free, free.kind.check(free, Given({})), []) is UNSENT
    with pytest.raises(InvalidInput, match="images: 2 to 16 references are needed"):
        free.kind.check(free, Given({}, {"image_1": 1}))
