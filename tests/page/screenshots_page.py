"""Takes images of what the pack adds to ComfyUI's page: the settings panel, the states of a node, the sidebar.

    python tests/page/screenshots_page.py

Needs Playwright and a Chromium. The page is the newest one tested, its jobs go to the emulator.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from page.browser import TEXT_TO_IMAGE, Editor, launched  # noqa: E402
from page.frontends import NEWEST, frontend  # noqa: E402
from page.standin import Standin  # noqa: E402

from emulator import Emulator, Fault  # noqa: E402
from nodes.core.errors import Charge, JobFailed, step  # noqa: E402
from nodes.core.texts import note  # noqa: E402

OUT = ROOT / "docs" / "images"
TOKEN = "emulator-token-for-the-images-7c4e"
MARGIN, GAP, COLUMNS = 16, 24, 3
BACKGROUND = (24, 24, 24)
REQUEST = "3f2a1c9e-77aa-4b2e-9d10-2a6f0c11e9c1"
STATES: tuple[dict[str, Any], ...] = (
    {"stage": "queued", "position": 3, "seconds": 4},
    {"stage": "running", "seconds": 24, "fraction": 0.6},
    {"stage": "delivered", "seconds": 31, "total": 2, "done": 2, "cost": 0.2},
    {"stage": "delivered", "total": 2, "done": 2, "kept": True},
    {
        "stage": "failed",
        "failure": JobFailed(
            "job_failed",
            reason="blocked by the safety filter",
            charge=Charge.NO,
            request_id=REQUEST,
            next=(step("look_at_inputs"),),
        ).failure.payload(),
    },
    {"stage": "stopped", "notes": [note("cancel.cancelled").payload()]},
)
BLANK = {
    "type": "", "prompt": "p", "workflow": "", "request_id": REQUEST, "seconds": 0, "position": None,
    "fraction": None, "done": 0, "total": 0, "cost": None, "kept": False, "sent": [], "notes": [],
    "failure": None,
}  # fmt: skip
REPORT = """(report) => {
  const { api } = window.comfyAPI.api;
  const tell = (kind, detail) => api.dispatchEvent(new CustomEvent(kind, { detail }));
  tell('runcomfy.progress', report);
  if (report.fraction === null) return;
  const id = report.node;
  const bar = { value: report.fraction, max: 1, state: 'running', node_id: id, display_node_id: id };
  tell('execution_start', { prompt_id: 'p', timestamp: 0 });
  tell('executing', id);
  tell('progress_state', { prompt_id: 'p', nodes: { [id]: { ...bar, prompt_id: 'p', real_node_id: id } } });
}"""

END = """() => {
  for (const [kind, detail] of [['progress_state', { prompt_id: 'p', nodes: {} }],
    ['execution_success', { prompt_id: 'p', timestamp: 0 }], ['executing', null]]) {
    window.comfyAPI.api.api.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}"""


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


def node_states(editor: Editor) -> Image.Image:
    """Return a node in each of its states, side by side."""
    editor.do("() => { app.canvas.ds.scale = 0.9; app.canvas.ds.offset = [120, 150]; }")
    images = []
    for state in STATES:
        editor.clear()
        node = editor.add(TEXT_TO_IMAGE, 0, 0, prompt="A lighthouse at dusk, long exposure", num_images=2)
        editor.until_board(node, "from $0.20")
        editor.do(REPORT, {**BLANK, **state, "node": node})
        editor.page.wait_for_timeout(1400 if "fraction" in state else 300)
        images.append(_image(editor.page.locator(f'[data-node-id="{node}"]').first.screenshot()))
        editor.do(END)
    return _grid(images)


def sidebar(api: Emulator, editor: Editor) -> Image.Image:
    """Run some jobs that end differently and return the page with the list of them."""
    editor.clear()
    node = editor.add(TEXT_TO_IMAGE, 0, 0, num_images=2)
    editor.connect(node, editor.add("PreviewImage", 560, 0), "images")
    for number, fault in enumerate((None, Fault("job", fails="blocked by the safety filter"), None)):
        _run(editor, node, number, fault, api)
    api.hold_running = True
    _set_prompt(editor, node, "job 9")
    editor.run()
    editor.until_board(node, "Running")
    editor.stop()
    editor.until_board(node, "can no longer")
    opened = editor.open_jobs()
    opened.get_by_text("to be collected").first.wait_for()
    editor.page.wait_for_timeout(800)
    return _image(editor.page.screenshot())


def main() -> int:
    """Take the images; return the exit code."""
    OUT.mkdir(parents=True, exist_ok=True)
    with surroundings() as (api, editor):
        images = {
            "settings_panel": settings_panel(editor),
            "node_states": node_states(editor),
            "sidebar": sidebar(api, editor),
        }
    for name, image in images.items():
        path = OUT / f"{name}.png"
        image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
        sys.stdout.write(f"{path}: {image.width}x{image.height}, {path.stat().st_size / 1000:.0f} kB\n")
    return 0


def _run(editor: Editor, node: str, number: int, fault: Fault | None, api: Emulator) -> None:
    if fault is not None:
        api.fault(fault)
    _set_prompt(editor, node, f"job {number}")
    editor.run()
    editor.until_board(node, "2 images delivered" if fault is None else "Failed")
    editor.page.keyboard.press("Escape")
    time.sleep(1.2)


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
