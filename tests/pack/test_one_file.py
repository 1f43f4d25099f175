"""A model is one JSON file: its node, flags, emulator's model, contract, texts and help follow."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from model_files import IMAGES, model_file, write_models
from support import Runner, image

from emulator import Emulator
from nodes.comfyui.factory import node_class
from nodes.core.docs.glossary import languages
from nodes.core.docs.help_page import help_page
from nodes.core.schema.registry import read_models
from nodes.shell.flags import add_flags, node_inputs
from tools.generate import new_contracts, node_definitions

PROMPT = {"type": "string", "default": "A sample."}
COUNT = {"type": "integer", "minimum": 1, "maximum": 2, "default": 1}
SIZE = {"type": "string", "enum": ["1K", "2K"], "default": "1K"}
LUCK = {"type": "integer", "default": 7}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one model whose properties are called as nothing in the code is."""
    properties = {"text": PROMPT, "max_images": COUNT, "size": SIZE, "luck": LUCK, "reference_images": IMAGES}
    made = model_file("third", required=("text", "reference_images"), **properties)
    made["limits"] = {"image_bytes": 2**20, "request_bytes": 2**22}
    made["order"] = ["text", "reference_images", "size", "max_images", "luck"]
    made["prose"] = ["text"]
    made["roles"] = {"prompt": "text", "count": "max_images", "size": "size", "seed": "luck"}
    (tmp_path / "models" / "maker").mkdir(parents=True)
    write_models(tmp_path / "models" / "maker", third=made)
    return tmp_path / "models"


def test_one_json_file_is_a_model(
    folder: Path, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (spec,) = read_models(folder)

    node = node_class(spec, runner.host)
    inputs = node.INPUT_TYPES()
    assert list(inputs["required"]) == ["text"]
    sockets = [f"reference_image_{number}" for number in (1, 2, 3)]
    assert list(inputs["optional"]) == [*sockets, "reference_images", "size", "max_images", "luck", "on_failure"]
    assert node.RETURN_TYPES == ("IMAGE", "STRING", "STRING")

    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_flags(parser, spec)
    typed = parser.parse_args(
        ["--text", "a fox", "--max-images", "2", "--reference-images", "https://a.example/1.png"]
    )
    flags = node_inputs(spec, typed)
    assert (flags["text"], flags["max_images"], flags["luck"]) == ("a fox", 2, 7)

    with Emulator(models=folder) as api:
        monkeypatch.setenv("RUNCOMFY_MODEL_API_BASE", api.base_url)
        batches, urls, _ = runner.run(spec, **flags, reference_image_2=image())
        assert [len(batch) for batch in batches] == [2] and len(urls.splitlines()) == 2
        body = api.jobs[0].body
        assert {**body, "reference_images": len(body["reference_images"])} == {
            **{"text": "a fox", "max_images": 2, "size": "1K", "luck": 7},
            "reference_images": 2,
        }
        assert body["reference_images"][0].startswith("data:image/")
        assert body["reference_images"][1] == "https://a.example/1.png"
        job = runner.jobs()[0]
        assert (job.size, job.count) == ("1K", 2)

    ((path, contract),) = new_contracts([spec], tmp_path)
    assert path == tmp_path / "RunComfyModelThird.json"
    assert [one["name"] for one in json.loads(contract)["inputs"]] == [one.name for one in spec.inputs]
    path.write_text(contract, encoding="utf-8")
    assert list(new_contracts([spec], tmp_path)) == [], "a contract is written once"

    definitions = {place.parent.name: json.loads(text) for place, text in node_definitions([spec], tmp_path)}
    assert set(definitions) == set(languages())
    for language, nodes in definitions.items():
        told = nodes[spec.node_id]
        assert set(told["inputs"]) == {one.name for one in spec.inputs}
        assert "2147483647" in told["inputs"]["luck"]["tooltip"], "the kind's own hint"
        page = help_page(spec, language)
        assert page.startswith(f"# {told['display_name']}\n")
        for words in told["inputs"].values():
            assert words["tooltip"] in page
    assert len({nodes[spec.node_id]["inputs"]["size"]["tooltip"] for nodes in definitions.values()}) == len(
        languages()
    )
