"""Writes what follows from the model files: texts that the host reads only as files, and contracts of new nodes.

``python -m tools.generate`` writes ``nodes/models.json``, the index of the models, ``locales/*/nodeDefs.json``, and
``tests/contract/*.json`` where there is none.
A contract that is there is never written again: the node's saved workflows rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from nodes.comfyui.collect import COLLECT
from nodes.comfyui.factory import node_class
from nodes.comfyui.prompts import PROMPTS
from nodes.comfyui.runtime import ComfyHost
from nodes.comfyui.saving.node import SAVE
from nodes.core.docs.glossary import LOCALES, languages
from nodes.core.docs.node_texts import NodeTexts
from nodes.core.schema.model import ModelSpec, NodeSpec
from nodes.core.schema.registry import INDEX, MODELS_FOLDER, index_of, read_models

from .contract import contract, written

CONTRACTS = Path(__file__).resolve().parents[1] / "tests" / "contract"


def main() -> None:
    """Write every file that is missing or stale, and name it."""
    models = read_models(MODELS_FOLDER)
    nodes = (*models, COLLECT, SAVE, PROMPTS)
    for path, text in (index(), *node_definitions(nodes), *new_contracts(models, CONTRACTS)):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path)


def index() -> tuple[Path, str]:
    """Return the index of the models, a line for each, with its place."""
    lines = (json.dumps(head, ensure_ascii=False) for head in index_of(MODELS_FOLDER))
    return INDEX, "[\n" + ",\n".join(lines) + "\n]\n"


def node_definitions(nodes: Iterable[NodeSpec], locales: Path = LOCALES) -> Iterator[tuple[Path, str]]:
    """Return the host's ``nodeDefs.json`` of each language, with its place."""
    nodes = tuple(nodes)
    for language in languages():
        texts = {node.node_id: NodeTexts(node, language).node_definition() for node in nodes}
        yield locales / language / "nodeDefs.json", json.dumps(texts, ensure_ascii=False, indent=2) + "\n"


def new_contracts(models: Iterable[ModelSpec], folder: Path) -> Iterator[tuple[Path, str]]:
    """Return the contract of each model that has none in the folder yet, with its place."""
    for model in models:
        path = folder / f"{model.node_id}.json"
        if not path.exists():
            yield path, written(contract(node_class(model, ComfyHost()), model.display_name))


if __name__ == "__main__":
    main()
