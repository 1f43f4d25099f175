"""A model file -> ``ModelSpec``. Strict: what is not understood is an error that names its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .conditions import read_conditions
from .document import JSON, Document, SchemaError
from .kind import Field, Property
from .kinds import kind_of
from .media import MASK_ROLES
from .model import Limits, ModelSpec
from .names import CATEGORY, MAX_ID, MODEL_ID, NODE_ID, is_command, is_property
from .outputs import is_output

ROLES = (
    *("prompt", "count", "size", "width", "height", "shape", "duration", "duration_ms"),
    *("seed", "references", *MASK_ROLES, "format", "inline"),
)
"""What a property is for, wherever code has to know: how many files, how large, in which proportions, how long in
seconds or milliseconds, of which make, and whether they come inside the answer. A ``mask`` is an image, white
where the host's mask is 1.0; an ``inverted_mask`` is black there."""

_KEYS = """model_id node_id command display_name category description search_aliases output limits roles order prose
    rare conditions notes schema_sha256 read_on input_schema"""
_HEAD = (
    *("model_id", "node_id", "command", "display_name", "category", "description", "search_aliases", "output"),
    *("limits", "schema_sha256", "read_on"),
)
_HASH = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MAX_FIELDS = 64
_MAX_LINE = 400
_MAX_BYTES = 2**30


def parse_model(document: JSON) -> ModelSpec:
    """Read one file of ``models/``.

    Raises:
        SchemaError: a key is missing, unknown, of the wrong type or too large, a name is not allowed, or the schema
            has a construct that no widget stands for. The message begins with a JSON pointer.
    """
    model = Document(document)
    model.only(_KEYS)
    limits = model.object("limits")
    limits.only("image_bytes request_bytes video_bytes audio_bytes")
    output = model.text("output")
    if not is_output(output):
        raise model.fault("output", f"there is no kind of output {output!r:.40}")
    spec = ModelSpec(
        model_id=_matching(model, "model_id", MODEL_ID),
        node_id=_matching(model, "node_id", NODE_ID),
        command=_command(model),
        display_name=_line(model, "display_name"),
        category=_matching(model, "category", CATEGORY),
        description=_line(model, "description"),
        search_aliases=model.texts("search_aliases"),
        output_kind=output,
        limits=Limits(
            limits.integer("image_bytes", low=1, high=_MAX_BYTES),
            limits.integer("request_bytes", low=1, high=_MAX_BYTES),
            limits.integer("video_bytes", Limits.video_bytes, low=1, high=_MAX_BYTES),
            limits.integer("audio_bytes", Limits.audio_bytes, low=1, high=_MAX_BYTES),
        ),
        schema_sha256=_matching(model, "schema_sha256", _HASH),
        read_on=_matching(model, "read_on", _DAY),
        read_fields=partial(_fields, model),
        read_conditions=partial(read_conditions, model),
        read_schema=partial(model.get, "input_schema"),
    )
    _require_known(model, spec)
    _require_different("inputs", [one.name for one in spec.inputs])
    _require_different("flags", [flag.name for flag in spec.flags])
    return spec


def head_of(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what of a model file has to be known before its inputs are asked for."""
    return {key: document[key] for key in _HEAD if key in document}


def indexed_model(head: Mapping[str, Any], read: Callable[[], Document]) -> ModelSpec:
    """Return the model that has a head, as ``head_of`` made it of a file that ``parse_model`` has read before.

    ``read`` returns the document, and is called when the inputs are first asked for.
    """
    known = {key: value for key, value in head.items() if key not in ("search_aliases", "output", "limits")}
    return ModelSpec(
        **{"command": "", **known},
        search_aliases=tuple(head["search_aliases"]),
        output_kind=head["output"],
        limits=Limits(**head["limits"]),
        read_fields=lambda: _fields(read()),
        read_conditions=lambda: read_conditions(read()),
        read_schema=lambda: read().get("input_schema"),
    )


def _fields(model: Document) -> tuple[Field, ...]:
    schema = model.object("input_schema")
    schema.only("type title description required properties")
    properties = schema.object("properties")
    for name in properties:
        if not is_property(name):
            raise properties.fault(name, "no input can be called so")
    if len(list(properties)) > _MAX_FIELDS:
        raise schema.fault("properties", f"more than {_MAX_FIELDS}")
    required = schema.texts("required", ())
    notes = model.object("notes", {})
    prose, rare = model.texts("prose", ()), model.texts("rare", ())
    roles = _roles(model)
    for name in (*required, *notes, *prose, *rare, *roles):
        if name not in properties:
            raise schema.fault("properties", f"no property {name!r:.80}")
    order = model.texts("order")
    if set(order) != set(properties):
        raise model.fault("order", "not the names of all properties")
    return tuple(
        _field(
            Property(name, _stated(properties.object(name)), name in required, roles.get(name, ""), name in prose),
            notes.text(name, "", _MAX_LINE),
            rare=name in rare,
        )
        for name in order
    )


def _stated(schema: Document) -> Document:
    """Return a property without a default of null, which says that there is none."""
    said = {key: schema.get(key) for key in schema}
    return Document({key: value for key, value in said.items() if key != "default" or value is not None}, schema.at)


def _field(prop: Property, note: str, *, rare: bool) -> Field:
    return Field(
        name=prop.name,
        kind=kind_of(prop),
        required=prop.required,
        role=prop.role,
        title=_shown(prop.schema.text("title", "", _MAX_LINE)),
        description=_shown(prop.schema.text("description", "")),
        note=note,
        rare=rare,
    )


def _shown(text: str) -> str:
    """Return a published text without what a terminal would obey: help is printed as well."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _roles(model: Document) -> Mapping[str, str]:
    """Return the role of each property that has one."""
    roles = model.object("roles")
    roles.only(" ".join(ROLES))
    names = {roles.text(role): role for role in roles}
    if len(names) != len(list(roles)):
        raise model.fault("roles", "a property has two of them")
    return names


def _matching(model: Document, key: str, pattern: re.Pattern[str]) -> str:
    found = model.text(key, most=MAX_ID)
    if not pattern.fullmatch(found):
        raise model.fault(key, f"{found!r} is not allowed")
    return found


def _command(model: Document) -> str:
    if "command" not in model:
        return ""
    command = model.text("command")
    if not is_command(command):
        raise model.fault("command", f"{command!r:.80} is not allowed")
    return command


def _line(model: Document, key: str) -> str:
    found = model.text(key, most=_MAX_LINE)
    if not found.strip() or not found.isprintable():
        raise model.fault(key, "not a line of text")
    return found


def _require_known(model: Document, spec: ModelSpec) -> None:
    """Refuse a condition on a property that is not there, or that has no input."""
    known = {each.name for each in spec.fields if each.inputs}
    unknown = sorted(name for one in spec.conditions for name in one.names - known)
    if unknown:
        raise model.fault("conditions", f"no input {unknown[0]!r:.80}")


def _require_different(what: str, names: list[str]) -> None:
    """Refuse two inputs of one name, which an address or a socket may come to have."""
    doubled = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
    if doubled:
        raise SchemaError(f"/input_schema/properties: two {what} would be called {doubled[0]!r}")
