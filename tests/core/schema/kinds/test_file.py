"""One file: a socket or an address, never both."""

from __future__ import annotations

from typing import Any

import pytest
from kinds_of_input import read

from nodes.core.errors import InvalidInput
from nodes.core.schema.inputs import Flag, Socket
from nodes.core.schema.kind import UNSENT, Field, Given

URL = "https://a.example.com/1.png"
IMAGE = {"type": "string", "format": "image_uri"}


def sent(field: Field, address: str = "", *files: str) -> Any:
    counts = {field.sockets[0].name: len(files)} if files else {}
    value = field.kind.check(field, Given({field.inputs[1].name: address}, counts))
    return field.kind.body(field, value, files)


@pytest.mark.parametrize(
    ("form", "name", "socket", "address", "kind"),
    [
        ("image_uri", "start_image_url", "start_image", "start_image_url", "IMAGE"),
        ("image_uri", "image", "image", "image_url", "IMAGE"),
        ("image_uri", "image_url_3", "image_3", "image_url_3", "IMAGE"),
        ("video_uri", "video_url", "video", "video_url", "VIDEO"),
        ("audio_uri", "audio", "audio", "audio_url", "AUDIO"),
    ],
)
def test_it_is_a_socket_and_an_address(form: str, name: str, socket: str, address: str, kind: str) -> None:
    field = read({"type": "string", "format": form}, name=name, required=True)
    first, second = field.inputs
    assert isinstance(first, Socket)
    assert (first.name, first.type, first.medium) == (socket, kind, kind.lower())
    assert (second.name, second.type, second.options["default"]) == (address, "STRING", "")
    assert not first.required and not second.required, "either may hold it"
    assert field.flags == (
        Flag(socket, (socket,), metavar="FILE", medium=kind.lower(), address=address),
        Flag(address, (address,), default="", metavar="URL"),
    )


def test_a_number_in_the_name_is_the_sockets_number() -> None:
    (socket,) = read(IMAGE, name="image_url_3").sockets
    assert (socket.stem, socket.number) == ("image", 3)


@pytest.mark.parametrize(("role", "reader"), [("mask", ""), ("inverted_mask", "inverted_mask")])
def test_an_image_in_the_role_of_a_mask_is_a_mask(role: str, reader: str) -> None:
    from model_files import model_file

    from nodes.core.schema.parse import parse_model

    made = {**model_file(stencil_url=IMAGE), "roles": {role: "stencil_url"}}
    (socket, *_) = parse_model(made).inputs
    assert isinstance(socket, Socket)
    assert (socket.name, socket.type, socket.medium, socket.reader) == ("stencil", "MASK", "mask", reader)
    assert ("mask_inverted" in [fact.key for fact in socket.facts]) == bool(reader)


def test_the_socket_or_the_address_is_sent() -> None:
    field = read(IMAGE, name="image_url")
    assert (sent(field, URL), sent(field, "", "data"), sent(field)) == (URL, "data", UNSENT)


@pytest.mark.parametrize(
    ("address", "files", "said"),
    [
        (URL, ("data",), "image_url: fill it in or connect image, not both"),
        (f"{URL}\n{URL}", (), "image_url: one is allowed, and 2 are given"),
        ("", ("a", "b"), "image: one is allowed, and 2 are given"),
        ("", (), "image: it is needed; connect it, or fill in image_url"),
        ("http://a.example.com/1.png", (), "image_url: line 1 is not a public https address"),
    ],
)
def test_anything_else_is_refused(address: str, files: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        sent(read(IMAGE, name="image_url", required=True), address, *files)


def test_a_default_is_neither_shown_nor_sent() -> None:
    field = read({**IMAGE, "default": URL}, name="image_url")
    assert field.inputs[1].options == {"default": ""}
    assert sent(field) is UNSENT


def test_it_is_counted_wherever_it_is() -> None:
    field = read(IMAGE, name="image_url")
    assert field.kind.count(field, UNSENT, Given({}, {"image": 1})) == 1
    assert field.kind.count(field, URL, Given({})) == 1
    assert field.kind.count(field, UNSENT, Given({})) == 0
