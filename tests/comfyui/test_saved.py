"""Workflows as version 0.1.0 saved them, in UI and in API form: later versions must load every value in place.

These files are never edited. A change that breaks them needs a migration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from real_comfyui.workflows import inputs_of, to_prompt
from support import ROOT

SAVED = ROOT / "tests" / "saved"
UI_FORMS = sorted(path for path in SAVED.glob("*/*.json") if not path.name.endswith(".api.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_saved_workflows() -> None:
    assert len(UI_FORMS) >= 4


@pytest.mark.parametrize("path", UI_FORMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_saved_workflow_gives_the_same_prompt_and_defaults_for_what_is_newer(
    path: Path, definitions: dict[str, Any]
) -> None:
    promised = read(path.with_suffix(".api.json"))
    for node in promised.values():
        if "on_failure" in inputs_of(definitions.get(node["class_type"], {})):
            node["inputs"]["on_failure"] = "stop"
    assert to_prompt(read(path), definitions) == promised


@pytest.mark.parametrize("path", UI_FORMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_saved_prompt_is_still_accepted(path: Path, definitions: dict[str, Any]) -> None:
    own = [node for node in read(path.with_suffix(".api.json")).values() if node["class_type"] in definitions]
    assert own
    for node in own:
        definition = definitions[node["class_type"]]
        known = inputs_of(definition)
        assert set(node["inputs"]) <= set(known)
        assert set(definition["required"]) <= set(node["inputs"])
        for name, value in node["inputs"].items():
            kind, *options = known[name]
            if isinstance(kind, list):
                assert value in kind, name
            elif kind == "INT" and not isinstance(value, list):
                assert options[0]["min"] <= value <= options[0]["max"], name
