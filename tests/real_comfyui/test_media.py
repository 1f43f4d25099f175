"""Videos, sounds and masks in a real ComfyUI: through its own loaders and save nodes, frame by frame."""

from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import requests
from makers import by_pillow
from PIL import Image
from real_comfyui.graphs import paid_elsewhere, saved
from real_comfyui.host import Comfy, Graph

from emulator import Emulator, Fault, Job
from emulator.moving import make_sound, make_video

pytestmark = pytest.mark.comfyui

MASKED = "RunComfy_qwen__qwen_image_2___1__edit"
IMAGE_TO_VIDEO = "RunComfy_minimax__minimax_h3__image_to_video"
REFERENCE_TO_VIDEO = "RunComfy_minimax__minimax_h3__reference_to_video"
TEXT_TO_AUDIO = "RunComfy_acestep_ai__ace_step__text_to_audio"
EXAMPLE = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def save_video(source: str) -> dict[str, Any]:
    return node("SaveVideo", video=[source, 0], filename_prefix="video/test", format="auto", codec="auto")


def save_originals(source: str, prefix: str) -> dict[str, Any]:
    return node("RunComfySaveOriginals", request_id=[source, 2], filename_prefix=prefix)


def job_of(api: Emulator, prompt: str) -> Job:
    (job,) = [job for job in api.jobs if prompt in (job.body.get("prompt"), job.body.get("tags"))]
    return job


def served(api: Emulator, job: Job) -> list[bytes]:
    """The files of a finished job, as the emulator serves them."""
    with requests.Session() as session:
        session.trust_env = False
        return [session.get(url, timeout=10).content for url in api.files.uris(job)]


def sent(value: str) -> bytes:
    return b64decode(value.partition(",")[2], validate=True)


def frames(file: bytes) -> list[npt.NDArray[np.uint8]]:
    with av.open(io.BytesIO(file)) as video:
        return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]


def samples(file: bytes) -> npt.NDArray[np.float32]:
    """All samples, float32 ``[C,T]``."""
    with av.open(io.BytesIO(file)) as sound:
        resampler = av.AudioResampler(format="fltp")
        pieces = [piece for frame in sound.decode(audio=0) for piece in resampler.resample(frame)]
        return np.concatenate([piece.to_ndarray() for piece in [*pieces, *resampler.resample(None)]], axis=1)


def same_frames(left: bytes, right: bytes) -> bool:
    pairs = list(zip(frames(left), frames(right), strict=True))
    return len(pairs) > 1 and all(np.array_equal(*pair) for pair in pairs)


def test_a_mask_goes_to_an_image_model_as_the_host_has_it(comfy: Comfy, api: Emulator) -> None:
    graph: Graph = {
        "1": EXAMPLE,
        "2": node("SolidMask", value=0.0, width=64, height=48),
        "3": node("SolidMask", value=1.0, width=20, height=10),
        "4": node("MaskComposite", destination=["2", 0], source=["3", 0], x=30, y=20, operation="add"),
        "5": node(MASKED, prompt="a masked fox", image_1=["1", 0], mask=["4", 0]),
        "6": saved("5"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    job = job_of(api, "a masked fox")
    mask = by_pillow(sent(job.body["mask_url"]))
    expected = np.zeros((48, 64), np.uint8)
    expected[20:30, 30:50] = 255
    assert np.array_equal(mask[..., 0], expected) and np.array_equal(mask[..., 1], expected)
    (file,) = comfy.files(outcome, "6")
    assert np.array_equal(by_pillow(file), by_pillow(served(api, job)[0]))


def test_transparency_comes_as_the_hosts_mask(comfy: Comfy, api: Emulator) -> None:
    api.fault(Fault("job", format="rgba"))
    graph: Graph = {
        "1": EXAMPLE,
        "2": node(MASKED, prompt="a fox alone", image_1=["1", 0], background="transparent"),
        "3": node("MaskToImage", mask=["2", 3]),
        "4": saved("3"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    (original,) = served(api, job_of(api, "a fox alone"))
    with Image.open(io.BytesIO(original)) as drawn:
        expected = 255 - np.asarray(drawn.getchannel("A"))
    (file,) = comfy.files(outcome, "4")
    assert 0 < expected.mean() < 255
    # The host cuts off what lies between two steps of 8 bits.
    assert np.abs(by_pillow(file)[..., 0].astype(int) - expected).max() <= 1


def test_an_image_becomes_videos_that_the_host_saves(comfy: Comfy, api: Emulator) -> None:
    api.fault(Fault("job", images=2))
    graph: Graph = {
        "1": EXAMPLE,
        "2": node(IMAGE_TO_VIDEO, prompt="a running fox", image=["1", 0], resolution="768p", duration=4),
        "3": save_video("2"),
        "4": node("GetVideoComponents", video=["2", 0]),
        "5": saved("4"),
        "6": save_originals("2", "video/original"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    originals = served(api, job_of(api, "a running fox"))
    assert comfy.files(outcome, "6") == originals, "byte for byte"
    files = comfy.files(outcome, "3")
    assert len(files) == 2 and all(map(same_frames, files, originals))
    stills = [by_pillow(file) for file in comfy.files(outcome, "5")]
    assert len(stills) == sum(len(frames(file)) for file in originals)
    assert np.array_equal(stills[0], frames(originals[0])[0])


def test_references_of_every_medium_arrive_and_a_video_with_sound_comes(comfy: Comfy, api: Emulator) -> None:
    still = _drawing()
    video = make_video(still, 1, ending="mp4", sound=True, key="reference")
    sound = make_sound(1, ending="flac", key="reference")
    _put(comfy, "reference.mp4", video)
    _put(comfy, "reference.flac", sound)
    graph: Graph = {
        "1": EXAMPLE,
        "2": node("LoadVideo", file="reference.mp4"),
        "3": node("LoadAudio", audio="reference.flac"),
        "4": node("GetVideoComponents", video=["2", 0]),
        "5": node("CreateVideo", images=["4", 0], audio=["4", 1], fps=["4", 2]),
        "6": node(
            REFERENCE_TO_VIDEO,
            prompt="a fox with references",
            duration=4,
            reference_image_1=["1", 0],
            reference_video_1=["2", 0],
            reference_video_2=["5", 0],
            reference_audio_1=["3", 0],
        ),
        "7": save_video("6"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    job = job_of(api, "a fox with references")
    given, made = map(sent, job.body["reference_videos"])
    assert given == video, "the container that it comes from, byte for byte"
    assert [frame.shape for frame in frames(made)] == [frame.shape for frame in frames(video)]
    (heard,) = map(sent, job.body["reference_audios"])
    assert np.array_equal(samples(heard), samples(sound))
    assert len(job.body["reference_images"]) == 1
    (file,) = comfy.files(outcome, "7")
    (original,) = served(api, job)
    assert same_frames(file, original) and np.array_equal(samples(file), samples(original))
    again = comfy.run(
        {**graph, "7": {**save_video("6"), "inputs": {**save_video("6")["inputs"], "filename_prefix": "b"}}}
    )
    assert again.succeeded and job_of(api, "a fox with references") is job


def test_a_sound_is_saved_by_the_host(comfy: Comfy, api: Emulator) -> None:
    graph: Graph = {
        "1": node(TEXT_TO_AUDIO, tags="a calm fox", duration=5),
        "2": node("SaveAudio", audio=["1", 0], filename_prefix="audio/test"),
        "3": save_originals("1", "audio/original"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    (original,) = served(api, job_of(api, "a calm fox"))
    (exact,) = outcome.output("3", "audio")
    assert comfy.get("/view", **exact).content == original, "byte for byte"
    (told,) = outcome.output("2", "audio")
    saved_file = samples(comfy.get("/view", **told).content)
    assert saved_file.shape == samples(original).shape
    # FLAC holds 16 bits of a sample, and the host cuts the others off.
    assert np.abs(saved_file - samples(original)).max() <= 2**-14


def test_a_node_shows_its_own_files_byte_for_byte(comfy: Comfy, api: Emulator) -> None:
    graph: Graph = {
        "1": node(TEXT_TO_AUDIO, tags="a shown fox", duration=5),
        "2": node("TrimAudioDuration", audio=["1", 0], start_index=0.0, duration=1.0),
        "3": node("SaveAudio", audio=["2", 0], filename_prefix="audio/test"),
        "4": EXAMPLE,
        "5": node(IMAGE_TO_VIDEO, prompt="a shown fox", image=["4", 0], resolution="768p", duration=4),
        "6": node("GetVideoComponents", video=["5", 0]),
        "7": saved("6"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    sound, video = (
        next(job for job in api.jobs if job.body.get(name) == "a shown fox") for name in ("tags", "prompt")
    )
    (heard,) = outcome.output("1", "audio")
    (seen,) = outcome.output("5", "images")
    assert comfy.get("/view", **heard).content == served(api, sound)[0]
    assert comfy.get("/view", **seen).content == served(api, video)[0]
    assert outcome.output("5", "animated") == [True]


def test_a_result_of_another_medium_is_told_on_the_node_and_kept(comfy: Comfy, api: Emulator) -> None:
    api.fault(Fault("job", medium="video"))
    graph: Graph = {
        "1": node(TEXT_TO_AUDIO, tags="a silent fox", duration=5),
        "2": node("SaveAudio", audio=["1", 0], filename_prefix="audio/test"),
    }
    outcome = comfy.run(graph)
    assert outcome.error and "a video where a sound was expected" in outcome.error
    assert "Charged: yes" in outcome.error and "safety" not in outcome.error
    (original,) = served(api, job_of(api, "a silent fox"))
    assert original in [path.read_bytes() for path in comfy.folder.rglob("kept/*/*") if path.is_file()]


def test_a_video_and_a_sound_of_other_programs_are_collected_into_the_graph(comfy: Comfy, api: Emulator) -> None:
    image = "https://files.example.com/a.png"
    video = paid_elsewhere(
        api, "minimax/minimax-h3/reference-to-video", prompt="a far fox", duration=4, reference_images=[image]
    )
    sound = paid_elsewhere(api, "acestep-ai/ace-step/text-to-audio", tags="a far song", duration=5)
    before = len(api.jobs)
    graph: Graph = {
        "1": node("RunComfyCollect", request_id=video),
        "2": {**save_video("1"), "inputs": {**save_video("1")["inputs"], "video": ["1", 3]}},
        "3": node("RunComfyCollect", request_id=sound),
        "4": node("SaveAudio", audio=["3", 4], filename_prefix="audio/far"),
    }
    outcome = comfy.run(graph)
    assert outcome.succeeded, outcome.error
    (file,) = comfy.files(outcome, "2")
    (original,) = served(api, job_of(api, "a far fox"))
    assert same_frames(file, original)
    (told,) = outcome.output("4", "audio")
    (heard,) = served(api, job_of(api, "a far song"))
    assert samples(comfy.get("/view", **told).content).shape == samples(heard).shape
    assert len(api.jobs) == before


def test_an_output_of_another_medium_tells_which_one_has_it(comfy: Comfy, api: Emulator) -> None:
    sound = paid_elsewhere(api, "acestep-ai/ace-step/text-to-audio", tags="a near song", duration=5)
    graph: Graph = {"1": node("RunComfyCollect", request_id=sound), "2": saved("1")}
    since = len(comfy.listener.events)
    outcome = comfy.run(graph)
    assert outcome.succeeded, "what came is whole; only the nodes behind an empty output do not run"
    told = comfy.listener.wait(lambda event: event.kind == "execution_error", since).data
    assert told["node_id"] == "2" and "connect the output audios in place of this one" in told["exception_message"]
    (shown,) = outcome.output("1", "audio")
    assert comfy.get("/view", **shown).content == served(api, job_of(api, "a near song"))[0]


def _drawing() -> Any:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8))


def _put(comfy: Comfy, name: str, data: bytes) -> None:
    Path(comfy.folder / "input" / name).write_bytes(data)
