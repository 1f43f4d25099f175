"""The model files: all are loaded, or the one at fault is named."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from model_files import model_file, write_models
from support import PRO_EDIT, ROOT, TEXT_TO_IMAGE

from nodes.core.request.validate import check
from nodes.core.schema.document import SchemaError, schema_hash
from nodes.core.schema.kind import Given
from nodes.core.schema.registry import INDEX, MAX_FILE_BYTES, MODELS_FOLDER, load_models, read_models
from tools.generate import index


def test_models_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    write_models(tmp_path, b=model_file("first"), a=model_file("second"), c=model_file("third"))
    (tmp_path / "readme.txt").write_text("no model")
    assert [spec.command for spec in read_models(tmp_path)] == ["second", "first", "third"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({**model_file("x"), "limits": {}}, "/limits/image_bytes: missing"),
        (model_file("x", a={"type": "vector"}), "/input_schema/properties/a/type"),
        ([], "/: not an object"),
        ("{", ""),
        ("", ""),
        ("\ufeff{}", ""),
    ],
)
def test_a_fault_names_the_file_and_the_place(tmp_path: Path, content: Any, place: str) -> None:
    write_models(tmp_path, good=model_file("good"), wrong=content)
    with pytest.raises(SchemaError) as raised:
        read_models(tmp_path)
    assert str(raised.value).startswith(f"wrong.json: {place}")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match=r"^wrong\.json: "):
        read_models(tmp_path)


@pytest.mark.parametrize("key", ["node_id", "command", "model_id"])
def test_two_models_never_share_a_name(tmp_path: Path, key: str) -> None:
    first, second = model_file("a"), model_file("b")
    second[key] = first[key].swapcase() if key == "node_id" else first[key]
    second[key] = second[key].replace("rUNcOMFY", "RunComfy")
    write_models(tmp_path, a=first, b=second)
    with pytest.raises(SchemaError, match=rf"b\.json: two model files have the {key} "):
        read_models(tmp_path)


def test_a_file_is_not_read_that_is_larger_than_any_model(tmp_path: Path) -> None:
    write_models(tmp_path, a=" " * (MAX_FILE_BYTES + 1))
    with pytest.raises(SchemaError, match=r"^a\.json: more than"):
        read_models(tmp_path)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    write_models(tmp_path, a='{"model_id": "a/b", "model_id": "a/c"}')
    with pytest.raises(SchemaError, match=r"^a\.json: a key stands twice"):
        read_models(tmp_path)


def test_a_pack_without_models_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no model files"):
        read_models(tmp_path)


def test_every_file_of_the_pack_can_be_used() -> None:
    """At the host's start only the index is read; a fault in the rest has to stop here."""
    assert index()[1] == INDEX.read_text(encoding="utf-8"), "run python -m tools.generate"
    assert read_models(MODELS_FOLDER) == load_models()
    assert [spec.conditions for spec in read_models(MODELS_FOLDER)] == [spec.conditions for spec in load_models()]
    assert [spec.inputs for spec in read_models(MODELS_FOLDER)] == [spec.inputs for spec in load_models()]


def test_both_models_are_those_of_the_api() -> None:
    assert MODELS_FOLDER == ROOT / "nodes" / "models"
    assert TEXT_TO_IMAGE.model_id == "google/nano-banana-2/text-to-image"
    assert PRO_EDIT.model_id == "google/nano-banana/pro/edit"
    assert TEXT_TO_IMAGE.limits == PRO_EDIT.limits
    assert TEXT_TO_IMAGE.limits.image_bytes == 6 * 2**20
    assert TEXT_TO_IMAGE.limits.request_bytes == 64 * 2**20


@pytest.mark.parametrize("path", sorted(MODELS_FOLDER.rglob("*.json")), ids=lambda path: path.stem)
def test_the_schema_of_a_file_is_the_one_that_was_read(path: Path) -> None:
    model = json.loads(path.read_text(encoding="utf-8"))
    assert schema_hash(model["input_schema"]) == model["schema_sha256"], "a schema is replaced, never edited"
    assert date.fromisoformat(model["read_on"]) <= datetime.now(timezone.utc).date()


@pytest.mark.parametrize("spec", [TEXT_TO_IMAGE, PRO_EDIT], ids=lambda spec: spec.command)
def test_no_sample_is_sent_unless_it_was_typed(spec: Any) -> None:
    counts = {socket.name: 1 for field in spec.fields for socket in field.sockets[:1]}
    body = json.dumps(check(spec, Given({"prompt": "mine"}, counts)).body({}))
    samples = [str(one.options["placeholder"]) for one in spec.inputs if one.options.get("placeholder")]
    assert samples
    assert not [sample for sample in samples if sample in body]
