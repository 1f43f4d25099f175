"""What a node shows of its files, and where it leaves that to the node that follows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator
from nodes.comfyui.factory import node_class
from nodes.comfyui.previews import media_shown_next, not_shown_next, shown
from nodes.core.media.host import FilesOnly


def test_files_are_named_as_the_host_finds_them() -> None:
    folder = Path("/temp")
    files = [folder / "runcomfy" / name for name in ("a-1.png", "a-2.webp")]
    assert shown(files, folder) == {
        "images": [
            {"filename": "a-1.png", "subfolder": "runcomfy", "type": "temp"},
            {"filename": "a-2.webp", "subfolder": "runcomfy", "type": "temp"},
        ]
    }
    assert shown([], folder) == {}
    video = shown([folder / "b.mp4"], folder)
    assert video == {"images": [{"filename": "b.mp4", "subfolder": "", "type": "temp"}], "animated": [True]}
    assert list(shown([folder / "c.mp3"], folder)) == ["audio"]


def test_what_a_save_or_preview_node_shows_is_not_shown_twice() -> None:
    prompt = {
        "1": {"class_type": "RunComfyX", "inputs": {"prompt": "a"}},
        "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}},
    }
    assert media_shown_next(prompt, "1") == set()
    saved = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}}
    assert media_shown_next({**prompt, "4": saved}, "1") == {"image"}
    assert media_shown_next({**prompt, "4": saved}, "2") == set()
    named = {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": ["1", 2]}}
    assert media_shown_next({**prompt, "4": named}, "1") == set(), "its id alone goes there"
    video = {"class_type": "SaveVideo", "inputs": {"video": ["1", 3]}}
    assert media_shown_next({**prompt, "4": saved, "5": video}, "1") == {"image", "video"}
    files = [Path("a.png"), Path("b.mp4"), Path("c.mp3")]
    assert not_shown_next(files, {"image", "video"}) == [Path("c.mp3")], "a collected sound is shown all the same"
    assert not_shown_next(files, ()) == files


def test_files_are_shown_as_they_arrive_byte_for_byte(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    host = runner.host
    host.media = FilesOnly(tmp_path / "passing")
    prompts = ["a fox", "a crow", "a hare"]
    ended = asyncio.run(node_class(TEXT_TO_IMAGE, host)().generate(prompt=prompts, resolution=["0.5K"]))
    assert [len(files) for files in host.arrived] == [1, 2, 3]
    assert isinstance(ended["ui"], dict)
    final = ended["ui"]["images"]
    assert final == host.arrived[-1] and len({path.name for path in final}) == 3
    kept = {path.read_bytes() for path in (runner.state / "kept").glob("*/[0-9][0-9]")}
    assert {path.read_bytes() for path in final} == kept
    assert len(api.billed) == 3
