"""Makes the thumbnails of the example workflows: each is run in a real ComfyUI, whose jobs go to the emulator.

COMFYUI_PATH=... COMFYUI_PYTHON=... python tests/page/thumbnails.py
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from real_comfyui.graphs import paid_elsewhere  # noqa: E402
from real_comfyui.host import Comfy, Outcome  # noqa: E402
from real_comfyui.workflows import NAMES, load, to_prompt  # noqa: E402

from emulator import Emulator  # noqa: E402
from nodes.comfyui import NODE_CLASS_MAPPINGS  # noqa: E402

SIDE = 512
INSET, EDGE, MARGIN = 128, 3, 14
QUALITY = 86
MOST_INSETS = 3


def main() -> None:
    definitions = {name: node.INPUT_TYPES() for name, node in NODE_CLASS_MAPPINGS.items()}
    with Emulator() as api, tempfile.TemporaryDirectory() as folder, Comfy(Path(folder), api) as comfy:
        example = Image.open(comfy.folder / "input" / "example.png").convert("RGB")
        for name in NAMES:
            prompt = to_prompt(load(name), definitions)
            for node in prompt.values():
                if "request_id" in node["inputs"]:
                    node["inputs"]["request_id"] = paid_elsewhere(api)
            outcome = comfy.run(prompt)
            loaded = [example for node in prompt.values() if node["class_type"] == "LoadImage"]
            seen = _of_type("PreviewImage", prompt, outcome, comfy)
            saved = _of_type("SaveImage", prompt, outcome, comfy)
            target = ROOT / "example_workflows" / f"{name}.jpg"
            thumbnail(saved, [*loaded, *seen]).save(target, quality=QUALITY)


def thumbnail(results: list[Image.Image], before: list[Image.Image]) -> Image.Image:
    """Return a square: what the graph saves, as large as it goes, and what it was made from along the top."""
    columns = 1 if len(results) == 1 else 2
    rows = -(-len(results) // columns)
    sheet = Image.new("RGB", (SIDE, SIDE))
    for number, result in enumerate(results):
        row, column = divmod(number, columns)
        # The last one of an odd number takes the whole row.
        wide = SIDE if number == len(results) - 1 and column == 0 else SIDE // columns
        sheet.paste(ImageOps.fit(result, (wide, SIDE // rows)), (column * SIDE // columns, row * SIDE // rows))
    for number, image in enumerate(before[:MOST_INSETS]):
        framed = ImageOps.expand(ImageOps.fit(image, (INSET, INSET)), EDGE, "white")
        sheet.paste(framed, (MARGIN + number * (INSET + MARGIN), MARGIN))
    return sheet


def _of_type(kind: str, prompt: dict[str, Any], outcome: Outcome, comfy: Comfy) -> list[Image.Image]:
    nodes = [key for key, node in prompt.items() if node["class_type"] == kind]
    files = [file for key in nodes for file in comfy.files(outcome, key)]
    return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]


if __name__ == "__main__":
    main()
