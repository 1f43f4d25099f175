"""The model files: all are loaded, or the one at fault is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import PRO_EDIT, ROOT, TEXT_TO_IMAGE

from nodes.core.request.validate import check
from nodes.core.schema.model import Images, SchemaError, Text
from nodes.core.schema.registry import MODELS_FOLDER, load_models


def model(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "model_id": f"vendor/{name}",
        "node_id": f"Node{name}",
        "command": name,
        "display_name": name,
        "category": "RunComfy/Image",
        "description": "A model.",
        "search_aliases": [],
        "limits": {"image_bytes": 1, "request_bytes": 1},
        "input_schema": {"type": "object", "properties": {}},
        **changes,
    }


def write(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def test_models_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    write(tmp_path, b=model("first"), a=model("second"), c=model("third"))
    (tmp_path / "readme.txt").write_text("no model")
    assert [spec.command for spec in load_models(tmp_path)] == ["second", "first", "third"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({**model("x"), "limits": {}}, "/limits/image_bytes: missing"),
        (model("x", input_schema={"properties": {"a": {"type": "number"}}}), "/input_schema/properties/a/type"),
        ([], "/: not an object"),
        ("{", ""),
        ("", ""),
        ("\ufeff{}", ""),
    ],
)
def test_a_fault_names_the_file_and_the_place(tmp_path: Path, content: Any, place: str) -> None:
    write(tmp_path, good=model("good"), wrong=content)
    with pytest.raises(SchemaError) as raised:
        load_models(tmp_path)
    assert str(raised.value).startswith(f"wrong.json: {place}")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match=r"^wrong\.json: "):
        load_models(tmp_path)


@pytest.mark.parametrize("key", ["node_id", "command", "model_id"])
def test_two_models_never_share_a_name(tmp_path: Path, key: str) -> None:
    write(tmp_path, a=model("a", **{key: "same"}), b=model("b", **{key: "same"}))
    with pytest.raises(SchemaError, match=f"{key} 'same'"):
        load_models(tmp_path)


def test_a_pack_without_models_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no model files"):
        load_models(tmp_path)


def test_both_models_are_those_of_the_api() -> None:
    assert MODELS_FOLDER == ROOT / "nodes" / "models"
    assert TEXT_TO_IMAGE.model_id == "google/nano-banana-2/text-to-image"
    assert PRO_EDIT.model_id == "google/nano-banana/pro/edit"
    assert TEXT_TO_IMAGE.limits == PRO_EDIT.limits
    assert TEXT_TO_IMAGE.limits.image_bytes == 6 * 2**20
    assert TEXT_TO_IMAGE.limits.request_bytes == 64 * 2**20


@pytest.mark.parametrize("spec", [TEXT_TO_IMAGE, PRO_EDIT], ids=lambda spec: spec.command)
def test_no_sample_is_sent_unless_it_was_typed(spec: Any) -> None:
    body = json.dumps(check(spec, {"prompt": "mine"}).body([]))
    samples = [
        sample
        for field in spec.fields
        if isinstance(field.kind, Text | Images)
        for sample in ([field.kind.sample] if isinstance(field.kind, Text) else field.kind.sample)
        if sample
    ]
    assert samples
    assert not [sample for sample in samples if sample in body]
