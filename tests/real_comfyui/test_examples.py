"""A real ComfyUI offers both nodes and runs the example workflows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import requests
from hurry import same
from makers import by_pillow, file_in
from real_comfyui.graphs import PRO_EDIT, TEXT_TO_IMAGE, images, jobs_of, paid_elsewhere
from real_comfyui.host import PACKS, ROOT, Comfy, Outcome
from real_comfyui.workflows import (
    BY_ADDRESS,
    COLLECT,
    CORE_WIDGETS,
    LIST_OF_PROMPTS,
    NAMES,
    SEVERAL_REFERENCES,
    inputs_of,
    load,
    to_prompt,
    widget_names,
)
from real_comfyui.workflows import TEXT_TO_IMAGE as TEXT_TO_IMAGE_TEMPLATE

from emulator import Emulator

pytestmark = pytest.mark.comfyui

NUMBERS = itertools.count()
# The size of what each saves, and how many jobs are paid for.
SAVED = {
    TEXT_TO_IMAGE_TEMPLATE: ([(1360, 768)], 1),
    "Nano Banana 2 - 1K draft, then 4K": ([(5456, 3072)], 2),
    "Nano Banana 2 - product shot": ([(912, 1152)] * 4, 1),
    "Nano Banana 2 - several takes compared": ([(912 + 16 + 912, 1152)], 2),
    "Nano Banana Pro - edit an image": ([(1024, 1024)], 1),
    SEVERAL_REFERENCES: ([(1024, 1024)], 1),
    LIST_OF_PROMPTS: ([(1024, 1024)] * 4, 4),
    "Nano Banana Pro - character sheet": ([(1360, 768)], 1),
    "Nano Banana Pro - style transfer": ([(1024, 1024)], 2),
    BY_ADDRESS: ([(1360, 768)], 2),
    "Nano Banana 2 into Pro - chain of edits": ([(1360, 768)], 3),
    COLLECT: ([(1024, 1024)], 0),
}


def prompt_of(name: str, api: Emulator, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return an example as it is sent, with prompts of its own; the one that collects gets a job of the account."""
    prompt, number = to_prompt(load(name), definitions), next(NUMBERS)
    for inputs in (node["inputs"] for node in prompt.values()):
        if isinstance(inputs.get("prompt"), str):
            inputs["prompt"] += f" ({number})"
        if "prompts" in inputs:
            inputs["prompts"] = "\n".join(f"{line} ({number})" for line in inputs["prompts"].splitlines())
        if "request_id" in inputs:
            inputs["request_id"] = paid_elsewhere(api)
    return prompt


def run_example(
    name: str, comfy: Comfy, api: Emulator, definitions: dict[str, Any]
) -> tuple[Outcome, dict[str, str]]:
    """Run an example and return its outcome, and the id of the node of each type; the last of several."""
    prompt = prompt_of(name, api, definitions)
    outcome = comfy.run(prompt)
    assert outcome.succeeded, outcome.error
    return outcome, {node["class_type"]: key for key, node in prompt.items()}


def test_help_pages_stand_before_the_hosts_files(comfy: Comfy) -> None:
    docs = f"/extensions/{next(name for name, source in PACKS.items() if source == ROOT)}/docs"
    for path in (f"{PRO_EDIT}/ja.md", f"{PRO_EDIT}.md", "RunComfyCollect/zh-TW.md"):
        answer = comfy.get(f"{docs}/{path}")
        assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert answer.text.startswith("# ")
    with pytest.raises(requests.HTTPError, match="404"):
        comfy.get(f"{docs}/{PRO_EDIT}/de.md")


def test_page_is_offered_both_nodes_with_their_inputs_in_order(comfy: Comfy, definitions: dict[str, Any]) -> None:
    info = comfy.object_info()
    for node in (TEXT_TO_IMAGE, PRO_EDIT):
        assert info[node]["category"] == "RunComfy/Image"
        offered = [name for group in info[node]["input_order"].values() for name in group]
        assert offered == list(inputs_of(definitions[node]))
        assert info[node]["output_name"] == ["images", "image_urls", "request_id"]
        assert info[node]["output_is_list"] == [True, True, True]


def test_core_nodes_of_the_examples_have_the_widgets_that_are_saved(comfy: Comfy) -> None:
    info = comfy.object_info()
    for node, names in CORE_WIDGETS.items():
        offered = [name for name in widget_names(info[node]["input"]) if name is not None]
        # Lists of choices come as "COMBO" from newer versions.
        combos = [name for name, kind in inputs_of(info[node]["input"]).items() if kind[0] == "COMBO"]
        assert sorted(offered + combos) == sorted(name for name in names if name is not None), node


def test_examples_are_offered_as_templates(comfy: Comfy) -> None:
    pack = next(name for name, source in PACKS.items() if source == ROOT)
    assert sorted(comfy.get("/workflow_templates").json()[pack]) == sorted(NAMES)
    for name in NAMES:
        assert comfy.get(f"/api/workflow_templates/{pack}/{name}.json").json() == load(name)


@pytest.mark.parametrize("name", NAMES)
def test_example_saves_the_images_that_the_api_made(
    name: str, comfy: Comfy, api: Emulator, definitions: dict[str, Any]
) -> None:
    before = len(api.jobs)
    outcome, nodes = run_example(name, comfy, api, definitions)
    saved = [by_pillow(file) for file in comfy.files(outcome, nodes["SaveImage"])]
    sizes, jobs = SAVED[name]
    assert [(image.shape[1], image.shape[0]) for image in saved] == sizes
    assert len(api.jobs) - before == jobs + (name == COLLECT)
    if jobs == 1:
        assert same(saved, images(api, api.jobs[-1]))


def test_chain_by_hosted_url_uploads_nothing(comfy: Comfy, api: Emulator, definitions: dict[str, Any]) -> None:
    outcome, nodes = run_example(BY_ADDRESS, comfy, api, definitions)
    first, second = api.jobs[-2:]
    assert second.body["image_urls"] == api.files.uris(first)
    assert outcome.output(nodes["PreviewAny"], "text") == api.files.uris(first)
    (submit,) = [call for call in api.calls if call.what == "submit" and call.request_id == second.request_id]
    assert submit.size < 1000


def test_references_of_different_sizes_arrive_pixel_exact_and_in_order(
    comfy: Comfy, api: Emulator, definitions: dict[str, Any]
) -> None:
    prompt = to_prompt(load(SEVERAL_REFERENCES), definitions)
    (edit,) = [node for node in prompt.values() if node["class_type"] == PRO_EDIT]
    edit["inputs"]["prompt"] = "three sizes"
    assert comfy.run(prompt).succeeded
    (job,) = jobs_of(api, "three sizes")
    character, face, colour = (by_pillow(file_in(uri)) for uri in job.body["image_urls"])
    example = by_pillow((comfy.folder / "input" / "example.png").read_bytes())
    assert same([character, face], [example, example[128:368, 224:544]])
    assert colour.shape == (128, 512, 3) and (colour == (0xD9, 0x82, 0x2B)).all()
