"""The models on offer, read from data files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "nodes" / "models"
MADE_UP_PRICE = 0.10
"""USD an output, or a second of one: the emulator's own round number, not the vendor's price."""

MEDIA = ("image", "video", "audio")
# What a property is for where a file has no roles: the first of these names that a schema has.
_USUAL_ROLES = {
    "prompt": ("prompt", "text", "tags"),
    "count": ("num_images", "number_of_images", "max_images", "n"),
    "size": ("resolution", "image_size", "size"),
    "shape": ("aspect_ratio", "ratio"),
    "duration": ("duration",),
    "seed": ("seed",),
    "format": ("output_format",),
}


@dataclass(frozen=True)
class Model:
    """One model: its names, its input schema as published, its kind of output, and its properties by role."""

    model_id: str
    display_name: str
    description: str
    input_schema: dict[str, Any]
    output: str = "image"
    roles: dict[str, str] = field(default_factory=dict)
    base_price: float = MADE_UP_PRICE

    def properties_of(self, medium: str) -> list[str]:
        """The properties that hold files of a medium, in the schema's order."""
        return [name for name, prop in self._properties() if medium_of(prop) == medium]

    @property
    def unit(self) -> str:
        """What the price is for."""
        return "second" if self.output == "video" else "output"

    @property
    def category(self) -> str:
        given = (medium_of(prop) for _, prop in self._properties())
        return f"{next(filter(None, given), 'text')}-to-{self.output}"

    def _properties(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.input_schema.get("properties", {}).items()


def medium_of(prop: dict[str, Any]) -> str:
    """Return what a property holds the address of, or a list of such; '' where it holds none.

    The format tells, which may stand on the property, on its items, or on both.
    """
    formats = {prop.get("format"), prop.get("items", {}).get("format")}
    return next((medium for medium in MEDIA if formats & {f"{medium}_uri", f"{medium}_uris"}), "")


def load_models(path: Path) -> dict[str, Model]:
    """Read a file, or every *.json of a folder: model files of the pack, entries of the catalogue, or a page of it.

    Raises: ValueError that says what is wrong; OSError.
    """
    paths = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found = [model for one in paths for model in _read(json.loads(one.read_text(encoding="utf-8")))]
    if not found:
        raise ValueError("there is no model in it")
    return {model.model_id: model for model in found}


def _read(document: Any) -> Iterator[Model]:
    if isinstance(document, dict) and "model_id" in document:
        if document.get("complete", True):
            yield _model(document)
        return
    entries = document.get("models") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise ValueError('neither a model, nor {"models": [entry, ...]}, nor a list of entries')
    if not all("model_id" in one for one in entries):
        raise ValueError("an entry has no model_id")
    for one in entries:
        yield from _read(one)


def _model(data: dict[str, Any]) -> Model:
    model_id, schema = data["model_id"], data.get("input_schema")
    if not isinstance(schema, dict) or not isinstance(names := schema.get("properties"), dict):
        raise ValueError(f"{model_id} has no input_schema with properties: ask with include_schema=true")
    usual = {role: next((name for name in known if name in names), "") for role, known in _USUAL_ROLES.items()}
    output = data.get("output") or "-".join(data.get("categories", [])).rpartition("-")[2]
    return Model(
        model_id,
        data.get("display_name", model_id),
        data.get("description", ""),
        schema,
        output=output if output in MEDIA else "image",
        roles=data.get("roles", {role: name for role, name in usual.items() if name}),
        base_price=_price(model_id, data.get("base_price_usd", MADE_UP_PRICE)),
    )


def _price(model_id: str, usd: Any) -> float:
    if isinstance(usd, bool) or not isinstance(usd, int | float) or usd < 0:
        raise ValueError(f"{model_id} has a base_price_usd that is not a number of 0 or more")
    return float(usd)


def entry(model: Model, price: float, *, with_schema: bool = True) -> dict[str, Any]:
    """Write a catalog entry. Its schema is alphabetical and without titles, as the live catalog has it."""
    payload: dict[str, Any] = {
        "model_id": model.model_id, "display_name": model.display_name, "description": model.description,
        "categories": [model.category], "kind": "model", "base_price_usd": price, "price_unit": model.unit,
        "pricing_note": "A made-up price of the emulator's.",
    }  # fmt: skip
    return payload | {"input_schema": _published(model.input_schema)} if with_schema else payload


def listing(models: dict[str, Model], prices: dict[str, float], query: dict[str, str]) -> dict[str, Any]:
    """Write the page of the catalog that search, category, kind, limit and offset ask for, by the models' ids.

    Raises: ValueError for a limit or an offset that is no number.
    """
    words = query.get("search", "").lower().split()
    limit, offset = max(0, int(query.get("limit", "50"))), max(0, int(query.get("offset", "0")))
    found = [
        model
        for _, model in sorted(models.items())
        if all(word in f"{model.model_id} {model.display_name} {model.description}".lower() for word in words)
        and query.get("category", model.category) == model.category
        and query.get("kind", "model") == "model"
    ]
    with_schema = query.get("include_schema") == "true"
    page = [
        entry(model, prices[model.model_id], with_schema=with_schema) for model in found[offset : offset + limit]
    ]
    return {"models": page, "total": len(found), "limit": limit, "offset": offset}


def categories(models: dict[str, Model]) -> dict[str, Any]:
    """Write the categories that there are."""
    return {"categories": sorted({model.category for model in models.values()})}


def _published(schema: Any, *, names: bool = False) -> Any:
    """Sort the keys of a schema and leave titles out; with ``names``, the keys are those of properties."""
    if isinstance(schema, list):
        return schema
    if not isinstance(schema, dict):
        return schema
    return {
        key: _published(schema[key], names=key == "properties" and not names)
        for key in sorted(schema)
        if names or key != "title"
    }
