"""``python -m tools.templates`` writes ``example_workflows/*.json`` from their descriptions, and removes others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from nodes.comfyui import NODE_CLASS_MAPPINGS

from .graph import workflow
from .templates import TEMPLATES

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"


def files() -> Iterator[tuple[Path, str]]:
    """Return the text of each template, with its place."""
    specs = {name: node.SPEC for name, node in NODE_CLASS_MAPPINGS.items()}
    for template in TEMPLATES:
        yield FOLDER / f"{template.title}.json", json.dumps(workflow(template, specs), indent=2) + "\n"


def main() -> None:
    """Write every file that is missing or stale."""
    wanted = dict(files())
    for path in FOLDER.glob("*.json"):
        if path not in wanted:
            path.unlink()
            path.with_suffix(".jpg").unlink(missing_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
