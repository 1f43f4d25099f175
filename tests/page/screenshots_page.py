"""Takes images of what the pack adds to ComfyUI's page: the settings panel, the states of a node, the sidebar.

    python tests/page/screenshots_page.py

Needs Playwright and a Chromium. The page is the newest one tested, its jobs go to the emulator.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from page.browser import TEXT_TO_IMAGE, Editor, launched  # noqa: E402
from page.frontends import NEWEST, frontend  # noqa: E402
from page.standin import Standin  # noqa: E402

from emulator import Emulator, Fault  # noqa: E402

OUT = ROOT / "docs" / "images"
TOKEN = "emulator-token-for-the-images-7c4e"
QUALITY = 88
MARGIN, GAP, COLUMNS = 16, 24, 3
BACKGROUND = (24, 24, 24)
PROMPTS = (
    "A lighthouse at dusk, long exposure",
    "A quiet harbour on a grey morning",
    "Product shot of a ceramic vase on an oak table",
    "Neon street in a rainy city",
    "A red fox asleep on a mossy rock",
    "Character sheet of a young explorer",
)


@contextmanager
def surroundings() -> Iterator[tuple[Emulator, Editor]]:
    """An emulator, a stand-in of ComfyUI with a token, and its page."""
    with tempfile.TemporaryDirectory() as folder, Emulator(token=TOKEN) as api:
        os.environ["RUNCOMFY_MODEL_API_BASE"] = api.base_url
        os.environ["RUNCOMFY_STATE_DIR"] = folder
        with Standin(Path(folder) / "user", frontend(NEWEST)) as host, launched() as browser:
            host.settings |= {"Comfy.VueNodes.Enabled": True, "Comfy.NodeBadge.NodeSourceBadgeMode": "None"}
            context = browser.new_context(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
            editor = Editor(context, host.url)
            editor.open()
            editor.clear()
            yield api, editor


def settings_panel(editor: Editor) -> Image.Image:
    """Enter a token in the settings and return the dialog."""
    panel = editor.open_settings()
    panel.locator("input[type=password]").fill(TOKEN)
    panel.get_by_role("button", name="Save").click()
    panel.get_by_text("$25.00").wait_for()
    editor.page.mouse.move(5, 5)
    editor.page.wait_for_timeout(300)
    dialog = panel.locator("xpath=ancestor::*[@role='dialog'][1]")
    image = _image(dialog.screenshot())
    editor.page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    return image


def node_states(api: Emulator, editor: Editor) -> Image.Image:
    """Return a node in states of real runs, side by side."""
    editor.clear()
    editor.do("() => { app.canvas.ds.scale = 0.9; app.canvas.ds.offset = [120, 150]; }")
    node = editor.add(TEXT_TO_IMAGE, 0, 0, num_images=2)
    editor.connect(node, editor.add("PreviewImage", 560, 0), "images")
    shot = partial(_shot, editor, node)
    api.queue_seconds, api.hold = 60.0, True
    _run(editor, node, PROMPTS[0])
    images = [shot("Queued, position")]
    api.hold, api.hold_running, api.queue_seconds = False, True, 0.0
    api.finish(api.jobs[-1].request_id)
    editor.until_board(node, "2 images")
    _run(editor, node, PROMPTS[1])
    images.append(shot("Running"))
    api.hold_running = False
    images.append(shot("2 images"))
    editor.run()
    images.append(shot("kept copy"))
    api.fault(Fault("job", fails="blocked by the safety filter"))
    _run(editor, node, PROMPTS[2])
    images.append(shot("blocked by the safety filter"))
    editor.page.keyboard.press("Escape")
    api.hold_running = True
    _run(editor, node, PROMPTS[3])
    editor.until_board(node, "blocked by the safety filter", shown=False)
    editor.until_board(node, "Running")
    editor.stop()
    images.append(shot("can no longer be cancelled"))
    api.hold_running = False
    return _grid(images)


def sidebar(editor: Editor) -> Image.Image:
    """Run two more jobs and return the page with the list of all."""
    (node,) = editor.do(
        f"() => app.graph.nodes.filter((each) => each.type === '{TEXT_TO_IMAGE}').map((n) => `${{n.id}}`)"
    )
    for prompt in PROMPTS[4:]:
        _run(editor, node, prompt)
        editor.until_board(node, "2 images")
        editor.page.wait_for_timeout(1500)
    opened = editor.open_jobs()
    opened.get_by_text("to be collected").first.wait_for()
    opened.locator(".runcomfy-spend summary").click()
    editor.do("() => { app.canvas.ds.scale = 0.75; app.canvas.ds.offset = [580, 180]; }")
    # What the page itself says of the run is gone by then.
    editor.page.wait_for_timeout(5000)
    return _image(editor.page.screenshot())


def main() -> int:
    """Take the images; return the exit code."""
    OUT.mkdir(parents=True, exist_ok=True)
    with surroundings() as (api, editor):
        images = {
            "settings_panel": settings_panel(editor),
            "node_states": node_states(api, editor),
            "sidebar": sidebar(editor),
        }
    for name, image in images.items():
        path = OUT / f"{name}.webp"
        image.save(path, quality=QUALITY, method=6)
        sys.stdout.write(f"{path}: {image.width}x{image.height}, {path.stat().st_size / 1000:.0f} kB\n")
    return 0


def _run(editor: Editor, node: str, prompt: str) -> None:
    _set_prompt(editor, node, prompt)
    editor.run()


def _shot(editor: Editor, node: str, text: str) -> Image.Image:
    editor.until_board(node, text)
    editor.page.wait_for_timeout(1200)
    return _image(editor.page.locator(f'[data-node-id="{node}"]').first.screenshot())


def _set_prompt(editor: Editor, node: str, text: str) -> None:
    script = (
        "([id, text]) => { app.graph.getNodeById(id).widgets.find((each) => each.name === 'prompt').value = text }"
    )
    editor.do(script, [node, text])


def _image(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _grid(images: Sequence[Image.Image]) -> Image.Image:
    width = max(image.width for image in images)
    rows = [images[start : start + COLUMNS] for start in range(0, len(images), COLUMNS)]
    heights = [max(image.height for image in row) for row in rows]
    size = (
        2 * MARGIN + COLUMNS * width + (COLUMNS - 1) * GAP,
        2 * MARGIN + sum(heights) + (len(rows) - 1) * GAP,
    )
    sheet = Image.new("RGB", size, BACKGROUND)
    top = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for column, image in enumerate(row):
            sheet.paste(image, (MARGIN + column * (width + GAP), top))
        top += height + GAP
    return sheet


if __name__ == "__main__":
    raise SystemExit(main())
