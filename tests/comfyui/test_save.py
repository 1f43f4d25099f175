"""Save originals: byte for byte, under names that nobody has, with a receipt beside them, and free of charge."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from hurry import service
from support import RecordingHost, Runner

from emulator import Emulator
from nodes.comfyui.previews import Shown, shown
from nodes.comfyui.saving.files import SavePlace
from nodes.comfyui.saving.node import save_class
from nodes.core.errors import InvalidInput, PackError


class OutputHost(RecordingHost):
    """A host with an output folder; its pattern is ``%width%x%height%``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.output = folder

    def save_place(self, prefix: str, width: int, height: int) -> SavePlace:
        path = self.output / prefix.replace("%width%", str(width)).replace("%height%", str(height))
        if not path.resolve().is_relative_to(self.output.resolve()):
            raise InvalidInput("filename_prefix", "outside_output")
        path.parent.mkdir(parents=True, exist_ok=True)
        return SavePlace(path.parent, path.name, 1)

    def saved(self, files: Sequence[Path]) -> Shown:
        return shown(files, self.output, "output")


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Shown]:
    host = OutputHost(tmp_path / "output")

    def run(*request_ids: str, prefix: str = "RunComfy") -> Shown:
        told: Any = asyncio.run(save_class(host)().generate(request_id=request_ids, filename_prefix=[prefix]))
        found: Shown = told["ui"]
        return found

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("make", "ending"), [("jpeg", "jpg"), ("webp", "webp"), ("png", "png")])
def test_files_are_saved_as_they_came_with_a_receipt(
    runner: Runner, api: Emulator, save: Callable[..., Shown], tmp_path: Path, make: str, ending: str
) -> None:
    _, urls, request_id = runner.text_to_image("a fox", num_images=2, output_format=make, seed=4)
    ui = save(request_id)
    output = tmp_path / "output"
    files = [f"RunComfy_0000{number}_.{ending}" for number in (1, 2)]
    assert names(output) == sorted([*files, "RunComfy_00001_.json"])
    for name, url in zip(files, urls.splitlines(), strict=True):
        assert (output / name).read_bytes() == requests.get(url, timeout=20).content
    assert ui["images"] == [{"filename": name, "subfolder": "", "type": "output"} for name in files]
    receipt = json.loads((output / "RunComfy_00001_.json").read_text(encoding="utf-8"))
    assert receipt["files"] == files and receipt["request_id"] == request_id
    assert (receipt["inputs"]["prompt"], receipt["inputs"]["seed"]) == ("a fox", 4)
    assert receipt["cost"] == runner.jobs()[0].cost and receipt["charge"] == "charged"
    assert receipt["model_id"] and receipt["submitted_at"].startswith("2")
    assert api.token not in json.dumps(receipt)
    assert api.count("submit") == 1


def test_nothing_is_ever_replaced(runner: Runner, save: Callable[..., Shown], tmp_path: Path) -> None:
    _, _, request_id = runner.text_to_image()
    for _ in range(2):
        save(request_id, prefix="a/b %width%x%height%")
    found = names(tmp_path / "output")
    assert [name.rpartition("_0")[2] for name in found] == ["0001_.json", "0001_.png", "0002_.json", "0002_.png"]
    assert len({name.rpartition("_0")[0] for name in found}) == 1 and "%" not in found[0], found


def test_a_saved_file_is_a_copy_of_its_own(runner: Runner, save: Callable[..., Shown], tmp_path: Path) -> None:
    _, _, request_id = runner.text_to_image()
    save(request_id)
    kept = service().jobs.file_cache.get(runner.jobs()[0].name)[0]
    before = kept.read_bytes()
    (tmp_path / "output" / "RunComfy_00001_.png").write_bytes(b"edited")
    assert kept.read_bytes() == before


@pytest.mark.parametrize("keep_mb", ["0", "64"])
def test_what_is_not_kept_is_fetched_free_of_charge(
    runner: Runner,
    api: Emulator,
    save: Callable[..., Shown],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep_mb: str,
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", keep_mb)
    _, _, request_id = runner.text_to_image()
    service().jobs.file_cache.remove(runner.jobs()[0].name)
    save(request_id)
    assert len(names(tmp_path / "output")) == 2
    assert (api.count("submit"), api.count("file")) == (1, 2)


def test_several_requests_are_saved_one_after_the_other(
    runner: Runner, save: Callable[..., Shown], tmp_path: Path
) -> None:
    ids = [runner.text_to_image(seed=seed)[2] for seed in (1, 2)]
    assert len(save(*ids)["images"]) == 2
    assert names(tmp_path / "output") == [
        f"RunComfy_0000{number}_.{ending}" for number in (1, 2) for ending in ("json", "png")
    ]


def test_a_prefix_that_leads_outside_is_told_before_anything_is_fetched(
    runner: Runner, api: Emulator, save: Callable[..., Shown], tmp_path: Path
) -> None:
    _, _, request_id = runner.text_to_image()
    calls = len(api.calls)
    with pytest.raises(PackError, match="outside of ComfyUI's output folder"):
        save(request_id, prefix="../../evil")
    assert len(api.calls) == calls and not (tmp_path / "output").exists()


def test_a_folder_that_cannot_be_written_costs_nothing(
    runner: Runner, save: Callable[..., Shown], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, request_id = runner.text_to_image()

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr("nodes.comfyui.saving.files.shutil.copyfileobj", full)
        with pytest.raises(PackError, match="No space left") as raised:
            save(request_id)
    assert raised.value.failure.charge.value == "yes"
    assert names(tmp_path / "output") == []
    save(request_id)
    assert len(names(tmp_path / "output")) == 2


def test_without_a_request_nothing_is_saved(runner: Runner, save: Callable[..., Shown]) -> None:
    assert runner.state
    with pytest.raises(InvalidInput, match="letters, digits"):
        save("")
