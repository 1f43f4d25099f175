"""Made-up model files, as a maker of one would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodes.core.schema.document import schema_hash

IMAGES = {"type": "array", "items": {"type": "string", "format": "image_uri"}, "minItems": 1, "maxItems": 3}


def model_file(name: str = "task", *, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return a model file with these properties; the first integer that is called so is its seed."""
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {
        "model_id": f"vendor/model/{name}",
        "node_id": f"RunComfyModel{name.capitalize()}",
        "command": name,
        "display_name": f"{name.capitalize()} (RunComfy)",
        "category": "RunComfy/Image",
        "description": "Does a task.",
        "search_aliases": ["one", "two"],
        "output": "image",
        "limits": {"image_bytes": 10, "request_bytes": 20},
        "roles": {role: role for role in ("prompt", "seed") if role in properties},
        "order": list(properties),
        "schema_sha256": schema_hash(schema),
        "read_on": "2026-11-21",
        "input_schema": schema,
    }


def write_models(folder: Path, **files: Any) -> Path:
    """Write files as ``name.json``: a text as it is, anything else as JSON."""
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder
