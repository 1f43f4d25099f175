"""Loads ``models/*.json``: the data that makes the nodes. Fails loudly, naming the file and the place in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from .model import ModelSpec, SchemaError, parse_model

MODELS_FOLDER = Path(__file__).resolve().parents[2] / "models"


@lru_cache
def load_models(folder: Path = MODELS_FOLDER) -> tuple[ModelSpec, ...]:
    """Read every model file of ``folder``, in the order of the file names.

    Raises:
        SchemaError: ``file: /pointer: what is wrong``; also when two models share a name.
    """
    models = tuple(_load(path) for path in sorted(folder.glob("*.json")))
    if not models:
        raise SchemaError(f"{folder}: no model files")
    _require_unique("node_id", (model.node_id for model in models))
    _require_unique("command", (model.command for model in models))
    _require_unique("model_id", (model.model_id for model in models))
    return models


def _load(path: Path) -> ModelSpec:
    try:
        return parse_model(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, SchemaError) as error:
        raise SchemaError(f"{path.name}: {error}") from error


def _require_unique(key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise SchemaError(f"two model files have the {key} {value!r}")
        seen.add(value)
