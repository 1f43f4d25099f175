"""Tensors <-> pixels <-> files: exact to the 8-bit value, and damaged files are told from whole ones."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from makers import Array, by_pillow, decoded, eight_bit, file_of, noise, png_by_hand
from PIL import Image, PngImagePlugin
from properties import given, settings, st

from nodes.core.errors import TooLarge, Undecodable
from nodes.core.media.bounds import MAX_PIXELS
from nodes.core.media.pixels import content_hash, decode_inline
from nodes.core.media.tensors import BatchDecoder, to_pixels

ORIENTATION = 0x0112

# How an image that is stored in this orientation is to be shown (EXIF 2.3, tag 274), as numpy does it.
TURNS: dict[int, Any] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


@st.composite
def pixel_arrays(draw: st.DrawFn, channels: int = 3, dtype: Any = np.uint8) -> Array:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    kind = draw(st.sampled_from(["noise", "flat", "ramp"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    top = np.iinfo(dtype).max
    shape = (height, width, channels)
    if kind == "noise":
        return rng.integers(0, top, shape, dtype=dtype, endpoint=True)
    if kind == "flat":
        return np.full(shape, draw(st.integers(0, int(top))), dtype=dtype)
    return (np.arange(height * width * channels).reshape(shape) % (int(top) + 1)).astype(dtype)


def assert_exactly(data: bytes, expected: Array) -> None:
    """The tensor of a file is ``value / 255`` in float32 for every expected 8-bit value, to the last bit."""
    found = decoded(data).numpy()
    assert found.shape == expected.shape
    assert np.array_equal(np.rint(found * 255).astype(np.uint8), expected)
    assert np.array_equal(found, expected.astype(np.float32) / np.float32(255))


def tensor_of(pixels: Array) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255))[None]


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[ORIENTATION] = orientation
    return found


# Tensor -> pixels


@given(pixel_arrays(3) | pixel_arrays(4))
def test_eight_bit_values_come_back_as_they_were(pixels: Array) -> None:
    (found,) = to_pixels("image_1", tensor_of(pixels))
    assert found.dtype == np.uint8
    assert np.array_equal(found, pixels)


def test_every_eight_bit_value_survives_every_float_type() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    for dtype in (torch.float16, torch.float32, torch.float64):
        tensor = (torch.from_numpy(values).to(torch.float64) / 255).to(dtype)
        assert np.array_equal(to_pixels("image_1", tensor)[0], values[0]), dtype


def test_bfloat16_is_accepted_as_far_as_it_can_tell() -> None:
    values = torch.arange(256).reshape(1, 16, 16, 1).repeat(1, 1, 1, 3)
    (found,) = to_pixels("image_1", (values / 255).to(torch.bfloat16))
    assert np.abs(found.astype(int) - values[0].numpy()).max() <= 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-0.1, 0),
        (-1e30, 0),
        (1.2, 255),
        (1e30, 255),
        (3e38, 255),
        (0.4 / 255, 0),
        (0.6 / 255, 1),
        (254.4 / 255, 254),
        (254.6 / 255, 255),
        (0.5, 128),
        (100.49 / 255, 100),
        (100.51 / 255, 101),
    ],
)
def test_values_are_clipped_and_rounded(value: float, expected: int) -> None:
    (found,) = to_pixels("image_1", torch.full((1, 2, 3, 3), value))
    assert (found == expected).all()


def test_half_steps_are_rounded_and_never_cut() -> None:
    (found,) = to_pixels("image_1", torch.full((1, 1, 1, 3), 0.5 / 255))
    assert found.max() <= 1
    (found,) = to_pixels("image_1", torch.full((1, 1, 1, 3), 1.5 / 255))
    assert found.min() == 2


def test_a_batch_keeps_its_order_and_its_tensor() -> None:
    images = [noise(5, 7, seed=seed) for seed in range(4)]
    batch = torch.cat([tensor_of(image) for image in images]).requires_grad_()
    before = batch.detach().clone()
    for found, image in zip(to_pixels("image_1", batch), images, strict=True):
        assert np.array_equal(found, image)
    assert torch.equal(batch, before)


def test_views_that_are_not_contiguous_are_read_as_they_are() -> None:
    pixels = noise(6, 9)
    turned = tensor_of(pixels).transpose(1, 2).flip(2)
    (found,) = to_pixels("image_1", turned)
    assert np.array_equal(found, pixels.swapaxes(0, 1)[:, ::-1])
    assert found.flags["C_CONTIGUOUS"]


def test_a_content_hash_tells_shape_and_pixels() -> None:
    pixels = noise(4, 6)
    assert content_hash(pixels) == content_hash(pixels.copy())
    assert content_hash(pixels) == content_hash(np.asfortranarray(pixels))
    assert content_hash(pixels) != content_hash(pixels.reshape(6, 4, 3))
    other = pixels.copy()
    other[3, 5, 2] ^= 1
    assert content_hash(pixels) != content_hash(other)


# File -> tensor


@given(pixel_arrays(3))
def test_rgb_files_are_decoded_exactly(pixels: Array) -> None:
    assert_exactly(file_of(pixels, "PNG"), pixels)
    assert_exactly(file_of(pixels, "WEBP", lossless=True, exact=True), pixels)


@given(pixel_arrays(4))
def test_alpha_is_dropped_and_colours_stay(pixels: Array) -> None:
    assert_exactly(file_of(pixels, "PNG"), pixels[..., :3])
    assert_exactly(file_of(pixels, "WEBP", lossless=True, exact=True), pixels[..., :3])


@given(pixel_arrays(1))
def test_grey_files_are_decoded_exactly(pixels: Array) -> None:
    assert_exactly(file_of(pixels), pixels.repeat(3, axis=2))


@given(pixel_arrays(2))
def test_grey_files_with_alpha_are_decoded_exactly(pixels: Array) -> None:
    image = Image.merge("LA", [Image.fromarray(pixels[..., 0]), Image.fromarray(pixels[..., 1])])
    assert_exactly(file_of(image), pixels[..., :1].repeat(3, axis=2))


@given(pixel_arrays(1))
def test_black_and_white_files_are_decoded_exactly(pixels: Array) -> None:
    bits = pixels[..., 0] > 127
    expected = np.where(bits, np.uint8(255), np.uint8(0))[..., None].repeat(3, axis=2)
    assert_exactly(file_of(Image.fromarray(bits)), expected)


@given(pixel_arrays(1), st.integers(0, 2**32), st.booleans())
def test_palette_files_are_decoded_to_their_colours(pixels: Array, seed: int, transparent: bool) -> None:
    palette = np.random.default_rng(seed).integers(0, 256, (256, 3), dtype=np.uint8)
    image = Image.fromarray(pixels[..., 0]).convert("L")
    image.putpalette(palette.tobytes())
    alphas = bytes(range(256)) if transparent else None
    options = {"transparency": alphas} if alphas else {}
    assert_exactly(file_of(image, "PNG", **options), palette[pixels[..., 0]])
    if transparent:
        assert_exactly(file_of(image, "PNG", transparency=3), palette[pixels[..., 0]])


@given(pixel_arrays(1, np.uint16))
def test_sixteen_bit_grey_keeps_its_high_byte(pixels: Array) -> None:
    expected = (pixels >> 8).astype(np.uint8).repeat(3, axis=2)
    assert_exactly(file_of(Image.fromarray(pixels[..., 0])), expected)


@given(pixel_arrays(3, np.uint16))
def test_sixteen_bit_colour_keeps_its_high_byte(pixels: Array) -> None:
    height, width = pixels.shape[:2]
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in pixels)
    assert_exactly(png_by_hand(width, height, rows=rows, colour=b"\x10\x02"), (pixels >> 8).astype(np.uint8))


@given(pixel_arrays(3), st.sampled_from([20, 75, 95]), st.sampled_from([0, 2]), st.booleans())
def test_jpeg_is_decoded_to_pillows_values(
    pixels: Array, quality: int, subsampling: int, progressive: bool
) -> None:
    data = file_of(pixels, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
    assert_exactly(data, by_pillow(data))


@given(pixel_arrays(4))
@settings(max_examples=30)
def test_cmyk_is_decoded_to_pillows_colours(pixels: Array) -> None:
    data = file_of(cmyk(pixels), "JPEG", quality=95)
    assert_exactly(data, by_pillow(data))


@given(pixel_arrays(3) | pixel_arrays(4), st.integers(1, 100))
@settings(max_examples=30)
def test_lossy_webp_is_decoded_to_pillows_values(pixels: Array, quality: int) -> None:
    data = file_of(pixels, "WEBP", quality=quality)
    assert_exactly(data, by_pillow(data))


def test_cmyk_is_not_negative() -> None:
    white, black = np.zeros((8, 8, 4), np.uint8), np.full((8, 8, 4), 255, np.uint8)
    assert decoded(file_of(cmyk(white), "JPEG", quality=95)).min() > 0.95
    assert decoded(file_of(cmyk(black), "JPEG", quality=95)).max() < 0.05


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(
    ("file_format", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("JPEG", {"quality": 95})],
)
def test_images_are_turned_as_their_exif_says(orientation: int, file_format: str, options: dict[str, Any]) -> None:
    pixels = noise(7, 12, seed=orientation)
    plain = by_pillow(file_of(pixels, file_format, **options))
    data = file_of(pixels, file_format, exif=exif(orientation), **options)
    assert_exactly(data, TURNS[orientation](plain))


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_mode_is_turned(mode: str, orientation: int) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.arange(7 * 12, dtype=np.uint16).reshape(7, 12) * 700)
    else:
        image = Image.fromarray(noise(7, 12)).convert(mode)
    file_format = "JPEG" if mode == "CMYK" else "PNG"
    plain = decoded(file_of(image, file_format)).numpy()
    turned = decoded(file_of(image, file_format, exif=exif(orientation))).numpy()
    assert np.array_equal(turned, TURNS[orientation](plain))


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    pixels = noise(5, 9)
    assert_exactly(file_of(pixels, exif=exif(orientation)), pixels)


@pytest.mark.parametrize(
    "damaged",
    [
        b"Exif\x00\x00garbage",
        b"Exif\x00\x00MM\x00*",
        b"Exif\x00\x00II*\x00\xff\xff\xff\xff",
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff",
        # A turned image whose other tags cannot be written again: a text where a number belongs.
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02"
        b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
        b"\x87\x69\x00\x02\x00\x00\x00\x04abc\x00\x00\x00\x00\x00",
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02"
        b"\x01\x00\x00\x02\x00\x00\x00\x04abc\x00"
        b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00",
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_does_not_cost_the_image(damaged: bytes) -> None:
    pixels = noise(5, 9)
    plain = by_pillow(file_of(pixels, "JPEG", quality=95))
    found = decoded(file_of(pixels, "JPEG", quality=95, exif=damaged)).numpy()
    expected = plain.astype(np.float32) / np.float32(255)
    assert np.array_equal(found, expected) or np.array_equal(found, TURNS[6](expected))


def test_orientation_in_xmp_is_followed_like_the_one_in_exif() -> None:
    pixels = noise(5, 9)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<rdf:Description tiff:Orientation="6"/>')
    assert_exactly(file_of(pixels, pnginfo=info), TURNS[6](pixels))


def test_large_images_are_exact_in_every_strip() -> None:
    pixels = noise(1100, 1000)
    assert_exactly(file_of(pixels, "PNG", compress_level=0, exif=exif(6)), TURNS[6](pixels))


# Several files


def test_one_size_is_one_batch_in_order() -> None:
    images = [noise(4, 6, seed=seed) for seed in range(5)]
    decoder = BatchDecoder(5)
    for index in (3, 0, 4, 1, 2):
        decoder.decode(index, file_of(images[index]))
    (batch,) = decoder.batches()
    assert np.array_equal((batch.numpy() * 255).round().astype(np.uint8), np.stack(images))


@given(
    st.lists(st.sampled_from([(4, 6), (6, 4), (5, 5)]), min_size=1, max_size=8), st.randoms(use_true_random=False)
)
@settings(max_examples=50)
def test_several_sizes_are_batches_in_order_of_first_appearance(sizes: list[tuple[int, int]], random: Any) -> None:
    images = [noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    decoder = BatchDecoder(len(sizes))
    for index in random.sample(range(len(sizes)), len(sizes)):
        decoder.decode(index, file_of(images[index]))
    expected: dict[tuple[int, int], list[Array]] = {}
    for size, image in zip(sizes, images, strict=True):
        expected.setdefault(size, []).append(image)
    batches = decoder.batches()
    assert [tuple(batch.shape[1:3]) for batch in batches] == list(expected)
    for batch, group in zip(batches, expected.values(), strict=True):
        assert np.array_equal((batch.numpy() * 255).round().astype(np.uint8), np.stack(group))


def test_files_may_be_placed_by_many_threads() -> None:
    images = [noise(40, 60 + index % 3, seed=index) for index in range(24)]
    decoder = BatchDecoder(24)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decoder.decode, range(24), map(file_of, images)))
    batches = decoder.batches()
    assert [batch.shape[0] for batch in batches] == [8, 8, 8]
    for index, image in enumerate(images):
        found = batches[index % 3][index // 3].numpy()
        assert np.array_equal((found * 255).round().astype(np.uint8), image)


def test_a_file_that_failed_can_be_placed_again_in_another_size() -> None:
    decoder = BatchDecoder(2)
    decoder.decode(0, file_of(noise(4, 6)))
    with pytest.raises(Undecodable):
        decoder.decode(1, file_of(noise(64, 64))[:-4000])
    decoder.decode(1, file_of(noise(4, 6, seed=1)))
    (batch,) = decoder.batches()
    assert np.array_equal(eight_bit(batch[1]), noise(4, 6, seed=1))


# Files that are none


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<!doctype html><html><body>Sign in to the network</body></html>",
        b'{"error": "gone"}',
        b"\xff\xd8\xff",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\x00" * 4096,
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        b"P6 1 1 255\n\x00\x00\x00",
    ],
)
def test_what_is_no_image_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(Undecodable):
        decoded(data)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_file_that_was_cut_is_never_half_a_image(file_format: str, share: float) -> None:
    data = file_of(noise(64, 64), file_format)
    with pytest.raises(Undecodable):
        decoded(data[: int(len(data) * share)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_file_is_a_image_or_an_error_of_the_pack(file_format: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "a" * 40, zip=True)
    options: dict[str, Any] = {"pnginfo": info} if file_format == "PNG" else {}
    data = file_of(noise(6, 8), file_format, exif=exif(6), **options)

    @given(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), min_size=1, max_size=5))
    def place(changes: list[tuple[int, int]]) -> None:
        damaged = bytearray(data)
        for at, value in changes:
            damaged[at] = value
        try:
            image = decoded(with_checksums(bytes(damaged)))
        except (Undecodable, TooLarge):
            return
        assert torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1

    place()


def with_checksums(data: bytes) -> bytes:
    """Correct the checksums of a PNG, so that damage is not found by them."""
    fixed, at = bytearray(data), 8
    while data.startswith(b"\x89PNG") and at + 12 <= len(data):
        end = at + 8 + struct.unpack(">I", data[at : at + 4])[0]
        if end + 4 > len(data):
            break
        fixed[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(fixed)


@pytest.mark.parametrize(
    ("width", "height"), [(30000, 30000), (8193, 8192), (2**31 - 1, 2**31 - 1), (MAX_PIXELS + 1, 1)]
)
def test_a_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    with pytest.raises(TooLarge, match=str(MAX_PIXELS)):
        decoded(png_by_hand(width, height))


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 5), (5, 0)])
def test_a_image_without_pixels_is_none(width: int, height: int) -> None:
    with pytest.raises(Undecodable):
        decoded(png_by_hand(width, height))


# Data URIs


@given(st.binary(max_size=200), st.sampled_from(["png", "jpeg", "webp", "svg+xml"]))
def test_a_data_uri_gives_its_bytes(data: bytes, kind: str) -> None:
    assert decode_inline(f"image/{kind};base64", b64encode(data).decode(), 200) == data


@pytest.mark.parametrize(
    "uri",
    [
        ",",
        "image/png,AAAA",
        "text/html;base64,AAAA",
        "application/octet-stream;base64,AAAA",
        "image/png;base64,AAA",
        "image/png;base64,AA\nAA",
        "image/png;base64,A*AA",
        "image/png;base64,\u00e9\u00e9\u00e9\u00e9",
        "image/png;base64,====",
    ],
)
def test_a_damaged_data_uri_is_no_image(uri: str) -> None:
    with pytest.raises(Undecodable) as raised:
        decode_inline(*uri.split(","), 1000)
    assert "AAAA" not in raised.value.message


def test_a_data_uri_is_capped() -> None:
    with pytest.raises(TooLarge):
        decode_inline("image/png;base64", "A" * 4000, 1000)
    assert len(decode_inline("image/png;base64", b64encode(b"x" * 1000).decode(), 1000)) == 1000


def cmyk(pixels: Array) -> Image.Image:
    return Image.merge("CMYK", [Image.fromarray(np.ascontiguousarray(pixels[..., band])) for band in range(4)])
