"""Every model from a shell: ``run MODEL_ID`` with the flags of its schema, and the list of all."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support import MODELS

from emulator import Emulator
from nodes.core.errors import InvalidInput
from nodes.core.media.inputs.image import ImageContent
from nodes.core.request.validate import check
from nodes.core.schema.kind import Given
from nodes.core.schema.registry import load_models
from nodes.shell.commands import main
from nodes.shell.flags import add_flags, in_flags, node_inputs

EDIT = MODELS["qwen/qwen-image-2.1/edit"]
REFERENCES = MODELS["wan-ai/wan-2.7/reference-to-video"]
URL = "https://a.example.com/1.png"


def inputs(model: Any, *arguments: object) -> dict[str, object]:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_flags(parser, model)
    return node_inputs(model, parser.parse_args([str(one) for one in arguments]))


@pytest.mark.usefixtures("runner")
def test_a_model_is_run_by_its_id(api: Emulator, tmp_path: Path, capsys: Any) -> None:
    command = ["run", "google/nano-banana-2-lite/text-to-image", "--prompt", "a fox"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert (api.jobs[0].model_id, api.jobs[0].body) == (command[1], {"prompt": "a fox", "aspect_ratio": "auto"})
    (path,) = (tmp_path / "out").iterdir()
    assert path.name.startswith("google-nano-banana-2-lite-text-to-image-")
    assert str(path) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "no/such-model", "--prompt", "a"], "there is no model 'no/such-model'"),
        (["run", "qwen/qwen-image-2.1/edit", "--prompt", "a", "--nothing"], "--nothing"),
        (["run"], "MODEL_ID"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments: list[str], said: str, capsys: Any) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_all_models_are_listed(capsys: Any) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [spec.model_id for spec in load_models()]
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert {
        "model_id": EDIT.model_id,
        "node_id": EDIT.node_id,
        "name": EDIT.display_name,
        "command": f"run {EDIT.model_id}",
        "output": "image",
        "source": "pack",
    } in listed
    assert "text-to-image" in [one["command"] for one in listed]


def test_an_address_may_stand_where_a_file_may(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    given = inputs(EDIT, "--prompt", "a", "--image", tmp_path / "a.png", "--image", URL, "--image-urls", f"{URL}?2")
    assert given["image_urls"] == f"{URL}\n{URL}?2"
    assert isinstance(given["image_1"], ImageContent) and given["image_1"].pixels.shape == (8, 8, 3)
    assert inputs(EDIT, "--prompt", "a", "--mask", URL)["mask_url"] == URL
    assert inputs(EDIT, "--prompt", "a")["mask_url"] == ""
    with pytest.raises(InvalidInput, match=r"--image: the file a\.png stands behind an address"):
        inputs(EDIT, "--prompt", "a", "--image", URL, "--image", "a.png")


@pytest.mark.parametrize(
    ("model", "arguments", "said"),
    [
        (EDIT, ["--output-format", "jpeg", "--background", "transparent"], "--background transparent is not"),
        (
            REFERENCES,
            ["--reference-image", URL] * 3 + ["--reference-video", URL] * 3,
            "--reference-image-urls, --ref",
        ),
        (EDIT, ["--mask", URL, "--image-urls", f"{URL}?2"], "--mask, --image-urls"),
    ],
    ids=["values", "together", "beside"],
)
def test_a_condition_is_told_in_flags(model: Any, arguments: list[str], said: str) -> None:
    given = (
        inputs(model, "--prompt", "a", "--image", URL, *arguments)
        if model is EDIT
        else inputs(model, "--prompt", "a", *arguments)
    )
    with pytest.raises(InvalidInput, match=said), in_flags(model):
        check(model, Given(given))
