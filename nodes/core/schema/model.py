"""A model's published JSON Schema as typed fields. Parsing is strict: what is not understood is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

INT32_MAX = 2**31 - 1
RERUN_SEED = "rerun_seed"


class SchemaError(Exception):
    """A model file cannot be used. The message begins with the JSON pointer of the fault."""


@dataclass(frozen=True)
class Text:
    """A string. ``sample`` is the schema's example for a required one; it is shown and never sent."""

    default: str = ""
    sample: str = ""
    multiline: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several strings."""

    choices: tuple[str, ...]
    default: str


@dataclass(frozen=True)
class Integer:
    """A whole number, both bounds included."""

    minimum: int
    maximum: int
    default: int


@dataclass(frozen=True)
class Seed:
    """A seed in 0..2**31-1. Larger ones that arrive over a link are folded into this range."""

    default: int = 0


@dataclass(frozen=True)
class Boolean:
    """True or false."""

    default: bool


@dataclass(frozen=True)
class Images:
    """``minimum``..``maximum`` reference images: sockets ``image_1``.. and URLs by line."""

    minimum: int
    maximum: int
    sample: tuple[str, ...] = ()

    @property
    def sockets(self) -> tuple[str, ...]:
        """The names of the sockets, in the order in which their images are sent."""
        return tuple(f"image_{number}" for number in range(1, self.maximum + 1))


Kind: TypeAlias = Text | Choice | Integer | Seed | Boolean | Images


@dataclass(frozen=True)
class Field:
    """One property of the input schema. ``note`` is the pack's own addition to its description."""

    name: str
    title: str
    description: str
    required: bool
    note: str
    kind: Kind

    @property
    def explanation(self) -> str:
        """The schema's description and the pack's note; the title where there is neither."""
        if not self.description or not self.note:
            return self.description or self.note or f"{self.title}."
        return f"{self.description}{'' if self.description.endswith('.') else '.'} {self.note}"


@dataclass(frozen=True)
class Limits:
    """What one request may hold: bytes of one encoded image, and of the whole JSON body."""

    image_bytes: int
    request_bytes: int


@dataclass(frozen=True)
class ModelSpec:
    """One model: its id at the API, its names here, and its inputs in the schema's order."""

    model_id: str
    node_id: str
    command: str
    display_name: str
    category: str
    description: str
    search_aliases: tuple[str, ...]
    limits: Limits
    fields: tuple[Field, ...]

    @property
    def images(self) -> Images | None:
        """The kind of the field that takes reference images, if the model has one."""
        return next((field.kind for field in self.fields if isinstance(field.kind, Images)), None)

    @property
    def has_seed(self) -> bool:
        """Whether a new take is asked for with the model's own seed."""
        return any(isinstance(field.kind, Seed) for field in self.fields)


def parse_model(document: JSON) -> ModelSpec:
    """Read one file of ``models/``.

    Raises:
        SchemaError: a key is missing, unknown or of the wrong type, or the schema has a construct
            that no widget stands for. The message begins with a JSON pointer.
    """
    model = _object(document, "")
    _known_keys(
        model,
        "",
        "model_id node_id command display_name category description search_aliases limits notes input_schema",
    )
    limits = _object(_take(model, "limits", ""), "/limits")
    _known_keys(limits, "/limits", "image_bytes request_bytes")
    spec = ModelSpec(
        model_id=_text(model, "model_id", ""),
        node_id=_text(model, "node_id", ""),
        command=_text(model, "command", ""),
        display_name=_text(model, "display_name", ""),
        category=_text(model, "category", ""),
        description=_text(model, "description", ""),
        search_aliases=_texts(_take(model, "search_aliases", ""), "/search_aliases"),
        limits=Limits(
            _integer(limits, "image_bytes", "/limits", low=1),
            _integer(limits, "request_bytes", "/limits", low=1),
        ),
        fields=_fields(model),
    )
    if sum(isinstance(field.kind, Images) for field in spec.fields) > 1:
        raise SchemaError("/input_schema/properties: more than one array of images")
    return spec


def _fields(model: Mapping[str, JSON]) -> tuple[Field, ...]:
    schema = _object(_take(model, "input_schema", ""), "/input_schema")
    _known_keys(schema, "/input_schema", "type title description required properties")
    properties = _object(_take(schema, "properties", "/input_schema"), "/input_schema/properties")
    notes = _object(model.get("notes", {}), "/notes")
    required = _texts(schema.get("required", []), "/input_schema/required")
    for name in (*required, *notes):
        if name not in properties:
            raise SchemaError(f"/input_schema/properties: no property {name!r}")
    return tuple(
        _field(name, _object(value, pointer), pointer, name in required, _text(notes, name, "/notes", ""))
        for name, value in properties.items()
        for pointer in [f"/input_schema/properties/{name}"]
    )


def _field(name: str, prop: Mapping[str, JSON], at: str, required: bool, note: str) -> Field:
    _known_keys(prop, at, "title description type default enum minimum maximum items minItems maxItems")
    return Field(
        name=name,
        title=_text(prop, "title", at, name),
        description=_text(prop, "description", at, ""),
        required=required,
        note=note,
        kind=_kind(name, prop, at, required),
    )


def _kind(name: str, prop: Mapping[str, JSON], at: str, required: bool) -> Kind:
    match prop.get("type"):
        case "array":
            return _images(prop, at)
        case "boolean":
            return _boolean(prop, at)
        case "string" if "enum" in prop:
            return _choice(prop, at)
        case "string":
            return _string(name, prop, at, required)
        case "integer" if name == "seed":
            return Seed(_integer(prop, "default", at, 0, low=0, high=INT32_MAX))
        case "integer":
            low, high = _bounds(prop, at)
            return Integer(low, high, _integer(prop, "default", at, low, low=low, high=high))
        case other:
            raise SchemaError(f"{at}/type: no widget stands for {other!r}")


def _boolean(prop: Mapping[str, JSON], at: str) -> Boolean:
    default = prop.get("default", False)
    if not isinstance(default, bool):
        raise SchemaError(f"{at}/default: not a boolean")
    return Boolean(default)


def _choice(prop: Mapping[str, JSON], at: str) -> Choice:
    choices = _texts(prop["enum"], f"{at}/enum")
    default = prop.get("default", choices[0] if choices else None)
    if not isinstance(default, str) or default not in choices:
        raise SchemaError(f"{at}/default: not one of the enum")
    return Choice(choices, default)


def _string(name: str, prop: Mapping[str, JSON], at: str, required: bool) -> Text:
    # The default of a required string is a sample prompt, not a value to bill a user for.
    given = _text(prop, "default", at, "")
    multiline = name == "prompt" or name.endswith("_prompt")
    if required:
        return Text(sample=given, multiline=multiline)
    return Text(default=given, multiline=multiline)


def _images(prop: Mapping[str, JSON], at: str) -> Images:
    items = _object(_take(prop, "items", at), f"{at}/items")
    if items.get("type") != "string" or items.get("format") != "image_uri":
        raise SchemaError(f"{at}/items: only arrays of image_uri strings have sockets")
    low = _integer(prop, "minItems", at, 0, low=0)
    high = _integer(prop, "maxItems", at, low=max(low, 1))
    return Images(low, high, _texts(prop.get("default", []), f"{at}/default"))


def _bounds(prop: Mapping[str, JSON], at: str) -> tuple[int, int]:
    if "enum" not in prop:
        low = _integer(prop, "minimum", at)
        return low, _integer(prop, "maximum", at, low=low)
    values = prop["enum"]
    if not isinstance(values, list) or not values or any(type(value) is not int for value in values):
        raise SchemaError(f"{at}/enum: not a list of integers")
    if sorted(values) != list(range(min(values), max(values) + 1)):
        raise SchemaError(f"{at}/enum: an integer enum with gaps has no widget")
    return min(values), max(values)


def _object(value: JSON, at: str) -> Mapping[str, JSON]:
    if not isinstance(value, Mapping):
        raise SchemaError(f"{at or '/'}: not an object")
    return value


def _known_keys(value: Mapping[str, JSON], at: str, known: str) -> None:
    for key in value:
        if key not in known.split():
            raise SchemaError(f"{at}/{key}: not understood")


def _take(value: Mapping[str, JSON], key: str, at: str) -> JSON:
    if key not in value:
        raise SchemaError(f"{at}/{key}: missing")
    return value[key]


def _text(value: Mapping[str, JSON], key: str, at: str, default: str | None = None) -> str:
    found = value.get(key, default) if default is not None else _take(value, key, at)
    if not isinstance(found, str):
        raise SchemaError(f"{at}/{key}: not a string")
    return found


def _texts(value: JSON, at: str) -> tuple[str, ...]:
    texts = tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(texts) != len(value) or len(set(texts)) != len(texts):
        raise SchemaError(f"{at}: not a list of different strings")
    return texts


def _integer(
    value: Mapping[str, JSON],
    key: str,
    at: str,
    default: int | None = None,
    *,
    low: int | None = None,
    high: int | None = None,
) -> int:
    found = value.get(key, default) if default is not None else _take(value, key, at)
    if type(found) is not int:
        raise SchemaError(f"{at}/{key}: not an integer")
    if (low is not None and found < low) or (high is not None and found > high):
        raise SchemaError(f"{at}/{key}: out of range")
    return found
