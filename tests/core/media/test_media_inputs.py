"""What comes over sockets for masks, videos and sounds: what is refused and encoded, and what its hash is of."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from emulator.moving import make_sound, make_video
from nodes.core.errors import InvalidInput, TooLarge, Undecodable
from nodes.core.media import poster as poster_module
from nodes.core.media import sound
from nodes.core.media.encode import DoesNotFit
from nodes.core.media.inputs import input_medium
from nodes.core.media.inputs.image import ImageContent
from nodes.core.media.inputs.inverted_mask import INPUT as INVERTED
from nodes.core.media.inputs.mask import INPUT as MASKS
from nodes.core.media.inputs.video import INPUT as VIDEOS
from nodes.core.media.poster import poster
from nodes.core.media.sound import decode_sound
from nodes.core.texts import note

ROOM = 10**7


# Masks


def test_a_mask_of_one_or_a_batch_of_them_is_gray_and_1_is_white() -> None:
    mask = torch.zeros(2, 4, 6)
    mask[1, 2, 3] = 1.0
    assert (MASKS.count("mask", mask), MASKS.count("mask", mask[1])) == (2, 1)
    contents = MASKS.read("mask", mask, ROOM)
    assert [content.size for content in contents] == [(6, 4)] * 2
    assert contents[1].pixels[2, 3].tolist() == [255] * 3 and contents[1].pixels.sum() == 3 * 255
    (alone,) = MASKS.read("mask", mask[1], ROOM)
    assert alone.hash() == contents[1].hash() != contents[0].hash()


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ("a.png", "not_of_type", "str"),
        (torch.zeros(4), "mask_shape", "torch.float32 [4]"),
        (torch.zeros(1, 4, 4, 3), "mask_shape", "torch.float32 [1x4x4x3]"),
        (torch.zeros(4, 4).to_sparse(), "mask_shape", "torch.float32 [4x4]"),
        (torch.zeros(4, 4, device="meta"), "image_shape", "meta"),
    ],
)
def test_what_is_no_mask_is_refused_by_what_it_is(value: Any, kind: str, found: str) -> None:
    for look in (lambda: MASKS.count("mask", value), lambda: MASKS.read("mask", value, ROOM)):
        with pytest.raises(InvalidInput) as told:
            look()
        failure = told.value.failure
        assert (told.value.field, failure.kind, failure.note.params["found"]) == ("mask", kind, found)


def test_a_mask_of_the_shell_is_an_image_file(tmp_path: Path) -> None:
    Image.new("L", (6, 4), 255).save(tmp_path / "a.png")
    loaded = MASKS.load("--mask", tmp_path / "a.png")
    assert isinstance(loaded, ImageContent) and MASKS.count("mask", loaded) == 1
    (content,) = MASKS.read("mask", loaded, ROOM)
    original = content.original(ROOM)
    assert original is not None and original.data == (tmp_path / "a.png").read_bytes()


def test_an_inverted_mask_is_black_where_it_is_1_and_a_file_of_one_is_sent_as_it_is(tmp_path: Path) -> None:
    mask = torch.tensor([[0.0, 0.25, 1.0, 2.0, -1.0]])
    (inverted,) = INVERTED.read("mask", mask, ROOM)
    assert inverted.pixels[0, :, 0].tolist() == [255, 191, 0, 0, 255]
    assert INVERTED.count("mask", torch.zeros(2, 4, 6)) == 2
    Image.new("L", (6, 4), 64).save(tmp_path / "a.png")
    (content,) = INVERTED.read("mask", INVERTED.load("--mask", tmp_path / "a.png"), ROOM)
    assert content.pixels.min() == content.pixels.max() == 64


@pytest.mark.parametrize("value", [torch.ones(4, 4, dtype=torch.bool), torch.zeros(4, 4, dtype=torch.int64), None])
def test_what_cannot_be_inverted_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        INVERTED.read("mask", value, ROOM)


# Videos


@dataclass(frozen=True)
class Parts:
    """What the host tells of a video."""

    images: torch.Tensor
    frame_rate: Fraction
    audio: dict[str, Any] | None = None


@dataclass(frozen=True)
class OfFrames:
    """Stands for the host's video that a graph has made of frames; ``file`` is what its encoder writes."""

    parts: Parts
    file: bytes

    def get_components(self) -> Parts:
        return self.parts

    def save_to(self, path: str) -> None:
        Path(path).write_bytes(self.file)


class NotEncoded(OfFrames):
    def save_to(self, path: str) -> None:
        raise RuntimeError(f"no encoder for {path}")


@pytest.fixture(scope="module")
def mp4() -> bytes:
    return make_video(Image.new("RGB", (64, 48), "red"), 1, ending="mp4", sound=True, key="")


@pytest.fixture
def frames(mp4: bytes) -> OfFrames:
    noise = torch.rand(3, 8, 8, 3, generator=torch.Generator().manual_seed(0))
    voice = {"waveform": torch.linspace(-1, 1, 100).reshape(1, 1, 100), "sample_rate": 8000}
    return OfFrames(Parts(noise, Fraction(25), voice), mp4)


def test_frames_are_sent_as_the_host_encodes_them(frames: OfFrames, mp4: bytes) -> None:
    assert VIDEOS.count("video", frames) == 1
    (content,) = VIDEOS.read("video", frames, ROOM)
    original = content.original(ROOM)
    assert original is not None and (original.data, original.mime) == (mp4, "video/mp4")
    assert content.least_bytes == len(mp4) and content.original(len(mp4) - 1) is None
    with pytest.raises(DoesNotFit):
        content.encode(ROOM, None)
    assert content.changed(note("medium.video"), original) == note("medium.video")


def test_a_video_of_the_same_frames_is_the_same_whatever_the_encoder_writes(frames: OfFrames, mp4: bytes) -> None:
    """An encoder stamps its files with its version: another file is no other job."""

    def hashed(parts: Parts, file: bytes = mp4) -> str:
        (content,) = VIDEOS.read("video", OfFrames(parts, file), ROOM)
        return content.hash()

    parts = frames.parts
    assert parts.audio
    other = make_video(Image.new("RGB", (64, 48), "blue"), 1, ending="mp4", sound=False, key="")
    assert hashed(parts) == hashed(replace(parts, images=parts.images.clone()), other)
    louder = parts.audio | {"waveform": parts.audio["waveform"] * 0.5}
    slower = parts.audio | {"sample_rate": 16000}
    hashes = {
        hashed(parts),
        hashed(replace(parts, images=parts.images.flip(0))),
        hashed(replace(parts, images=parts.images[:2])),
        hashed(replace(parts, frame_rate=Fraction(24))),
        hashed(replace(parts, audio=None)),
        hashed(replace(parts, audio=louder)),
        hashed(replace(parts, audio=slower)),
    }
    assert len(hashes) == 7
    half = {"waveform": parts.audio["waveform"].to(torch.bfloat16), "sample_rate": 8000}
    assert hashed(replace(parts, audio=half)) not in hashes, "of any type of number"


def test_a_video_that_the_host_cannot_encode_is_refused(frames: OfFrames) -> None:
    with pytest.raises(InvalidInput) as told:
        VIDEOS.read("video", NotEncoded(frames.parts, b""), ROOM)
    assert (told.value.field, told.value.failure.kind) == ("video", "media_unreadable")
    assert told.value.failure.note.params["error"] == "RuntimeError"


@pytest.mark.parametrize("file", [b"", b"not a video", b"RIFF\x24\0\0\0WAVEfmt "])
def test_a_host_that_writes_no_video_is_told(frames: OfFrames, file: bytes) -> None:
    with pytest.raises(InvalidInput) as told:
        VIDEOS.read("video", replace(frames, file=file), ROOM)
    assert told.value.failure.kind == "media_unreadable"


def test_frames_that_make_too_large_a_video_are_refused_by_its_size(frames: OfFrames, mp4: bytes) -> None:
    with pytest.raises(InvalidInput) as told:
        VIDEOS.read("video", frames, len(mp4) - 1)
    assert told.value.failure.note.params == {
        "field": "video",
        "found_bytes": len(mp4),
        "limit_bytes": len(mp4) - 1,
    }


class VideoFromFile:
    """Stands for the host's video of a file, of which newer hosts may mean a part."""

    def __init__(self, source: object, file: bytes, start_time: float = 0, duration: float = 0) -> None:
        self._source = source
        self._file = file
        self.__start_time = start_time
        self.__duration = duration

    def is_part(self) -> bool:
        return bool(self.__start_time or self.__duration)

    def get_stream_source(self) -> object:
        return self._source

    def get_components(self) -> Parts:
        return Parts(torch.zeros(1, 8, 8, 3), Fraction(25))

    def save_to(self, path: str) -> None:
        Path(path).write_bytes(self._file)


@pytest.mark.parametrize(("start_time", "duration"), [(0, 0), (1.5, 0), (0, 2)])
def test_a_part_of_a_file_is_not_sent_as_the_whole(mp4: bytes, start_time: float, duration: float) -> None:
    part = make_video(Image.new("RGB", (64, 48), "blue"), 0.5, ending="mp4", sound=False, key="")
    video = VideoFromFile(io.BytesIO(mp4), part, start_time, duration)
    (content,) = VIDEOS.read("video", video, ROOM)
    original = content.original(ROOM)
    assert original is not None and original.data == (part if video.is_part() else mp4)


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_a_file_has_one_hash_wherever_it_lies(mp4: bytes, tmp_path: Path, place: str) -> None:
    (tmp_path / "a.mp4").write_bytes(mp4)
    source: object = io.BytesIO(mp4) if place == "memory" else tmp_path / "a.mp4"
    (content,) = VIDEOS.read("video", VideoFromFile(source, b""), ROOM)
    (loaded,) = VIDEOS.read("video", VIDEOS.load("--video", tmp_path / "a.mp4"), ROOM)
    assert content.hash() == loaded.hash()


def test_a_sound_is_no_video(tmp_path: Path) -> None:
    wav = make_sound(1, ending="wav", key="")
    (tmp_path / "a.mp4").write_bytes(wav)
    for source in (io.BytesIO(wav), tmp_path / "a.mp4"):
        with pytest.raises(InvalidInput) as told:
            VIDEOS.read("video", VideoFromFile(source, b""), ROOM)
        assert told.value.failure.note.params["error"] == "audio/wav"
    with pytest.raises(InvalidInput, match=r"--video.*a\.mp4"):
        VIDEOS.load("--video", tmp_path / "a.mp4")


# Sounds


@pytest.mark.parametrize("rate", [True, 44100.0, "44100", None, -1, 10**6])
def test_a_rate_that_is_none_is_refused(rate: object) -> None:
    with pytest.raises(InvalidInput) as told:
        input_medium("audio").count("audio", {"waveform": torch.zeros(1, 1, 9), "sample_rate": rate})
    assert told.value.failure.note.params["found"] == f"sample_rate {rate!r}"


def test_each_sound_of_a_batch_is_one_and_has_its_own_hash() -> None:
    reader, batch = input_medium("audio"), torch.stack([torch.zeros(2, 9), torch.ones(2, 9)])
    given = {"waveform": batch, "sample_rate": 8000}
    assert reader.count("audio", given) == 2
    first, second = reader.read("audio", given, ROOM)
    (faster,) = reader.read("audio", {"waveform": batch[:1], "sample_rate": 16000}, ROOM)
    assert len({first.hash(), second.hash(), faster.hash()}) == 3
    assert first.original(ROOM) is None and first.least_bytes == 0
    assert first.changed(note("medium.audio"), first.encode(ROOM, None)) == note("medium.audio")


def test_a_sound_that_goes_on_for_ever_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.wav").write_bytes(make_sound(2, ending="wav", key=""))
    samples = decode_sound(tmp_path / "a.wav")["waveform"].numel()
    monkeypatch.setattr(sound, "MAX_SAMPLES", samples - 1)
    with pytest.raises(TooLarge):
        decode_sound(tmp_path / "a.wav")
    monkeypatch.setattr(sound, "MAX_SAMPLES", samples)
    assert decode_sound(tmp_path / "a.wav")["waveform"].numel() == samples


def test_a_file_without_sound_is_told_as_that(tmp_path: Path) -> None:
    silent = make_video(Image.new("RGB", (64, 48)), 1, ending="mp4", sound=False, key="")
    for data, kind in ((silent, "file_without_sound"), (b"ID3 and nothing", "file_undecodable")):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(Undecodable) as told:
            decode_sound(tmp_path / "a")
        assert told.value.failure.kind == kind


def test_a_sound_for_which_there_is_no_memory_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_left(*_: object, **__: object) -> None:
        raise MemoryError

    (tmp_path / "a.wav").write_bytes(make_sound(1, ending="wav", key=""))
    monkeypatch.setattr(np, "concatenate", nothing_left)
    with pytest.raises(TooLarge, match="too little memory for the files") as told:
        decode_sound(tmp_path / "a.wav")
    assert "shorter" in str(told.value)


# Stills


def test_a_video_that_begins_dark_is_shown_by_what_comes_later(tmp_path: Path) -> None:
    still = np.zeros((48, 64, 3), np.uint8)
    (tmp_path / "dark.mp4").write_bytes(make_video(Image.fromarray(still), 1, ending="mp4", sound=False, key=""))
    (tmp_path / "later.mp4").write_bytes(_dark_then_red())
    dark, later = poster(tmp_path / "dark.mp4", 64), poster(tmp_path / "later.mp4", 64)
    assert dark is not None and np.asarray(dark).max() < 16, "what there is"
    assert later is not None and np.asarray(later)[..., 0].mean() > 128


def _dark_then_red() -> bytes:
    import av

    into = io.BytesIO()
    with av.open(into, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            color = np.full((48, 64, 3), (255, 0, 0) if number > 4 else (0, 0, 0), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(color, format="rgb24")))
        container.mux(stream.encode(None))
    return into.getvalue()


def test_frames_of_too_many_pixels_are_not_decoded(
    tmp_path: Path, mp4: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(mp4)
    monkeypatch.setattr(poster_module, "MAX_PIXELS", 64 * 48 - 1)
    assert poster(tmp_path / "a.mp4", 64) is None
    monkeypatch.setattr(poster_module, "MAX_PIXELS", 64 * 48)
    assert poster(tmp_path / "a.mp4", 64) is not None
