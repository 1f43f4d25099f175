"""Loads ``models/*.json``: the data that makes the nodes.

A file of the pack that is wrong stops everything, so that no release has one. A file that a person added and that
is wrong is left out and told, and everything else loads.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from .document import JSON, SchemaError
from .model import ModelSpec
from .parse import parse_model

MODELS_FOLDER = Path(__file__).resolve().parents[2] / "models"
MAX_FILE_BYTES = 2**18
_NAMES = ("node_id", "command", "model_id")

log = logging.getLogger(__name__)


@cache
def load_models() -> tuple[ModelSpec, ...]:
    """Return the pack's models, in the order of their files. Of each, the inputs are read when first asked for."""
    return _read_all(MODELS_FOLDER, lazily=True)


def read_models(folder: Path) -> tuple[ModelSpec, ...]:
    """Read every model file of ``folder`` and the folders in it, in the order of the paths.

    Raises:
        SchemaError: ``file: /pointer: what is wrong``; also when two models share a name.
    """
    return _read_all(folder, lazily=False)


def read_added(paths: Iterable[Path], known: Iterable[ModelSpec]) -> tuple[list[ModelSpec], list[str]]:
    """Read model files that a person added: those that can be used, and what is wrong with the others.

    None takes a name of a ``known`` model.
    """
    taken = {name for model in known for name in _names_of(model)}
    models, problems = [], []
    for path in paths:
        try:
            models.append(_read_model(path, taken))
        except SchemaError as error:
            log.warning("A model file is left out: %s", error)
            problems.append(str(error))
    return models, problems


def _read_all(folder: Path, *, lazily: bool) -> tuple[ModelSpec, ...]:
    taken: set[tuple[str, str]] = set()
    models = tuple(_read_model(path, taken, lazily=lazily) for path in sorted(folder.rglob("*.json")))
    if not models:
        raise SchemaError(f"{folder}: no model files")
    return models


def _read_model(path: Path, taken: set[tuple[str, str]], *, lazily: bool = False) -> ModelSpec:
    """Read a model file whose names are not taken, and take them."""
    try:
        model = parse_model(_read_json(path), lazily=lazily)
    except (OSError, ValueError, RecursionError, SchemaError) as error:
        raise SchemaError(f"{path.name}: {error}") from error
    names = _names_of(model)
    for key, name in names:
        if (key, name) in taken:
            raise SchemaError(f"{path.name}: two model files have the {key} {name!r}")
    taken.update(names)
    return model


def _names_of(model: ModelSpec) -> list[tuple[str, str]]:
    # Without regard to case: the host finds help by the name of a file.
    return [(key, getattr(model, key).casefold()) for key in _NAMES]


def _read_json(path: Path) -> JSON:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SchemaError(f"more than {MAX_FILE_BYTES} bytes")
    found: JSON = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    return found


def _without_doubles(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SchemaError("a key stands twice in one object")
    return found
