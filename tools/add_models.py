"""Makes model files of what was read from the catalogue: ``python -m tools.add_models FOLDER --read-on DATE``.

The folder holds one JSON object a model: an entry as the catalogue writes it (``categories``, ``input_schema``), or
facts about one (``output``, ``complete``). What is not complete is left out: names and order are for ever.
Conditions that stand in prose alone are written as data in ``conditions.json`` beside this file. Then run
``tools.generate``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nodes.core.schema.entry import file_name_of, model_document
from nodes.core.schema.parse import parse_model
from nodes.core.schema.registry import MODELS_FOLDER, read_models

CONDITIONS = Path(__file__).with_name("conditions.json")


def main(arguments: list[str] | None = None) -> None:
    """Write the files of models that have none, and name them."""
    parser = argparse.ArgumentParser(prog="python -m tools.add_models", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--read-on", required=True, metavar="DATE")
    options = parser.parse_args(arguments)
    for path, text in new_files(options.folder, options.read_on, MODELS_FOLDER):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    read_models(MODELS_FOLDER)


def new_files(source: Path, read_on: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Return the model files of a folder of entries that ``folder`` has not, with their places.

    Raises:
        SchemaError: an entry cannot be a model.
    """
    conditions = json.loads(CONDITIONS.read_text(encoding="utf-8"))
    for path in sorted(source.glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        place = folder / file_name_of(facts["model_id"])
        if not facts.get("complete", True) or place.exists():
            continue
        known = conditions.get(facts["model_id"], [])
        if facts.get("conditions") and not known:
            raise SystemExit(f"{facts['model_id']}: its conditions are missing in {CONDITIONS.name}")
        document = model_document(entry_of(facts), read_on, known)
        parse_model(document)
        yield place, written(document)


def entry_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of the catalogue that the facts about a model amount to."""
    return {"categories": [f"to-{facts['output']}"], **facts} if "output" in facts else dict(facts)


def written(document: Mapping[str, Any]) -> str:
    """Return the text of a model file: a line for each key, and for each property of the schema."""
    schema = document["input_schema"]
    head = {key: value for key, value in document.items() if key != "input_schema"}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    outer = [
        f"    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},"
        for key, value in schema.items()
        if key != "properties"
    ]
    inner = [
        f"      {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in schema["properties"].items()
    ]
    properties = ['    "properties": {', ",\n".join(inner), "    }"]
    return "\n".join(["{", *lines, '  "input_schema": {', *outer, *properties, "  }", "}"]) + "\n"


if __name__ == "__main__":
    main()
