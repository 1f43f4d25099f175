"""What sockets are called: the stem of a property's name, tried on every property of the catalogue that has one."""

from __future__ import annotations

from itertools import product

import pytest
from properties import given, st

from nodes.core.schema import names
from nodes.core.schema.document import SchemaError
from nodes.core.schema.entry import model_document
from nodes.core.schema.names import MAX_ID, MODEL_ID, NODE_ID, address_of, node_id_of, stem_of, without_number

SIGNS = ["".join(signs) for length in (1, 2, 3) for signs in product("-/._", repeat=length)]
RUNS = [signs for signs in SIGNS if MODEL_ID.fullmatch(f"a/b{signs}c")]
PARTS = st.tuples(st.sampled_from(RUNS), st.text("az09", min_size=1, max_size=4)).map("".join)
MODEL_IDS = st.lists(PARTS, min_size=1, max_size=6).map(lambda parts: f"a/b{''.join(parts)}")


@pytest.mark.parametrize(
    ("name", "several", "stem", "address"),
    [
        ("image_urls", True, "image", "image_urls"),
        ("images", True, "image", "images"),
        ("reference_videos", True, "reference_video", "reference_videos"),
        ("reference_image_urls", True, "reference_image", "reference_image_urls"),
        ("video", True, "video", "video_urls"),
        ("start_image_url", False, "start_image", "start_image_url"),
        ("image_url_3", False, "image_3", "image_url_3"),
        ("image", False, "image", "image_url"),
        ("first_frame", False, "first_frame", "first_frame_url"),
        ("mask_image_url", False, "mask_image", "mask_image_url"),
    ],
)
def test_a_socket_is_called_by_the_stem_and_the_address_by_another_name(
    name: str, several: bool, stem: str, address: str
) -> None:
    assert (stem_of(name), address_of(name, several=several)) == (stem, address)
    assert stem != address


def test_a_number_at_the_end_is_a_number() -> None:
    assert without_number("image_3") == ("image", 3)
    assert without_number("image") == ("image", None)


@pytest.mark.parametrize("signs", ["-" * 4, "-" * 15, "-" * 60, "_-.-", "_" * 120])
def test_an_id_whose_node_id_would_fill_the_memory_is_none(signs: str) -> None:
    assert not MODEL_ID.fullmatch(f"maker/a{signs}b")
    assert not MODEL_ID.fullmatch(f"maker/a{signs}")
    with pytest.raises(SchemaError):
        model_document({"model_id": f"maker/a{signs}b", "input_schema": {}}, "2026-11-21")


def test_signs_of_every_kind_are_tried() -> None:
    assert len(RUNS) > 40 and {"-", "/", ".", "_", "--", "_/", "-_-"} <= set(RUNS)


@given(MODEL_IDS)
def test_a_node_id_is_one_that_every_page_can_use(model_id: str) -> None:
    node_id = node_id_of(model_id)
    assert NODE_ID.fullmatch(node_id)
    assert model_id_of(node_id) == model_id, "the id can be had back, so no two models have one node id"
    assert model_id_of(node_id.upper()) == model_id, "also where case is ignored"
    assert names.model_id_of(node_id) == (model_id if len(node_id) <= MAX_ID else None)


@pytest.mark.parametrize(
    "node_id",
    ["", "RunComfy_", "RunComfyCollect", "KSampler", "RunComfy_a", "RunComfy_A__b", "RunComfy___", "x" * 500],
)
def test_the_node_of_no_model_is_that_of_none(node_id: str) -> None:
    assert names.model_id_of(node_id) is None


@given(MODEL_IDS, MODEL_IDS)
def test_no_two_models_have_one_node_id(one: str, other: str) -> None:
    assert (one == other) == (node_id_of(one).casefold() == node_id_of(other).casefold())


def model_id_of(node_id: str) -> str:
    """Return the model that a node id was made of: the opposite of ``node_id_of``, written from its description."""
    digits = {1: "-", 2: "/", 3: ".", 0: "_"}
    name, found = node_id.lower().removeprefix("runcomfy_"), ""
    while name:
        run = len(name) - len(name.lstrip("_"))
        name, signs = name[run:], ""
        while run:
            signs = digits[run % 4] + signs
            run = (run - 1) // 4
        found += signs + name[:1]
        name = name[1:]
    return found


@pytest.mark.parametrize(
    ("model_id", "node_id"),
    [
        ("wan-ai/wan-2.7/image-to-video", "RunComfy_wan_ai__wan_2___7__image_to_video"),
        ("wan-ai/wan-2-7/image-to-video", "RunComfy_wan_ai__wan_2_7__image_to_video"),
        ("a/b_c", "RunComfy_a__b____c"),
        ("a/b--c", "RunComfy_a__b_____c"),
    ],
)
def test_a_node_id_can_be_read(model_id: str, node_id: str) -> None:
    assert node_id_of(model_id) == node_id
