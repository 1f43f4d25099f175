"""Models of the emulator's catalogue that a test makes up, and changes that its provider makes to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator import Emulator
from emulator.catalog import Model

PRICE = 0.05


def schema(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def text(**more: Any) -> dict[str, Any]:
    return {"type": "string", **more}


def integer(low: int, high: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def one_of(*choices: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(choices), "default": choices[0]}


IMAGE = {"type": "string", "format": "image_uri"}
IMAGES = {"type": "array", "items": IMAGE, "minItems": 1, "maxItems": 4}


def offer(api: Emulator, model_id: str, published: dict[str, Any], output: str = "image") -> str:
    """Let the API have a model, or have it as it is now."""
    roles = {"prompt": "prompt"} if "prompt" in published["properties"] else {}
    model = Model(model_id, model_id.split("/")[1].title(), "Draws. And more.", published, output, roles, PRICE)
    known = api.models.get(model_id)
    made = replace(known, input_schema=published) if known else model
    api.models = {**api.models, model_id: made}
    api.prices = {**api.prices, model_id: api.prices.get(model_id, PRICE)}
    return model_id


def withdraw(api: Emulator, model_id: str) -> None:
    api.models = {name: model for name, model in api.models.items() if name != model_id}
