"""Makes the thumbnails of the example workflows: each is run in a real ComfyUI, whose jobs go to the emulator.

COMFYUI_PATH=... COMFYUI_PYTHON=... python tests/page/thumbnails.py
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from real_comfyui.host import Comfy  # noqa: E402
from real_comfyui.workflows import NAMES, load, to_prompt  # noqa: E402

from emulator import Emulator  # noqa: E402
from nodes.comfyui import NODE_CLASS_MAPPINGS  # noqa: E402

SIZE = (512, 384)
BACKGROUND = (24, 24, 24)
QUALITY = 85


def main() -> None:
    definitions = {name: node.INPUT_TYPES() for name, node in NODE_CLASS_MAPPINGS.items()}
    with Emulator() as api, tempfile.TemporaryDirectory() as folder, Comfy(Path(folder), api) as comfy:
        for name in NAMES:
            prompt = to_prompt(load(name), definitions)
            saver = next(key for key, node in prompt.items() if node["class_type"] == "SaveImage")
            image = Image.open(io.BytesIO(comfy.files(comfy.run(prompt), saver)[0]))
            target = ROOT / "example_workflows" / f"{name}.jpg"
            ImageOps.pad(image.convert("RGB"), SIZE, color=BACKGROUND).save(target, quality=QUALITY)


if __name__ == "__main__":
    main()
