"""The models on offer from one file: what ``GET /models?include_schema=true`` of the API answers, saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .catalog import DEFAULT_FOLDER, MADE_UP_PRICE, Model, load_models

_ROLES = {
    "prompt": ("prompt", "text"),
    "count": ("num_images", "num_outputs", "num_videos", "n"),
    "size": ("resolution", "size", "image_size"),
    "shape": ("aspect_ratio",),
    "seed": ("seed",),
    "format": ("output_format",),
    "inline": ("sync_mode",),
}
"""A catalogue does not say what a property is for: the usual names do."""


def offered(path: Path | None) -> tuple[dict[str, Model], dict[str, float]]:
    """Return the models of a folder of model files or of a catalogue's file, and the price of one output of each.

    Raises: ValueError that says what is wrong; OSError.
    """
    path = path or DEFAULT_FOLDER
    if path.is_dir():
        models = load_models(path)
        if not models:
            raise ValueError("there is no model in it")
        return models, dict.fromkeys(models, MADE_UP_PRICE)
    entries = _entries(json.loads(path.read_text(encoding="utf-8")))
    found = [(_model(entry), entry.get("base_price_usd")) for entry in entries]
    prices = {model.model_id: _price(model.model_id, price) for model, price in found}
    return {model.model_id: model for model, _ in found}, prices


def _entries(document: Any) -> list[dict[str, Any]]:
    entries = document.get("models") if isinstance(document, dict) else document
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError('neither {"models": [entry, ...]} nor a list of entries')
    if not entries:
        raise ValueError("there is no model in it")
    return entries


def _model(entry: dict[str, Any]) -> Model:
    model_id, schema = entry.get("model_id"), entry.get("input_schema")
    if not isinstance(model_id, str) or not model_id:
        raise ValueError("an entry has no model_id")
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise ValueError(f"{model_id} has no input_schema with properties: ask with include_schema=true")
    task = next(iter(entry.get("categories") or []), "")
    return Model(
        model_id,
        str(entry.get("display_name") or model_id),
        str(entry.get("description") or ""),
        schema,
        output=str(entry.get("output") or str(task).rpartition("-to-")[2] or "image"),
        roles=_roles(schema["properties"]),
    )


def _roles(properties: dict[str, Any]) -> dict[str, str]:
    named = {role: next((name for name in names if name in properties), "") for role, names in _ROLES.items()}
    return {role: name for role, name in named.items() if name}


def _price(model_id: str, price: Any) -> float:
    if price is None:
        return MADE_UP_PRICE
    if isinstance(price, bool) or not isinstance(price, int | float) or price < 0:
        raise ValueError(f"{model_id} has a base_price_usd that is not a number of 0 or more")
    return float(price)
