"""Videos and sounds on their way from a job to the host: streamed, kept, lent, resumed, never called blocked."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image
from support import MODELS, TEXT_TO_IMAGE, Blocked, Runner, image
from support import GraphMedia as Graph

from emulator import Emulator, Fault
from emulator.moving import make_sound, make_video
from nodes.app.service import open_service
from nodes.comfyui.factory import node_class
from nodes.core.config.settings import read_settings
from nodes.core.errors import DownloadError, InvalidInput, OtherMedium, PackError, TooLarge
from nodes.core.media.file_type import type_of
from nodes.core.media.outputs.video import VideoOutput
from nodes.core.media.sound import decode_sound
from nodes.core.schema.parse import parse_model
from nodes.core.schema.registry import MODELS_FOLDER

VIDEO = MODELS["minimax/minimax-h3/reference-to-video"]
SOUND = MODELS["acestep-ai/ace-step/text-to-audio"]
MASKED = MODELS["qwen/qwen-image-2.1/edit"]
ADDRESS = "https://files.example.com/a.png"


class FromFile:
    """Stands for the host's own video that is a file."""

    def __init__(self, source: Path | io.BytesIO) -> None:
        self._source = source

    def get_stream_source(self) -> object:
        return str(self._source) if isinstance(self._source, Path) else self._source

    def get_components(self) -> None:
        raise AssertionError("its frames are nobody's business")

    def save_to(self, _: str) -> None:
        raise AssertionError("it has a file")


@pytest.fixture
def graph(runner: Runner, tmp_path: Path) -> Graph:
    runner.host.media = Graph(tmp_path / "temp")
    return runner.host.media


def make(runner: Runner, **inputs: Any) -> tuple[list[Any], str, str]:
    known = {"prompt": "a fox", "duration": 4, "reference_images": ADDRESS}
    return runner.run(VIDEO, **(known | inputs))


def sent(api: Emulator, name: str) -> list[bytes]:
    """Return the files of a property in the last job's body, decoded."""
    value = api.jobs[-1].body[name]
    return [b64decode(uri.partition(",")[2]) for uri in (value if isinstance(value, list) else [value])]


def made(api: Emulator) -> list[bytes]:
    """Return the files of the last job, as the emulator made them."""
    found = [api.files.find(uri.removeprefix(api.origin)) for uri in api.files.uris(api.jobs[-1])]
    return [api.files.read(*one) for one in found if one]


@pytest.mark.usefixtures("graph")
def test_a_video_lies_whole_where_the_host_reads_it(runner: Runner, api: Emulator) -> None:
    videos, urls, _ = make(runner)
    assert [path.read_bytes() for path in videos] == made(api)
    assert urls == f"{api.origin}/files/{api.jobs[0].request_id}/a%20b%2Bc-0.mp4"
    assert "1 video delivered" in runner.host.text and runner.jobs()[0].state == "delivered"
    for folder in runner.state.glob("kept/*"):
        for path in folder.iterdir():
            assert path.samefile(videos[0]), "linked, not copied"
            path.unlink()
        folder.rmdir()
    assert videos[0].read_bytes() == made(api)[0], "also when the kept copy makes room"


@pytest.mark.usefixtures("graph")
def test_the_same_inputs_get_the_kept_video_without_a_call(runner: Runner, api: Emulator) -> None:
    (first,), _, _ = make(runner)
    runner.host.media = Graph(first.parent.parent / "after a restart")
    calls = len(api.calls)
    (second,), urls, _ = make(runner)
    assert second.read_bytes() == first.read_bytes() and second.parent.name == "after a restart"
    assert len(api.calls) == calls and len(api.jobs) == 1 and urls


@pytest.mark.usefixtures("graph")
def test_without_kept_copies_a_video_is_there_all_the_same(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", "0")
    (video,), _, _ = make(runner)
    runner.restart()
    assert video.read_bytes() == made(api)[0]
    assert not list(runner.state.glob("kept/*")), "nothing is kept"


@pytest.mark.usefixtures("graph")
def test_a_sound_is_what_the_host_decodes(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", repeated=True))
    (sound,), urls, _ = runner.run(SOUND, tags="calm", duration=5)
    assert urls.count("\n") == 0, "one address, told twice, is one sound"
    with av.open(io.BytesIO(made(api)[0])) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    waveform, expected = sound["waveform"], np.concatenate(frames, axis=1)
    assert waveform.dtype == torch.float32 and waveform.shape == (1, *expected.shape)
    assert np.array_equal(waveform[0].numpy(), expected) and sound["sample_rate"] == 44100


@pytest.mark.usefixtures("graph")
def test_a_video_that_is_cut_goes_on_where_it_ended(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("file", truncated=True))
    (video,), _, _ = make(runner)
    assert video.read_bytes() == made(api)[0]
    files = [call for call in api.calls if call.what == "file"]
    assert len(files) == 2 and files[1].headers["Range"] == f"bytes={len(made(api)[0]) // 2}-"


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("fault", [{"html": True}, {"content": b"<!DOCTYPE html><p>Log in"}, {"cut": 0.6}])
def test_what_is_no_whole_video_is_fetched_again(runner: Runner, api: Emulator, fault: dict[str, Any]) -> None:
    api.fault(Fault("file", **fault))
    (video,), _, _ = make(runner)
    assert video.read_bytes() == made(api)[0] and len(api.jobs) == 1


@pytest.mark.usefixtures("graph")
def test_a_large_video_is_never_in_memory_and_is_resumed(runner: Runner, api: Emulator) -> None:
    size = 100 * 2**20
    make(runner, prompt="the code is loaded")
    api.fault(Fault("job", padding=size))
    api.fault(Fault("file", truncated=True, times=2))
    tracemalloc.start()
    try:
        (video,), _, _ = make(runner)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    whole = video.stat().st_size
    assert whole > size and peak < 32 * 2**20, "with what the emulator draws it with"
    asked = [call.headers.get("Range") for call in api.calls if call.what == "file"][1:]
    assert asked == [None, f"bytes={whole // 2}-", f"bytes={whole // 2 + (whole - whole // 2) // 2}-"], "resumed"


@pytest.mark.usefixtures("graph")
def test_whole_videos_are_delivered_beside_one_that_is_gone(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", images=3))
    api.fault(Fault("file", status=410, times=None, only="/1.mp4"))
    videos, urls, _ = make(runner)
    assert len(videos) == 2 and urls.count("\n") == 1
    assert "File 2 of 3 is missing" in runner.host.text and runner.jobs()[0].state == "submitted"
    api.clear_faults()
    videos, _, _ = make(runner)
    assert len(videos) == 3 and len(api.jobs) == 1 and runner.jobs()[0].state == "delivered"


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    ("spec", "inputs", "medium", "words"),
    [
        (TEXT_TO_IMAGE, {"prompt": "a fox"}, "video", "a video where an image"),
        (SOUND, {"tags": "calm"}, "video", "a video where a sound"),
        (VIDEO, {"prompt": "a", "duration": 4, "reference_images": ADDRESS}, "image", "an image where a video"),
    ],
)
def test_a_file_of_another_medium_is_kept_and_told_and_not_called_blocked(
    runner: Runner, api: Emulator, spec: Any, inputs: dict[str, Any], medium: str, words: str
) -> None:
    api.fault(Fault("job", medium=medium))
    for _ in range(2):
        with pytest.raises(OtherMedium) as told:
            runner.run(spec, **inputs)
        receipt = str(told.value)
        assert words in receipt and "Charged: yes" in receipt
        assert "safety" not in receipt and "pay" not in receipt.partition("Next:")[2]
    runner.restart()
    (kept,) = runner.state.glob("kept/*/00")
    assert kept.read_bytes() == made(api)[0]
    assert len(api.jobs) == 1 and api.count("file") == 1, "the second run reads the kept file"
    assert "Collect a paid job (RunComfy)" in receipt and f"collect {api.jobs[0].request_id}" in receipt
    collected = runner.collect_all(api.jobs[0].request_id)
    (handed_on,) = collected[{"image": 0, "video": 3}[medium]]
    assert len(handed_on) == 1 if medium == "image" else handed_on.read_bytes() == made(api)[0]
    assert len(api.jobs) == 1, "what the receipt advises works"


def test_a_host_that_takes_all_gets_a_file_of_another_medium(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    runner.host.media = Graph(tmp_path / "temp", takes_all=True)
    api.fault(Fault("job", medium="video"))
    images, urls, _ = runner.text_to_image()
    assert images == [] and urls.endswith(".mp4") and runner.jobs()[0].state == "delivered"
    (lent,) = runner.host.media.folder.iterdir()
    assert lent.read_bytes() == made(api)[0] and lent.suffix == ".mp4"
    calls = len(api.calls)
    assert runner.text_to_image()[1] == urls and len(api.calls) == calls


KEYS = ("image", "images", "video", "videos", "audio", "audios", "")


def under(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what puts the file of a result under another key; under none where that is ''."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        (told,) = result["output"].values()
        file = told[0] if isinstance(told, list) else told
        return result | {"output": {key: file} if key else file}

    return edit


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("spec", "inputs"),
    [
        (TEXT_TO_IMAGE, {"prompt": "a fox"}),
        (VIDEO, {"prompt": "a", "duration": 4, "reference_images": ADDRESS}),
        (SOUND, {"tags": "calm"}),
    ],
    ids=["image", "video", "audio"],
)
def test_a_file_is_what_its_bytes_say_whatever_the_answer_calls_it(
    runner: Runner, api: Emulator, spec: Any, inputs: dict[str, Any], key: str
) -> None:
    api.fault(Fault("result", edit=under(key), times=None))
    for _ in ("fetched", "kept"):
        media, _, _ = runner.run(spec, **inputs)
        (made_here,) = made(api)
        if spec is TEXT_TO_IMAGE:
            with Image.open(io.BytesIO(made_here)) as drawn:
                assert np.array_equal((media[0][0].numpy() * 255).round(), np.asarray(drawn.convert("RGB")))
        else:
            (file,) = media
            assert file.read_bytes() == made_here if spec is VIDEO else file["sample_rate"] == 44100
    assert len(api.jobs) == 1 and api.count("file") == 1


def test_a_large_file_that_is_called_an_image_is_never_in_memory(
    runner: Runner, api: Emulator, graph: Graph
) -> None:
    size = 100 * 2**20
    make(runner, prompt="the code is loaded")
    api.fault(Fault("job", padding=size))
    api.fault(Fault("result", edit=under("image")))
    tracemalloc.start()
    try:
        (video,), _, _ = make(runner)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert video.parent == graph.folder and video.stat().st_size > size and peak < 32 * 2**20


@pytest.mark.usefixtures("graph")
def test_a_large_video_that_came_for_an_image_is_not_read_as_one(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fault(Fault("result", edit=under("video"), times=None))
    with monkeypatch.context() as bound:
        bound.setattr("nodes.core.jobs.intake.MAX_FILE_BYTES", 1000)
        with pytest.raises(TooLarge, match="Charged: yes"):
            runner.text_to_image()
    (batch,), _, _ = runner.text_to_image()
    assert len(batch) == 1 and len(api.jobs) == 1


def inside(data: bytes, mime: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda result: result | {"output": f"data:{mime};base64,{b64encode(data).decode()}"}


def small_file(medium: str) -> bytes:
    still, into = Image.new("RGB", (64, 48), "red"), io.BytesIO()
    match medium:
        case "video":
            return make_video(still, 1, ending="mp4", sound=False, key="")
        case "audio":
            return make_sound(1, ending="wav", key="")
    still.save(into, "PNG")
    return into.getvalue()


INLINE = {
    "image": ("image/png", "an image"),
    "video": ("video/mp4", "a video"),
    "audio": ("audio/wav", "a sound"),
}


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("medium", INLINE)
@pytest.mark.parametrize(
    ("spec", "inputs"),
    [
        (TEXT_TO_IMAGE, {"prompt": "a fox"}),
        (VIDEO, {"prompt": "a", "duration": 4, "reference_images": ADDRESS}),
        (SOUND, {"tags": "calm"}),
    ],
    ids=["image", "video", "audio"],
)
def test_a_file_of_any_medium_may_come_inside_the_answer(
    runner: Runner, api: Emulator, spec: Any, inputs: dict[str, Any], medium: str
) -> None:
    mime, words = INLINE[medium]
    data = small_file(medium)
    api.fault(Fault("result", edit=inside(data, mime), times=None))
    for _ in ("fetched", "kept"):
        if medium == spec.output.medium:
            assert len(runner.run(spec, **inputs)[0]) == 1
        else:
            with pytest.raises(OtherMedium, match=rf"{words} where(?s:.*)Charged: yes"):
                runner.run(spec, **inputs)
    runner.restart()
    assert [path.read_bytes() for path in runner.state.glob("kept/*/00")] == [data] and len(api.jobs) == 1


@pytest.mark.usefixtures("graph")
def test_a_video_that_a_filter_held_back_is_not_called_an_image(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", blocked=True))
    for _ in range(2):
        with pytest.raises(PackError, match="ended without a file") as told:
            make(runner)
        assert "image" not in str(told.value).partition("Next:")[0]
    assert len(api.jobs) == 1, "the second run asks for the files of the first"


@pytest.mark.usefixtures("graph")
def test_a_video_that_is_too_large_is_told(runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VideoOutput, "max_bytes", 1000)
    with pytest.raises(TooLarge, match="Charged: yes"):
        make(runner)
    assert api.count("file") == 1


@pytest.mark.usefixtures("graph")
def test_a_disk_without_room_is_told_as_that(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("nodes.core.store.file_cache.CacheWriter.place", full)
        with pytest.raises(DownloadError, match="No space left") as told:
            make(runner)
    assert "RUNCOMFY_STATE_DIR" in str(told.value)
    assert len(make(runner)[0]) == 1 and len(api.jobs) == 1


@pytest.mark.usefixtures("graph")
def test_transparency_is_a_mask_as_the_host_loads_it(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", format="rgba", sizes=[(40, 30), (20, 20), (40, 30)]))
    node = node_class(MASKED, runner.host)
    assert node.RETURN_NAMES == ("images", "image_urls", "request_id", "mask")
    assert node.RETURN_TYPES[3] == "MASK" and node.OUTPUT_IS_LIST[3]
    for _ in ("fetched", "kept"):
        batches, _, _, masks = runner.run(MASKED, prompt="a", image_1=image(20, 30), background="transparent")
        assert [tuple(mask.shape) for mask in masks] == [(2, 30, 40), (1, 20, 20)]
        assert [tuple(batch.shape) for batch in batches] == [(2, 30, 40, 3), (1, 20, 20, 3)]
        with Image.open(io.BytesIO(made(api)[2])) as drawn:
            alpha = np.asarray(drawn.getchannel("A")).astype(np.float32) / 255
        assert masks[0].dtype == torch.float32 and np.allclose(masks[0][1].numpy(), 1 - alpha, atol=1e-6)
        assert 0 < alpha.mean() < 1
    assert len(api.jobs) == 1
    *_, masks = runner.run(MASKED, prompt="b", image_1=image(20, 30))
    assert not masks[0].any() and masks[0].shape[0] == 1, "all of it is to be seen"


# Collected by its id


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("elsewhere", [False, True], ids=["recorded here", "submitted elsewhere"])
@pytest.mark.parametrize(
    ("spec", "inputs", "place"),
    [
        (TEXT_TO_IMAGE, {"prompt": "a fox", "num_images": 2}, 0),
        (VIDEO, {"prompt": "a fox", "duration": 4, "reference_images": [ADDRESS]}, 3),
        (SOUND, {"tags": "calm", "duration": 5}, 4),
    ],
    ids=["image", "video", "audio"],
)
def test_what_is_collected_comes_where_its_medium_does(
    runner: Runner, api: Emulator, spec: Any, inputs: dict[str, Any], place: int, elsewhere: bool
) -> None:
    if elsewhere:
        service = open_service(read_settings(os.environ, Path.home()))
        request_id = service.client.submit(spec.model_id, json.dumps(inputs).encode())
    else:
        given = inputs | ({"reference_images": ADDRESS} if "reference_images" in inputs else {})
        _, _, request_id = runner.run(spec, **given)
    for _ in ("fetched", "kept"):
        collected = runner.collect_all(request_id)
        files = made(api)
        assert collected[1].count("\n") == len(files) - 1 and collected[2] == request_id
        names = {0: "images", 3: "videos", 4: "audios"}
        words = {0: "2 images delivered", 3: "1 video delivered", 4: "1 sound delivered"}
        assert words[place] in runner.host.last.text()
        for other in names.keys() - {place}:
            (blocked,) = collected[other]
            assert isinstance(blocked, Blocked) and f"connect the output {names[place]} " in blocked.told
        found: Any = collected[place]
        if place == 0:
            assert [tuple(batch.shape) for batch in found] == [(2, 1024, 1024, 3)]
            with Image.open(io.BytesIO(files[1])) as drawn:
                assert np.array_equal((found[0][1].numpy() * 255).round(), np.asarray(drawn.convert("RGB")))
        elif place == 3:
            assert [path.read_bytes() for path in found] == files
        else:
            assert [sound["sample_rate"] for sound in found] == [44100]
    assert len(api.jobs) == 1


# References


def test_references_of_every_medium_arrive_as_they_are(runner: Runner, api: Emulator, graph: Graph) -> None:
    (video,), _, _ = make(runner)
    waveform = torch.linspace(-1, 1, 44100).repeat(1, 2, 1)
    inputs: dict[str, Any] = {
        "reference_images": "",
        "reference_image_1": image(),
        "reference_video_1": FromFile(video),
        "reference_video_2": FromFile(io.BytesIO(video.read_bytes())),
        "reference_audio_1": {"waveform": waveform, "sample_rate": 44100},
    }
    make(runner, **inputs)
    assert sent(api, "reference_videos") == [video.read_bytes()] * 2
    (sound,) = sent(api, "reference_audios")
    (graph.folder / "sound.wav").write_bytes(sound)
    assert type_of(graph.folder / "sound.wav").mime == "audio/wav"
    decoded = decode_sound(graph.folder / "sound.wav")
    assert decoded["sample_rate"] == 44100 and torch.allclose(decoded["waveform"], waveform, atol=2**-15)
    assert "reference_video_1: sent as it is, mp4" in runner.host.text
    make(runner, **inputs)
    assert len(api.jobs) == 2, "the same inputs are the same job"
    make(runner, **inputs | {"reference_audio_1": {"waveform": waveform / 2, "sample_rate": 44100}})
    assert len(api.jobs) == 3


def test_a_mask_is_white_where_it_is_one(runner: Runner, api: Emulator) -> None:
    mask = torch.zeros(1, 20, 30)
    mask[0, 5:10, 10:20] = 1.0
    runner.run(MASKED, prompt="blue", image_1=image(20, 30), mask=mask)
    (data,) = sent(api, "mask_url")
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert np.array_equal(pixels, (mask[0].numpy() * 255).astype(np.uint8))


def test_a_model_file_may_say_that_black_is_what_a_mask_marks(runner: Runner, api: Emulator) -> None:
    path = MODELS_FOLDER / "qwen" / "qwen-image-2.1-edit.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["roles"]["inverted_mask"] = document["roles"].pop("mask")
    mask = torch.zeros(1, 20, 30)
    mask[0, 5:10, 10:20] = 1.0
    runner.run(parse_model(document), prompt="blue", image_1=image(20, 30), mask=mask)
    (data,) = sent(api, "mask_url")
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert np.array_equal(pixels, ((1 - mask[0].numpy()) * 255).astype(np.uint8))


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("reference_video_1", "a.mp4", "not_of_type"),
        ("reference_video_1", image(), "not_of_type"),
        ("reference_audio_1", torch.zeros(1, 2, 9), "not_of_type"),
        ("reference_audio_1", {"waveform": torch.zeros(2, 9), "sample_rate": 44100}, "audio_shape"),
        ("reference_audio_1", {"waveform": torch.zeros(1, 2, 0), "sample_rate": 44100}, "audio_shape"),
        ("reference_audio_1", {"waveform": torch.zeros(1, 2, 9), "sample_rate": 0}, "audio_shape"),
        ("reference_audio_1", {"waveform": torch.zeros(1, 9, 2), "sample_rate": 44100}, "audio_shape"),
        ("reference_audio_1", {"waveform": torch.full((1, 1, 9), torch.nan), "sample_rate": 9}, "audio_shape"),
        ("reference_video_1", FromFile(io.BytesIO(b"no video")), "media_unreadable"),
        ("reference_video_1", FromFile(Path("nowhere.mp4")), "media_unreadable"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    runner: Runner, api: Emulator, name: str, value: object, kind: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        make(runner, **{name: value})
    assert (told.value.field, told.value.failure.kind) == (name, kind) and api.calls == []


@pytest.mark.usefixtures("graph")
def test_a_large_video_is_refused_before_it_is_read(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    (video,), _, _ = make(runner)
    large = tmp_path / "large.mp4"
    large.write_bytes(video.read_bytes() + (40 * 2**20).to_bytes(4, "big") + b"free")
    os.truncate(large, large.stat().st_size + 40 * 2**20 - 8)
    with pytest.raises(InvalidInput, match=r"at most 32\.00 MiB") as told:
        make(runner, reference_video_1=FromFile(large))
    assert "hosted address" in str(told.value) and len(api.jobs) == 1


@pytest.mark.usefixtures("graph")
def test_what_does_not_fit_together_is_refused(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    (video,), _, _ = make(runner)
    large = tmp_path / "large.mp4"
    large.write_bytes(video.read_bytes() + (20 * 2**20).to_bytes(4, "big") + b"free")
    os.truncate(large, large.stat().st_size + 20 * 2**20 - 8)
    files = {f"reference_video_{number}": FromFile(large) for number in (1, 2, 3)}
    with pytest.raises(PackError, match=r"do not fit into a request of 64\.00 MiB"):
        make(runner, **files)
    assert len(api.jobs) == 1


def test_the_models_of_these_tests_are_what_they_seem() -> None:
    bodies = {spec.model_id: {one.name: one.type for one in spec.inputs} for spec in (VIDEO, MASKED)}
    assert json.dumps(bodies[VIDEO.model_id]).count("VIDEO") == 3
    assert bodies[MASKED.model_id]["mask"] == "MASK"
