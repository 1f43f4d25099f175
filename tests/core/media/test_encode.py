"""How a reference travels: lossless where it fits, then JPEG, then smaller; never over a limit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from makers import decoded, eight_bit, file_in, noise, open_image
from numpy.typing import NDArray
from properties import given, settings, st
from support import PRO_EDIT, TEXT_TO_IMAGE, Runner, image

from emulator import Emulator
from nodes.core.errors import Charge, InvalidInput
from nodes.core.media.encode import MIN_SIDE, WEBP_MAX_SIDE, DoesNotFit, Encoded, bytes_in_uri, encode, fair_limit
from nodes.core.media.inputs.image import ImageContent
from nodes.core.media.pixels import content_hash
from nodes.core.request.build import check_inputs, encode_all, prepare
from nodes.core.request.encode_once import Encoder, Reference
from nodes.core.request.validate import check
from nodes.core.schema.kind import Given
from nodes.core.schema.model import Limits
from nodes.core.store.file_cache import FileCache

Array = NDArray[np.uint8]
MIB = 2**20


def smooth(height: int, width: int) -> Array:
    """Return what a photograph is to a JPEG: soft, with a little grain."""
    down, across = np.mgrid[0:height, 0:width]
    image = np.stack([across * 255 // width, down * 255 // height, (across + down) % 256], axis=-1)
    grain = np.random.default_rng(1).integers(-3, 4, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def references(*images: Array) -> list[Reference]:
    return [
        Reference("image_urls", f"image_{number}", ImageContent(pixels), content_hash(pixels))
        for number, pixels in enumerate(images, 1)
    ]


def encoder() -> Encoder:
    """Return one that keeps nothing."""
    return Encoder(FileCache(Path("nowhere"), 0))


def sent_with(request_bytes: int, *images: Array, image_bytes: int = 6 * MIB, prompt: str = "all") -> Any:
    """Prepare a request within other limits than the API's; return it and its JSON."""
    spec = replace(PRO_EDIT, limits=Limits(image_bytes, request_bytes))
    prepared = prepare(check(spec, Given({"prompt": prompt}, {"image_1": 1})), references(*images), encoder())
    return prepared, json.loads(prepared.body)


SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]), st.integers(0, 2**32))


@given(SHAPES, st.booleans())
def test_what_fits_is_sent_bit_exact(shape: tuple[int, int, int, int], flat: bool) -> None:
    height, width, channels, seed = shape
    pixels = np.full((height, width, channels), seed % 256, np.uint8) if flat else noise(*shape[:3], seed=seed)
    encoded = encode(pixels, MIB)
    assert encoded.quality is None
    assert (encoded.width, encoded.height) == (width, height)
    assert np.array_equal(eight_bit(decoded(encoded.data)), pixels[..., :3])
    mode = "RGB" if channels == 3 else "RGBA"
    as_sent = np.asarray(open_image(encoded.data).convert(mode))
    assert np.array_equal(as_sent, pixels), "colours under full transparency, too"


def test_sides_that_webp_cannot_hold_are_sent_as_png_bit_exact() -> None:
    for height, width in ((3, WEBP_MAX_SIDE + 1), (WEBP_MAX_SIDE + 1, 3)):
        pixels = noise(height, width)
        encoded = encode(pixels, MIB)
        assert (encoded.format, encoded.mime) == ("PNG", "image/png")
        assert np.array_equal(eight_bit(decoded(encoded.data)), pixels)
    assert encode(noise(2, WEBP_MAX_SIDE), MIB).mime == "image/webp"


def test_more_effort_is_tried_before_anything_is_lost() -> None:
    pixels = smooth(200, 300)
    fast = encode(pixels, 10 * MIB)
    small = encode(pixels, len(fast.data) - 1)
    assert small.quality is None
    assert len(small.data) < len(fast.data)
    assert np.array_equal(eight_bit(decoded(small.data)), pixels)


@pytest.mark.parametrize("noisy", [slice(0, 4), slice(60, 64), slice(0, 1), slice(30, 34)])
def test_what_fits_is_never_given_up_by_a_guess(noisy: slice) -> None:
    # Whatever rows a guess looks at: detail may be just there, or anywhere but there.
    pixels = np.zeros((20, 64, 400, 3), np.uint8)
    pixels[:, noisy] = noise(pixels[:, noisy].size // 3, 1).reshape(pixels[:, noisy].shape)
    pixels = pixels.reshape(1280, 400, 3)
    fits = len(encode(pixels, 100 * MIB).data)
    encoded = encode(pixels, fits)
    assert encoded.quality is None
    assert np.array_equal(eight_bit(decoded(encoded.data)), pixels)


def test_then_a_jpeg_of_high_quality_in_full_size() -> None:
    pixels = smooth(200, 300)
    qualities = []
    for limit in (40_000, 25_000, 20_000):
        encoded = encode(pixels, limit)
        assert (encoded.mime, encoded.width, encoded.height) == ("image/jpeg", 300, 200)
        assert open_image(encoded.data).format == "JPEG"
        assert np.abs(eight_bit(decoded(encoded.data)).astype(int) - pixels).mean() < 4
        qualities.append(encoded.quality or 0)
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[0] == 95


def test_then_a_smaller_size_of_the_same_shape() -> None:
    encoded = encode(noise(300, 600), 20_000)
    assert (encoded.format, encoded.quality) == ("JPEG", 85)
    assert encoded.width < 600
    assert encoded.width / encoded.height == pytest.approx(2, rel=0.05)
    assert open_image(encoded.data).size == (encoded.width, encoded.height)


def test_a_smaller_size_is_not_much_smaller_than_it_must_be() -> None:
    for limit in (4_000, 8_000, 16_000):
        assert len(encode(smooth(400, 400), limit).data) > 0.6 * limit


def test_transparency_does_not_keep_a_image_from_being_sent() -> None:
    encoded = encode(noise(200, 200, channels=4), 50_000)
    assert open_image(encoded.data).mode == "RGB"


@pytest.mark.parametrize(("height", "width"), [(40, 66_000), (66_000, 40)])
def test_sides_that_jpeg_cannot_hold_are_made_smaller(height: int, width: int) -> None:
    encoded = encode(noise(height, width), MIB)
    assert encoded.mime == "image/jpeg"
    assert max(encoded.width, encoded.height) <= 65_500
    assert open_image(encoded.data).size == (encoded.width, encoded.height)


@pytest.mark.parametrize("limit", [0, 1, 100])
def test_what_cannot_fit_at_all_is_refused_by_its_socket(limit: int) -> None:
    small, large = noise(1, 1), noise(64, 64)
    with pytest.raises(InvalidInput, match=f"image_2: the image does not fit into {limit} B"):
        encode_all(references(small, large)[1:], Limits(limit, MIB), 0, encoder())


@given(
    st.integers(1, 60), st.integers(1, 60), st.sampled_from([3, 4]), st.integers(0, 20_000), st.integers(0, 2**32)
)
@settings(max_examples=60)
def test_a_limit_is_never_passed(height: int, width: int, channels: int, limit: int, seed: int) -> None:
    pixels = noise(height, width, channels, seed)
    try:
        encoded = encode(pixels, limit)
    except DoesNotFit:
        assert limit < 2000
        return
    assert len(encoded.data) <= limit
    assert 1 <= encoded.width <= width and 1 <= encoded.height <= height
    assert (encoded.width, encoded.height) == (width, height) or min(encoded.width, encoded.height) >= MIN_SIDE
    assert len(encoded.uri) == encoded.uri_length
    assert encoded.quality is not None or np.array_equal(eight_bit(decoded(encoded.data)), pixels[..., :3])


@given(st.binary(max_size=50), st.sampled_from(["PNG", "JPEG", "WebP"]))
def test_a_data_uri_is_as_long_as_it_says_and_holds_the_file(data: bytes, name: str) -> None:
    encoded = Encoded(name, None, data, 1, 1)
    head, _, _ = encoded.uri.decode("ascii").partition(",")
    assert head == f"data:image/{name.lower()};base64"
    assert file_in(encoded.uri.decode()) == data
    assert encoded.uri_length == len(encoded.uri)


@given(st.integers(0, 10**6))
def test_what_fits_into_an_address_fits_into_the_request(length: int) -> None:
    size = bytes_in_uri(length)
    assert size >= 0
    uri_length = Encoded("JPEG", 85, b"x" * size, 1, 1).uri_length
    assert size == 0 or uri_length <= length < uri_length + 4


LENGTHS = st.lists(st.integers(0, 10_000), max_size=20)


@given(LENGTHS, st.integers(0, 50_000))
def test_a_fair_limit_makes_everything_fit(lengths: list[int], total: int) -> None:
    limit = fair_limit(lengths, total)
    if limit is None:
        assert sum(lengths) <= total
        return
    assert sum(lengths) > total
    assert 0 <= limit < max(lengths)
    assert sum(min(length, limit) for length in lengths) <= total


@given(LENGTHS, st.integers(0, 50_000))
def test_a_fair_limit_is_the_largest_there_is(lengths: list[int], total: int) -> None:
    limit = fair_limit(lengths, total)
    if limit is not None:
        assert sum(min(length, limit + 1) for length in lengths) > total


@given(LENGTHS, st.integers(0, 50_000), st.randoms(use_true_random=False))
def test_a_fair_limit_does_not_depend_on_the_order(lengths: list[int], total: int, random: Any) -> None:
    shuffled = random.sample(lengths, len(lengths))
    assert fair_limit(lengths, total) == fair_limit(shuffled, total)


def test_small_images_are_left_alone_where_others_have_to_shrink() -> None:
    assert fair_limit([10, 10, 1000, 1000], 520) == 250
    small, large = noise(20, 20), noise(200, 200, seed=1)
    encoded = encode_all(references(small, large, small), Limits(MIB, 60_000), 200, encoder())
    assert [one.quality for one in encoded][::2] == [None] * 2
    assert encoded[1].mime == "image/jpeg"
    assert [np.array_equal(eight_bit(decoded(one.data)), small) for one in encoded] == [True, False, True]


@pytest.mark.parametrize("request_bytes", [120_000, 300_000, 1_000_000])
def test_twenty_images_fit_into_one_request(request_bytes: int) -> None:
    images = [noise(100 + 10 * number, 150, seed=number) for number in range(20)]
    prepared, body = sent_with(request_bytes, *images)
    assert len(prepared.body) <= request_bytes
    assert len(body["image_urls"]) == 20
    assert len(prepared.body) > 0.5 * request_bytes, "the room is used"
    shapes = [size[1] / size[0] for size in (open_image(file_in(uri)).size for uri in body["image_urls"])]
    assert shapes == pytest.approx([pixels.shape[0] / 150 for pixels in images], rel=0.1), "in their order"


def test_images_that_fit_the_request_exactly_stay_lossless() -> None:
    images = [noise(30, 30, seed=number) for number in range(3)]
    whole, _ = sent_with(MIB, *images)
    exact, body = sent_with(len(whole.body) + 3, *images)
    assert exact.body == whole.body
    assert all(uri.startswith("data:image/webp") for uri in body["image_urls"])
    tight, _ = sent_with(len(whole.body) - 1, *images)
    assert len(tight.body) < len(whole.body)


def test_one_image_is_held_to_its_own_limit_too() -> None:
    prepared, body = sent_with(10 * MIB, noise(200, 200), noise(10, 10), image_bytes=20_000)
    first, second = body["image_urls"]
    assert len(file_in(first)) <= 20_000
    assert second.startswith("data:image/webp")
    assert prepared.sent[0].kind in ("sent.smaller", "sent.lossy")


def test_what_was_sent_is_said_of_each_reference() -> None:
    prepared, _ = sent_with(10 * MIB, noise(20, 30), noise(400, 400, seed=1), image_bytes=30_000)
    lossless, smaller = prepared.sent
    assert str(lossless).startswith("image_1: sent as WebP lossless 30x20 ")
    assert str(lossless).endswith(" KiB")
    assert str(smaller).startswith("image_2: sent as JPEG 85 ")
    assert str(smaller).endswith(", made smaller from 400x400 to fit")
    assert [each.params["socket"] for each in prepared.sent] == ["image_1", "image_2"]


def test_references_for_which_there_is_no_room_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not fit into a request of 10 KiB") as refusal:
        sent_with(10_000, *[noise(60, 60, seed=number) for number in range(20)])
    assert refusal.value.failure.charge is Charge.NO


@pytest.mark.parametrize("images", [[], [noise(8, 8)]], ids=["alone", "with a reference"])
def test_a_prompt_for_which_there_is_no_room_is_refused_by_name(images: list[Array]) -> None:
    with pytest.raises(InvalidInput, match="prompt: it does not fit into a request of 5 KiB"):
        sent_with(5000, *images, prompt="long " * 1000)


def test_a_request_without_references_is_its_json() -> None:
    arguments = check(TEXT_TO_IMAGE, Given({"prompt": 'a "fox" \u2603 \ud83d\n'}))
    prepared = prepare(arguments, [], encoder())
    assert prepared.sent == ()
    assert prepared.body.isascii()
    assert json.loads(prepared.body) == arguments.body({})
    assert list(json.loads(prepared.body)) == [field.name for field in TEXT_TO_IMAGE.fields]


def image_of(reference: Reference) -> Array:
    assert isinstance(reference.content, ImageContent)
    return reference.content.pixels


def test_a_batch_is_a_reference_for_each_of_its_images() -> None:
    values = {"prompt": "all", "image_2": image(6, 8, count=2, seed=2), "image_1": image(5, 5, seed=1)}
    _, references = check_inputs(PRO_EDIT, values, None)
    assert [reference.socket for reference in references] == ["image_1", "image_2", "image_2"]
    assert [image_of(reference).shape for reference in references] == [(5, 5, 3), (6, 8, 3), (6, 8, 3)]


def test_what_the_api_gets_is_what_the_socket_held(runner: Runner, api: Emulator) -> None:
    batch = torch.cat([image(6, 8, count=2, seed=3), torch.tensor([-0.1, 1.2, 0.6 / 255]).expand(1, 6, 8, 3)])
    runner.pro_edit(image_1=batch)
    sent = [np.asarray(open_image(file_in(uri))) for uri in api.jobs[0].body["image_urls"]]
    assert np.array_equal(sent[0], (batch[0].numpy() * 255).round())
    assert np.array_equal(sent[1], (batch[1].numpy() * 255).round())
    assert (sent[2] == (0, 255, 1)).all()
    assert "image_1: sent as WebP lossless 8x6" in runner.host.text
