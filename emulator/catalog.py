"""The models on offer, read from data files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "nodes" / "models"
MADE_UP_PRICE = 0.10
"""USD an image: the emulator's own round number, not the vendor's price."""


@dataclass(frozen=True)
class Model:
    """One model: its names, its input schema as published, its kind of output, and its properties by role."""

    model_id: str
    display_name: str
    description: str
    input_schema: dict[str, Any]
    output: str = "image"
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> list[str]:
        """The properties that hold images, in the schema's order."""
        return [name for name, prop in self.input_schema.get("properties", {}).items() if holds_images(prop)]

    @property
    def category(self) -> str:
        return f"{'image' if self.images else 'text'}-to-{self.output}"


def holds_images(prop: dict[str, Any]) -> bool:
    """Whether a property holds the address of an image, or a list of such: by its format, or that of its items."""
    return bool({prop.get("format"), prop.get("items", {}).get("format")} & {"image_uri", "image_uris"})


def load_models(folder: Path) -> dict[str, Model]:
    """Read every *.json of the folder. Raises: OSError, ValueError or KeyError for a file that is no model."""
    models = {}
    for path in sorted(folder.rglob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        model = Model(
            data["model_id"],
            data["display_name"],
            data["description"],
            data["input_schema"],
            output=data.get("output", "image"),
            roles=data.get("roles", {}),
        )
        models[model.model_id] = model
    return models


def entry(model: Model, price: float, *, with_schema: bool = True) -> dict[str, Any]:
    """Write a catalog entry."""
    payload: dict[str, Any] = {
        "model_id": model.model_id, "display_name": model.display_name, "description": model.description,
        "categories": [model.category], "kind": "image", "base_price_usd": price, "price_unit": "image",
        "pricing_note": "A made-up price of the emulator's.",
    }  # fmt: skip
    return payload | {"input_schema": model.input_schema} if with_schema else payload


def listing(models: dict[str, Model], prices: dict[str, float], query: dict[str, str]) -> dict[str, Any]:
    """Write the page of the catalog that search, category, kind, limit and offset ask for.

    Raises: ValueError for a limit or an offset that is no number.
    """
    words = query.get("search", "").lower().split()
    limit, offset = max(0, int(query.get("limit", "50"))), max(0, int(query.get("offset", "0")))
    found = [
        model
        for model in models.values()
        if all(word in f"{model.model_id} {model.display_name} {model.description}".lower() for word in words)
        and query.get("category", model.category) == model.category
        and query.get("kind", "image") == "image"
    ]
    with_schema = query.get("include_schema") == "true"
    page = [
        entry(model, prices[model.model_id], with_schema=with_schema) for model in found[offset : offset + limit]
    ]
    return {"models": page, "total": len(found), "limit": limit, "offset": offset}
