"""Loads ``models/*/*.json``: the data that makes the nodes.

At the host's start only ``models.json`` is read, an index of them that is generated; a file when its inputs are
first asked for.

A file of the pack that is wrong stops everything, so that no release has one. Those that a person added are read by
``app/catalogue``, which leaves a wrong one out.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from .document import JSON, Document, SchemaError
from .model import ModelSpec
from .parse import head_of, indexed_model, parse_model

MODELS_FOLDER = Path(__file__).resolve().parents[2] / "models"
INDEX = MODELS_FOLDER.with_suffix(".json")
MAX_FILE_BYTES = 2**18
_NAMES = ("node_id", "command", "model_id")


@cache
def load_models() -> tuple[ModelSpec, ...]:
    """Return the pack's models, in the order of their files. Of each, the inputs are read when first asked for."""
    heads: list[dict[str, Any]] = json.loads(INDEX.read_text(encoding="utf-8"))
    return tuple(indexed(MODELS_FOLDER, head.pop("file"), head) for head in heads)


def index_of(folder: Path) -> list[dict[str, JSON]]:
    """Return the index of a folder of models: the head of each file, and its place in the folder."""
    return [
        {"file": path.relative_to(folder).as_posix(), **head_of(json.loads(path.read_text(encoding="utf-8")))}
        for path in sorted(folder.rglob("*.json"))
    ]


def read_models(folder: Path) -> tuple[ModelSpec, ...]:
    """Read every model file of ``folder`` and the folders in it, in the order of the paths.

    Raises:
        SchemaError: ``file: /pointer: what is wrong``; also when two models share a name.
    """
    taken: set[tuple[str, str]] = set()
    models = tuple(_read_model(path, taken) for path in sorted(folder.rglob("*.json")))
    if not models:
        raise SchemaError(f"{folder}: no model files")
    return models


def read_model(path: Path) -> ModelSpec:
    """Read one model file.

    Raises:
        SchemaError: ``file: /pointer: what is wrong``.
    """
    try:
        return parse_model(read_json(path))
    except (OSError, ValueError, RecursionError, SchemaError) as error:
        raise SchemaError(f"{path.name}: {error}") from error


def indexed(folder: Path, file: str, head: dict[str, Any]) -> ModelSpec:
    """Return the model of a file that has been read before; its inputs are read when they are first asked for."""
    return indexed_model(head, cache(lambda: Document(read_json(folder / file))))


def read_json(path: Path) -> JSON:
    """Read the JSON value of one model file.

    Raises:
        SchemaError: it is too large, or a key stands twice. OSError, ValueError, RecursionError: it cannot be read.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SchemaError(f"more than {MAX_FILE_BYTES} bytes")
    found: JSON = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    return found


def _read_model(path: Path, taken: set[tuple[str, str]]) -> ModelSpec:
    """Read a model file whose names are not taken, and take them."""
    model = read_model(path)
    names = _names_of(model)
    for key, name in names:
        if (key, name) in taken:
            raise SchemaError(f"{path.name}: two model files have the {key} {name!r}")
    taken.update(names)
    return model


def _names_of(model: ModelSpec) -> list[tuple[str, str]]:
    # Without regard to case: the host finds help by the name of a file.
    names = ((key, getattr(model, key).casefold()) for key in _NAMES)
    return [(key, name) for key, name in names if name]


def _without_doubles(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SchemaError("a key stands twice in one object")
    return found
