"""The contract of every node: what saved workflows, prompts and other nodes rely on."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from support import PRO_EDIT, ROOT, TEXT_TO_IMAGE

from nodes import comfyui
from nodes.comfyui import NODE_CLASS_MAPPINGS
from nodes.core.schema.kind import INT32_MAX
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.own import ON_FAILURE, RERUN_SEED
from nodes.core.schema.registry import MODELS_FOLDER, load_models
from tools.contract import contract, written

FOLDER = ROOT / "tests" / "contract"
MODEL_SPECS = load_models()
COSTLY = ("count", "size", "width", "height", "duration", "duration_ms", "seed", "prompt", "references")
MODELS = pytest.mark.parametrize("spec", [TEXT_TO_IMAGE, PRO_EDIT], ids=lambda spec: spec.command)
MIGRATION = (
    "The contract of {node} has changed. Workflows that people have saved hold widget values by position and "
    "inputs by name: this needs a migration (a new node id beside the old one, or code that reads old workflows), "
    "not an edit of the snapshot."
)


def contract_of(node: str, mappings: Any = comfyui) -> dict[str, Any]:
    return contract(mappings.NODE_CLASS_MAPPINGS[node], mappings.NODE_DISPLAY_NAME_MAPPINGS[node])


@pytest.mark.parametrize("node", sorted(NODE_CLASS_MAPPINGS))
def test_the_contract_of_a_node_never_changes(node: str) -> None:
    path = FOLDER / f"{node}.json"
    now = written(contract_of(node))
    assert path.exists(), f"{path.name} is missing: a new node's contract is written down once, as\n{now}"
    promised = written(json.loads(path.read_text(encoding="utf-8")))
    assert now.splitlines() == promised.splitlines(), MIGRATION.format(node=node)


def test_no_node_that_was_promised_has_gone() -> None:
    gone = {path.stem for path in FOLDER.glob("*.json")} - set(NODE_CLASS_MAPPINGS)
    assert gone == set(), f"{gone}: workflows that hold such a node can no longer be opened"


def test_collect_has_the_outputs_of_0_1_in_their_places_and_others_behind_them() -> None:
    """Links of saved workflows hold an output by its place."""
    collect = NODE_CLASS_MAPPINGS["RunComfyCollect"]
    assert collect.RETURN_TYPES == ("IMAGE", "STRING", "STRING", "VIDEO", "AUDIO")
    assert collect.RETURN_NAMES == ("images", "image_urls", "request_id", "videos", "audios")


def test_the_loaded_pack_keeps_the_same_contract(pack: ModuleType) -> None:
    assert set(pack.NODE_CLASS_MAPPINGS) == set(NODE_CLASS_MAPPINGS)
    for node in NODE_CLASS_MAPPINGS:
        assert contract_of(node, pack) == contract_of(node)


@pytest.mark.parametrize("node", sorted(NODE_CLASS_MAPPINGS))
def test_every_input_and_output_explains_itself(node: str) -> None:
    node_class = NODE_CLASS_MAPPINGS[node]
    for inputs in node_class.INPUT_TYPES().values():
        for name, (_, options) in inputs.items():
            assert options["tooltip"].strip(), f"{name} has no tooltip"
    assert len(node_class.OUTPUT_TOOLTIPS) == len(node_class.RETURN_TYPES) == len(node_class.RETURN_NAMES)
    assert all(tooltip.strip() for tooltip in node_class.OUTPUT_TOOLTIPS)
    assert node_class.DESCRIPTION.strip()


@pytest.mark.parametrize("node", sorted(NODE_CLASS_MAPPINGS))
def test_no_node_makes_the_page_ask_for_a_sign_in(node: str) -> None:
    node_class = NODE_CLASS_MAPPINGS[node]
    assert not hasattr(node_class, "API_NODE") and not hasattr(node_class, "is_api_node")
    assert not node_class.CATEGORY.lower().startswith("api node")


@pytest.mark.parametrize("node", sorted(NODE_CLASS_MAPPINGS))
def test_no_node_takes_part_in_the_hosts_caching_or_checks(node: str) -> None:
    # A hidden UNIQUE_ID is part of the host's cache key; VALIDATE_INPUTS switches its own checks off.
    node_class = NODE_CLASS_MAPPINGS[node]
    assert set(node_class.INPUT_TYPES()) <= {"required", "optional"}
    assert not hasattr(node_class, "VALIDATE_INPUTS")


@MODELS
def test_tooltips_are_made_from_the_schemas_descriptions(spec: ModelSpec) -> None:
    inputs = widgets(spec)
    assert len(spec.fields) > 6
    for field in spec.fields:
        tooltip = inputs[field.name]["tooltip"]
        assert field.description in tooltip and field.note in tooltip


@MODELS
def test_no_sample_is_a_default(spec: ModelSpec) -> None:
    inputs = widgets(spec)
    samples = {name: options["placeholder"] for name, options in inputs.items() if options.get("placeholder")}
    assert samples["prompt"]
    assert samples == {name: published_default(spec, name) for name in samples}
    for name in samples:
        assert inputs[name]["default"] == ""
        assert inputs[name]["multiline"] is True
    others = [options.get("default") for name, options in inputs.items() if name not in samples]
    assert not set(samples.values()) & {default for default in others if isinstance(default, str)}


@MODELS
def test_widgets_come_in_the_schemas_order(spec: ModelSpec) -> None:
    sockets = {socket.name for field in spec.fields for socket in field.sockets}
    names = [name for name in widgets(spec) if name not in {*sockets, RERUN_SEED, ON_FAILURE}]
    assert names == [field.name for field in spec.fields] == list(published(spec))


def test_the_seed_says_that_it_is_folded() -> None:
    seed = widgets(TEXT_TO_IMAGE)["seed"]
    assert "brought into the range" in seed["tooltip"] and str(INT32_MAX) in seed["tooltip"]
    assert (seed["min"], seed["max"], seed["control_after_generate"]) == (0, INT32_MAX, True)


@MODELS
def test_what_becomes_of_the_other_items_of_a_list_is_asked_last(spec: ModelSpec) -> None:
    name, options = list(widgets(spec).items())[-1]
    assert (name, options["default"]) == (ON_FAILURE, "stop")
    assert "never sent" in options["tooltip"].lower()


def test_rare_inputs_are_advanced_and_none_that_costs() -> None:
    advanced = {
        spec: [name for name, each in widgets(spec).items() if each.get("advanced")] for spec in MODEL_SPECS
    }
    assert advanced[TEXT_TO_IMAGE] == ["safety_tolerance", "limit_generations", ON_FAILURE]
    assert advanced[PRO_EDIT] == ["sync_mode", ON_FAILURE]
    costly = {spec: {field.name for field in spec.fields if field.role in COSTLY} for spec in MODEL_SPECS}
    assert not any(set(names) & costly[spec] for spec, names in advanced.items())
    assert not any("default" not in widgets(spec)[name] for spec, names in advanced.items() for name in names)


def test_only_a_model_without_a_seed_has_a_rerun_seed_and_it_follows_the_schemas_inputs() -> None:
    assert RERUN_SEED not in widgets(TEXT_TO_IMAGE)
    assert TEXT_TO_IMAGE.role("seed")
    name, options = list(widgets(PRO_EDIT).items())[-2]
    assert name == RERUN_SEED
    assert "control_after_generate" not in options, "it would add a value to every saved workflow"
    assert "never sent" in options["tooltip"].lower()


def test_reference_images_have_twenty_sockets_before_their_addresses() -> None:
    inputs = list(widgets(PRO_EDIT))
    first = inputs.index("image_1")
    assert inputs[first : first + 21] == [*(f"image_{number}" for number in range(1, 21)), "image_urls"]
    optional = NODE_CLASS_MAPPINGS[PRO_EDIT.node_id].INPUT_TYPES()["optional"]
    assert all(optional[f"image_{number}"][0] == "IMAGE" for number in range(1, 21))


def published(spec: ModelSpec) -> dict[str, Any]:
    files = (json.loads(path.read_text(encoding="utf-8")) for path in MODELS_FOLDER.rglob("*.json"))
    (schema,) = (model["input_schema"] for model in files if model["node_id"] == spec.node_id)
    properties: dict[str, Any] = schema["properties"]
    return properties


def published_default(spec: ModelSpec, name: str) -> str:
    default = published(spec)[name]["default"]
    return "\n".join(default) if isinstance(default, list) else default


def widgets(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    input_types = NODE_CLASS_MAPPINGS[spec.node_id].INPUT_TYPES()
    return {name: options for inputs in input_types.values() for name, (_, options) in inputs.items()}
