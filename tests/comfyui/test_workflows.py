"""The example workflows against the definitions of their nodes."""

from __future__ import annotations

import itertools
import re
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from real_comfyui.workflows import (
    BY_ADDRESS,
    CORE_WIDGETS,
    FOLDER,
    NAMES,
    PAGE_ONLY,
    Workflow,
    inputs_of,
    is_widget,
    load,
    to_prompt,
    values_of,
)
from real_comfyui.workflows import TEXT_TO_IMAGE as TEXT_TO_IMAGE_TEMPLATE
from support import PRO_EDIT, TEXT_TO_IMAGE

from nodes.core.request.validate import check
from nodes.core.schema.kind import Given
from tools.templates.__main__ import files

TITLE_HEIGHT = 30
SPECS = {spec.node_id: spec for spec in (TEXT_TO_IMAGE, PRO_EDIT)}

every_workflow = pytest.mark.parametrize("name", NAMES)


def ours(workflow: Workflow, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in workflow["nodes"] if node["type"] in definitions]


def models_of(workflow: Workflow, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in ours(workflow, definitions) if node["type"] in SPECS]


def test_every_file_of_the_folder_is_what_its_description_says() -> None:
    wanted = dict(files())
    assert sorted(path.stem for path in wanted) == sorted(NAMES)
    assert sorted(FOLDER.glob("*.json")) == sorted(wanted)
    for path, text in wanted.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python -m tools.templates"


def test_a_search_for_the_models_name_finds_every_template() -> None:
    assert len(NAMES) == 12 and all("nano banana" in name.lower() for name in NAMES)


@every_workflow
def test_the_note_follows_the_theme(name: str) -> None:
    (note,) = [node for node in load(name)["nodes"] if node["type"] in PAGE_ONLY]
    assert note.keys().isdisjoint({"color", "bgcolor"})


@every_workflow
def test_node_types_exist(name: str, definitions: dict[str, Any]) -> None:
    workflow = load(name)
    types = {node["type"] for node in workflow["nodes"]}
    assert types <= {*definitions, *CORE_WIDGETS, *PAGE_ONLY}
    assert ours(workflow, definitions)


@every_workflow
def test_widget_values_stand_where_the_node_looks_for_them(name: str, definitions: dict[str, Any]) -> None:
    for node in ours(load(name), definitions):
        inputs = inputs_of(definitions[node["type"]])
        for widget, value in values_of(node, definitions).items():
            kind, options = inputs[widget]
            if isinstance(kind, list):
                assert value in kind, widget
            elif kind == "INT":
                assert type(value) is int and options["min"] <= value <= options["max"], widget
            else:
                assert type(value) is {"STRING": str, "BOOLEAN": bool}[kind], widget


@every_workflow
def test_seed_stays_as_it_is_saved(name: str, definitions: dict[str, Any]) -> None:
    for node in ours(load(name), definitions):
        inputs = inputs_of(definitions[node["type"]])
        widgets = [widget for widget, (kind, *_) in inputs.items() if is_widget(kind)]
        if "seed" in widgets:
            seed, control = node["widgets_values"][widgets.index("seed") :][:2]
            assert type(seed) is int and control == "fixed"


@every_workflow
def test_saved_values_are_accepted_by_the_pack(name: str, definitions: dict[str, Any]) -> None:
    workflow = load(name)
    prompt = to_prompt(workflow, definitions)
    for node in models_of(workflow, definitions):
        inputs = prompt[str(node["id"])]["inputs"]
        assert isinstance(inputs["prompt"], list) or inputs["prompt"].strip()
        widgets = {key: value for key, value in inputs.items() if not isinstance(value, list)}
        linked = dict.fromkeys(inputs.keys() - widgets.keys(), 1)
        sockets = {socket.name for field in SPECS[node["type"]].fields for socket in field.sockets}
        addresses = {"image_urls": "https://a.example.com/1.png"} if "image_urls" in linked else {}
        counts = {name: count for name, count in linked.items() if name in sockets}
        prompts = {"prompt": "a line"} if "prompt" in linked else {}
        check(SPECS[node["type"]], Given({**widgets, **addresses, **prompts}, counts))


@every_workflow
def test_sockets_are_those_of_the_node(name: str, pack: ModuleType, definitions: dict[str, Any]) -> None:
    for node in ours(load(name), definitions):
        inputs = inputs_of(definitions[node["type"]])
        for socket in node["inputs"]:
            kind = inputs[socket["name"]][0]
            assert socket["type"] == ("COMBO" if isinstance(kind, list) else kind), socket["name"]
            assert ("widget" in socket) == is_widget(kind), socket["name"]
        node_class = pack.NODE_CLASS_MAPPINGS[node["type"]]
        assert [socket["name"] for socket in node["outputs"]] == list(node_class.RETURN_NAMES)
        assert [socket["type"] for socket in node["outputs"]] == list(node_class.RETURN_TYPES)


@every_workflow
def test_links_agree_with_the_nodes_at_both_ends(name: str) -> None:
    workflow = load(name)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    links = {link[0]: link for link in workflow["links"]}
    assert len(nodes) == len(workflow["nodes"]) and len(links) == len(workflow["links"])
    assert workflow["last_node_id"] >= max(nodes) and workflow["last_link_id"] >= max(links)
    for number, origin, output, target, socket, kind in workflow["links"]:
        types = {nodes[origin]["outputs"][output]["type"], nodes[target]["inputs"][socket]["type"]}
        assert kind in types and len(types - {"*"}) == 1
        assert number in nodes[origin]["outputs"][output]["links"]
        assert nodes[target]["inputs"][socket]["link"] == number
    ends = [socket["link"] for node in nodes.values() for socket in node.get("inputs", []) if socket.get("link")]
    starts = [link for node in nodes.values() for socket in node["outputs"] for link in socket.get("links") or []]
    assert sorted(ends) == sorted(starts) == sorted(links)


@every_workflow
def test_every_image_ends_in_a_saved_file(name: str, definitions: dict[str, Any]) -> None:
    prompt = to_prompt(load(name), definitions)
    used = {value[0] for node in prompt.values() for value in node["inputs"].values() if isinstance(value, list)}
    assert {key for key, node in prompt.items() if node["class_type"] in definitions} <= used
    assert sum(node["class_type"] == "SaveImage" for node in prompt.values()) == 1


@every_workflow
def test_no_node_covers_another(name: str) -> None:
    boxes = [
        (node["pos"][0], node["pos"][1] - TITLE_HEIGHT, node["pos"][0] + node["size"][0], sum(end))
        for node in load(name)["nodes"]
        for end in [(node["pos"][1], node["size"][1])]
    ]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


@every_workflow
def test_note_says_what_it_does_and_that_it_costs_without_a_price(name: str) -> None:
    (note,) = [node for node in load(name)["nodes"] if node["type"] in PAGE_ONLY]
    (text,) = note["widgets_values"]
    assert text.startswith("## ") and "**Cost:**" in text and "API token" in text
    assert not re.search(r"[$€£]|\bUSD\b|\d\.\d", text)


@every_workflow
def test_nothing_private_is_saved(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text.isascii()
    assert not re.search(r"https?://|127\.0\.0\.1|localhost|/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\|Bearer", text)
    # A token is longer than any word that belongs here.
    assert not re.search(r"[A-Za-z0-9_]{36,}", text)


def test_api_form_leaves_out_the_seed_control_and_prefers_links(definitions: dict[str, Any]) -> None:
    prompt = to_prompt(load(BY_ADDRESS), definitions)
    first, second = (
        next((key, node["inputs"]) for key, node in prompt.items() if node["class_type"] == spec.node_id)
        for spec in (TEXT_TO_IMAGE, PRO_EDIT)
    )
    assert list(first[1]) == [field.name for field in (*TEXT_TO_IMAGE.fields, *TEXT_TO_IMAGE.own_fields)]
    assert first[1]["seed"] == 7 and first[1]["aspect_ratio"] == "16:9"
    assert second[1]["image_urls"] == [first[0], 1]
    assert second[1]["rerun_seed"] == 0
    assert "MarkdownNote" not in {node["class_type"] for node in prompt.values()}


def test_a_value_too_many_is_noticed(definitions: dict[str, Any]) -> None:
    workflow = load(TEXT_TO_IMAGE_TEMPLATE)
    (node,) = ours(workflow, definitions)
    node["widgets_values"].append(0)
    with pytest.raises(ValueError, match="longer"):
        to_prompt(workflow, definitions)


@every_workflow
def test_template_has_a_thumbnail(name: str) -> None:
    with Image.open(FOLDER / f"{name}.jpg") as image:
        assert image.format == "JPEG" and image.size == (512, 512)
