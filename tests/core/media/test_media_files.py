"""Types of files by their bytes, sounds as 16 bits, stills of videos, and images that pass as they are."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emulator.moving import make_sound, make_video
from nodes.core.errors import DownloadError, InvalidInput, Undecodable
from nodes.core.media.encode import DoesNotFit
from nodes.core.media.file_type import HEAD_BYTES, type_of, type_of_head
from nodes.core.media.host import lend
from nodes.core.media.inputs import input_medium
from nodes.core.media.inputs.audio import SoundContent
from nodes.core.media.poster import poster
from nodes.core.media.sound import decode_sound, encode_sound


def drawn(width: int = 64, height: int = 48) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def image_file(kind: str, **options: object) -> bytes:
    into = io.BytesIO()
    drawn().save(into, kind, **options)
    return into.getvalue()


def media() -> dict[str, bytes]:
    files = {ending: make_video(drawn(), 1, ending=ending, sound=True, key="") for ending in ("mp4", "mov", "webm")}
    files |= {ending: make_sound(1, ending=ending, key="") for ending in ("mp3", "wav", "flac")}
    return files


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return media()


MIMES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
}


def test_the_type_is_that_of_the_bytes(made: dict[str, bytes], tmp_path: Path) -> None:
    files = made | {
        "png": image_file("PNG"),
        "jpg": image_file("JPEG"),
        "webp": image_file("WEBP"),
        "gif": image_file("GIF"),
        "bmp": image_file("BMP"),
        "tif": image_file("TIFF"),
    }
    for ending, data in files.items():
        (tmp_path / "file.txt").write_bytes(data)
        found = type_of(tmp_path / "file.txt")
        assert found.suffix == f".{ending}" and found == type_of_head(data[:HEAD_BYTES])
        assert found.mime == MIMES.get(ending, found.mime)


@pytest.mark.parametrize("ending", ["mp4", "mov", "wav"])
def test_a_file_that_ends_too_early_is_not_whole(made: dict[str, bytes], tmp_path: Path, ending: str) -> None:
    for share in (0.3, 0.9):
        (tmp_path / "cut").write_bytes(made[ending][: int(len(made[ending]) * share)])
        with pytest.raises(Undecodable) as told:
            type_of(tmp_path / "cut")
        assert told.value.failure.kind == "file_cut"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "file_not_media"),
        (b"\0" * 100, "file_not_media"),
        (b"no media at all", "file_not_media"),
        (b"\xff\xff\xff\xff", "file_not_media"),
        (b"\xef\xbb\xbf <!DOCTYPE HTML>", "file_is_a_page"),
        (b"<html><body>", "file_is_a_page"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 12 + b"\0\0\0\x04moov" * 3, "file_cut"),
    ],
)
def test_what_is_no_medium_is_refused(tmp_path: Path, data: bytes, kind: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(Undecodable) as told:
        type_of(tmp_path / "file")
    assert told.value.failure.kind == kind


def test_a_file_of_many_boxes_is_not_walked_for_ever(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08free" * 2_000_000)
    assert type_of(tmp_path / "file").mime == "video/mp4"


@pytest.mark.parametrize("codec", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_a_sound_of_16_bits_is_sent_as_it_was(tmp_path: Path, codec: str, channels: int) -> None:
    values = torch.randint(-(2**15), 2**15, (channels, 5000), generator=torch.Generator().manual_seed(1))
    waveform = values.to(torch.float32) / 2**15
    (tmp_path / "a").write_bytes(encode_sound(waveform, 22050, codec))
    decoded = decode_sound(tmp_path / "a")
    assert decoded["sample_rate"] == 22050 and torch.equal(decoded["waveform"][0], waveform)


def test_a_sound_is_sent_as_flac_where_wav_does_not_fit_and_refused_where_neither_does() -> None:
    content = SoundContent(torch.zeros(2, 44100), 44100)
    assert content.encode(10**6, None).mime == "audio/wav"
    assert content.encode(10**5, None).mime == "audio/flac"
    with pytest.raises(DoesNotFit) as told:
        content.encode(100, None)
    assert told.value.found and told.value.found > 100


def test_without_pyav_a_sound_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DownloadError, match="pip install av"):
        decode_sound(tmp_path / "a")
    assert poster(tmp_path / "a", 100) is None


def test_a_still_of_a_video_is_small_and_not_dark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(make_video(drawn(320, 180), 1, ending="mp4", sound=False, key=""))
    still = poster(tmp_path / "a", 64)
    assert still is not None and still.size == (64, 36) and np.asarray(still).mean() > 50
    for data in (b"", b"no video", make_sound(1, ending="wav", key="")):
        (tmp_path / "b").write_bytes(data)
        assert poster(tmp_path / "b", 64) is None


def test_a_lent_file_outlives_the_kept_one_and_is_replaced_by_another(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    lent = lend(tmp_path / "a", tmp_path / "shown", "file.mp4")
    assert lent.samefile(tmp_path / "a") and lend(tmp_path / "a", tmp_path / "shown", "file.mp4") == lent
    (tmp_path / "a").unlink()
    assert lent.read_bytes() == b"one"
    lend(b"two", tmp_path / "shown", "file.mp4")
    assert lent.read_bytes() == b"two" and [path.name for path in lent.parent.iterdir()] == ["file.mp4"]


def test_a_file_is_copied_where_it_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    (tmp_path / "a").write_bytes(b"one")
    lent = lend(tmp_path / "a", tmp_path / "shown", "file.mp4")
    assert lent.read_bytes() == b"one" and not lent.samefile(tmp_path / "a")


# Files of the shell


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_file_is_sent_as_it_is_where_it_fits(tmp_path: Path, kind: str) -> None:
    data = image_file(kind)
    (tmp_path / "a").write_bytes(data)
    medium = input_medium("image")
    (content,) = medium.read("image", medium.load("--image", tmp_path / "a"), 10**6)
    original = content.original(10**6)
    assert original is not None and original.data == data and original.mime == f"image/{kind.lower()}"
    assert content.original(len(data) - 1) is None
    assert len(content.encode(len(data) - 1, None).data) < len(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "AVIF"])
def test_an_image_of_another_type_is_encoded(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a").write_bytes(image_file(kind))
    medium = input_medium("image")
    (content,) = medium.read("image", medium.load("--image", tmp_path / "a"), 10**6)
    assert content.original(10**6) is None and content.encode(10**6, None).mime == "image/webp"


def test_an_image_that_lies_on_its_side_is_sent_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").write_bytes(image_file("JPEG", exif=exif))
    medium = input_medium("image")
    (content,) = medium.read("image", medium.load("--image", tmp_path / "a"), 10**6)
    encoded = content.encode(10**6, None)
    assert content.original(10**6) is None and (encoded.width, encoded.height) == (48, 64)


def test_an_image_that_pillow_does_not_read_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(InvalidInput, match="Save it as PNG or JPEG"):
        input_medium("image").load("--image", tmp_path / "a.heic")


@pytest.mark.parametrize("medium", ["video", "audio"])
def test_a_media_file_is_checked_and_sent_as_it_is(made: dict[str, bytes], tmp_path: Path, medium: str) -> None:
    good, other = (made["webm"], made["wav"]) if medium == "video" else (made["mp3"], image_file("PNG"))
    (tmp_path / "good").write_bytes(good)
    (tmp_path / "other").write_bytes(other)
    reader = input_medium(medium)
    loaded = reader.load("--x", tmp_path / "good")
    assert reader.count("x", loaded) == 1
    (content,) = reader.read("x", loaded, 10**7)
    original = content.original(10**7)
    assert original is not None and original.data == good and original.mime.startswith(medium)
    with pytest.raises(InvalidInput, match="can be sent"):
        reader.read("x", loaded, 100)
    for name in ("other", "nowhere"):
        with pytest.raises(InvalidInput, match=name):
            reader.load("--x", tmp_path / name)
