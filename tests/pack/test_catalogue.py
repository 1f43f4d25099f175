"""Every model that ships: what a run of it sends is valid by the schema as published, and nothing unset is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from properties import given, settings, st

from nodes.core.errors import InvalidInput
from nodes.core.request.validate import Arguments, check
from nodes.core.schema.entry import file_name_of, model_document
from nodes.core.schema.inputs import Socket, Widget
from nodes.core.schema.kind import INT32_MAX, Field, Given
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.names import node_id_of
from nodes.core.schema.registry import MODELS_FOLDER, load_models
from tools.add_models import CONDITIONS

URL = "https://a.example.com/file-{number}"
FILE = "data:application/octet-stream;base64,AAAA"
MODELS = load_models()
models = pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.model_id)
# How a run may be refused that sets each property within its own bounds.
REFUSALS = {
    *("reference_count", "reference_missing", "file_missing", "both_given"),
    *("one_of_them", "not_together", "too_many_together", "too_many_beside"),
}
# What the vendor's own nodes are called ends so; people have both packs.
VENDORS = ("T2I", "I2I", "T2V", "I2V", "V2V", "Edit", "Reference", "Extend", "Transition")


@cache
def published(spec: ModelSpec) -> dict[str, Any]:
    folder, _, name = file_name_of(spec.model_id).partition("/")
    schema: dict[str, Any] = json.loads((MODELS_FOLDER / folder / name).read_text(encoding="utf-8"))["input_schema"]
    return schema


@cache
def validator(spec: ModelSpec) -> jsonschema.Draft202012Validator:
    text = json.dumps(published(spec)).replace('"float"', '"number"')
    return jsonschema.Draft202012Validator({**json.loads(text), "additionalProperties": False})


def body_of(spec: ModelSpec, values: Mapping[str, object], counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the body of a run, as it is posted; what its sockets bring is a data URI."""
    arguments: Arguments = check(spec, Given(values, counts))
    files = {each.name: [FILE] * sum(counts.get(one.name, 0) for one in each.sockets) for each in spec.fields}
    body: dict[str, Any] = json.loads(json.dumps(arguments.body(files)))
    return body


def least(spec: ModelSpec) -> tuple[dict[str, object], dict[str, int]]:
    """Return the least that a run needs: its required texts and files, and what its conditions ask for."""
    values: dict[str, object] = {}
    counts: dict[str, int] = {}
    for each in spec.fields:
        needed = each.required or any(each.name == one.any_of[0] for one in spec.conditions if one.any_of)
        if needed and each.sockets:
            counts |= {one.name: 1 for one in each.sockets[:1]}
        elif needed and each.inputs[0].type == "STRING":
            values[each.name] = "x"
    return values, counts


def test_all_that_is_known_in_full_is_here() -> None:
    assert len(MODELS) == 98
    assert {spec.output.medium for spec in MODELS} == {"image", "video", "audio"}


@models
def test_a_run_with_the_defaults_is_valid_and_sends_nothing_that_is_unset(spec: ModelSpec) -> None:
    values, counts = least(spec)
    body = body_of(spec, values, counts)
    validator(spec).validate(body)
    for name, value in body.items():
        prop = published(spec)["properties"][name]
        given_here = name in values or isinstance(value, list) or value == FILE
        assert given_here or value == prop.get("default"), f"{name} was not set, and its default is not this"


@models
def test_a_run_of_the_nodes_own_defaults_is_the_same_run(spec: ModelSpec) -> None:
    """What the page sends is the value of every widget."""
    values, counts = least(spec)
    shown = {one.name: one.options["default"] for one in widgets(spec.inputs)}
    assert body_of(spec, {**shown, **values}, counts) == body_of(spec, values, counts)


@models
def test_every_required_property_that_is_missing_is_refused(spec: ModelSpec) -> None:
    values, counts = least(spec)
    needed = [each for each in spec.fields if each.required and not has_default(each)]
    assert needed or not published(spec)["required"]
    for each in needed:
        names = {one.name for one in each.inputs}
        with pytest.raises(InvalidInput) as refused:
            check(spec, Given(without(values, names), without(counts, names)))
        assert refused.value.field in names


def has_default(each: Field) -> bool:
    return not each.sockets and each.inputs[0].type != "STRING"


def without(found: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def widgets(inputs: Sequence[Widget | Socket]) -> list[Widget]:
    return [one for one in inputs if isinstance(one, Widget)]


def edges(one: Widget) -> Sequence[object]:
    """Return the values at the edges of what a widget allows."""
    if isinstance(one.type, tuple):
        return one.type
    match one.type:
        case "BOOLEAN":
            return (False, True)
        case "INT" | "FLOAT":
            low, high = one.options["min"], one.options["max"]
            assert isinstance(low, int | float) and isinstance(high, int | float)
            middle = (low + high) // 2 if one.type == "INT" else (low + high) / 2
            beyond = (2**40,) if "control_after_generate" in one.options else ()
            return (low, high, middle, *beyond)
    return ("x", "x" * 500, "two\nlines", '\U0001f98a {} "\\')


@st.composite
def runs(draw: st.DrawFn, spec: ModelSpec) -> tuple[dict[str, object], dict[str, int]]:
    """A run that sets some properties to their edges."""
    values, counts = least(spec)
    for each in spec.fields:
        if not draw(st.booleans()):
            continue
        if not each.sockets:
            values |= {one.name: draw(st.sampled_from(edges(one))) for one in widgets(each.inputs)}
            continue
        used = draw(st.integers(0, len(each.sockets)))
        more = draw(st.integers(0, len(each.sockets) - used))
        counts |= {one.name: int(place < used) for place, one in enumerate(each.sockets)}
        values[each.inputs[-1].name] = "\n".join(URL.format(number=number) for number in range(more))
    return values, counts


@models
def test_every_run_is_valid_by_the_published_schema_or_refused(spec: ModelSpec) -> None:
    sent: list[dict[str, Any]] = []

    @settings(max_examples=20)
    @given(runs(spec))
    def each_run(run: tuple[dict[str, object], dict[str, int]]) -> None:
        try:
            body = body_of(spec, *run)
        except InvalidInput as refused:
            assert refused.failure.kind in REFUSALS
            return
        validator(spec).validate(body)
        sent.append(body)

    each_run()
    assert len(sent) > 3, "not all are refused"


@models
def test_its_names_follow_from_its_id_and_are_its_own(spec: ModelSpec) -> None:
    if not spec.command:
        assert spec.node_id == node_id_of(spec.model_id)
        assert spec.category.startswith(f"RunComfy/{spec.output.medium.capitalize()}/")
        assert not spec.node_id.endswith(VENDORS)
    assert all(one.stem and one.medium for one in spec.inputs if isinstance(one, Socket))


@models
def test_a_seed_is_known_by_its_role_and_a_new_take_is_always_possible(spec: ModelSpec) -> None:
    seeds = [one for one in widgets(spec.inputs) if one.name in ("seed", "rerun_seed")]
    assert len(seeds) == 1
    assert seeds[0].options["max"] == INT32_MAX


def test_files_are_what_the_tool_makes_of_their_schemas() -> None:
    """The two models that were first have names of their own."""
    conditions = json.loads(CONDITIONS.read_text(encoding="utf-8"))
    assert conditions.keys() <= {spec.model_id for spec in MODELS}
    for spec in MODELS:
        if spec.command:
            continue
        path = MODELS_FOLDER / file_name_of(spec.model_id)
        found = json.loads(path.read_text(encoding="utf-8"))
        entry = {**found, "categories": [f"to-{spec.output.medium}"], "display_name": "", "description": ""}
        made = model_document(entry, found["read_on"], conditions.get(spec.model_id, ()))
        assert {key: found[key] for key in made} == made, path


def test_no_two_files_would_be_one(tmp_path: Path) -> None:
    assert len({tmp_path / file_name_of(spec.model_id).casefold() for spec in MODELS}) == len(MODELS)
