"""The emulator's videos and sounds: they play, come in the documented forms, and go wrong in their own ways."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import requests

from emulator import Emulator, Fault
from emulator.catalog import load_models

VIDEO = "minimax/minimax-h3/reference-to-video"
SOUND = "acestep-ai/ace-step/text-to-audio"
REFERENCE = "https://files.example.com/a.png"


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def post(api: Emulator, model_id: str, **body: Any) -> requests.Response:
    bearer = {"Authorization": f"Bearer {api.token}"}
    return requests.post(f"{api.base_url}/models/{model_id}", headers=bearer, json=body, timeout=30)


def output(api: Emulator, model_id: str, **body: Any) -> dict[str, Any]:
    request_id = post(api, model_id, **body).json()["request_id"]
    bearer = {"Authorization": f"Bearer {api.token}"}
    answer = requests.get(f"{api.base_url}/requests/{request_id}/result", headers=bearer, timeout=30)
    found: dict[str, Any] = answer.json()["output"]
    return found


def fetched(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=30)


def test_a_video_plays_and_has_a_sound_where_one_is_given(api: Emulator) -> None:
    for references in ([], ["https://files.example.com/a.mp3"]):
        told = output(
            api, VIDEO, prompt="a fox", duration=4, reference_images=[REFERENCE], reference_audios=references
        )
        answer = fetched(told["video"])
        assert answer.headers["Content-Type"] == "video/mp4"
        with av.open(io.BytesIO(answer.content)) as video:
            assert sum(1 for _ in video.decode(video=0)) == 24
            assert bool(video.streams.audio) == bool(references)
    assert api.jobs[0].cost == pytest.approx(0.40), "by the second"


def test_a_sound_plays(api: Emulator) -> None:
    told = output(api, SOUND, tags="calm", duration=5)
    answer = fetched(told["audio"])
    assert answer.headers["Content-Type"].startswith("audio/")
    with av.open(io.BytesIO(answer.content)) as sound:
        samples = sum(frame.samples for frame in sound.decode(audio=0))
    assert samples == pytest.approx(2 * 44100, rel=0.1)


def test_what_is_posted_is_checked_for_the_medium(api: Emulator) -> None:
    inputs = {"prompt": "a fox", "duration": 4}
    for name in ("reference_images", "reference_videos", "reference_audios"):
        medium = name.removeprefix("reference_").removesuffix("s")
        assert post(api, VIDEO, **inputs, **{name: [f"data:{medium}/x;base64,AAAA"]}).status_code == 200
        refused = post(api, VIDEO, **inputs, **{name: ["data:text/plain;base64,AAAA"]})
        assert refused.status_code == 400 and medium in refused.json()["error_message"]
    assert len(api.jobs) == 3


def test_a_file_of_another_medium_and_one_that_is_named_twice(api: Emulator) -> None:
    api.fault(Fault("job", medium="video", repeated=True))
    told = output(api, SOUND, tags="calm")
    assert list(told) == ["videos"] and len(told["videos"]) == 2 and len(set(told["videos"])) == 1
    assert fetched(told["videos"][0]).content[4:8] == b"ftyp"


def test_a_large_file_is_made_of_nothing_and_resumed(api: Emulator) -> None:
    api.fault(Fault("job", padding=3_000_000))
    url = output(api, VIDEO, prompt="a fox", duration=4, reference_images=[REFERENCE])["video"]
    whole = fetched(url)
    assert len(whole.content) == int(whole.headers["Content-Length"]) > 3_000_000
    rest = fetched(url, **{"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    assert rest.status_code == 206 and whole.content[1000:] == rest.content
    with av.open(io.BytesIO(whole.content)) as video:
        assert sum(1 for _ in video.decode(video=0)) == 24, "it plays"


def test_models_are_read_from_a_page_of_the_catalogue(api: Emulator, tmp_path: Path) -> None:
    bearer = {"Authorization": f"Bearer {api.token}"}
    page = requests.get(f"{api.base_url}/models?include_schema=true&limit=500", headers=bearer, timeout=30)
    (tmp_path / "page.json").write_text(page.text, encoding="utf-8")
    read = load_models(tmp_path / "page.json")
    assert {one: (model.output, model.unit) for one, model in read.items()} == {
        one: (model.output, model.unit) for one, model in api.models.items()
    }


def test_a_video_moves_under_a_caption_that_does_not(api: Emulator) -> None:
    told = output(api, VIDEO, prompt="a lighthouse", duration=4, reference_images=[REFERENCE])
    with av.open(io.BytesIO(fetched(told["video"]).content)) as video:
        first, *_, last = (frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0))
    height, width, _ = first.shape
    caption = slice(int(height * 0.93), height), slice(0, width // 2)
    moved, kept = np.abs(first - last).mean(), np.abs(first[caption] - last[caption]).mean()
    assert moved > 3 and kept < moved / 3
