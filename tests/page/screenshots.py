"""Takes the README's images of the nodes in a real ComfyUI, whose jobs go to the emulator.

    COMFYUI_PATH=... COMFYUI_PYTHON=... python tests/page/screenshots.py --chromium /usr/bin/chromium

Needs ``pip install playwright`` and a Chromium: the one given, or Playwright's own.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from real_comfyui.host import PACKS, Comfy, installation  # noqa: E402
from real_comfyui.workflows import load  # noqa: E402

from emulator import Emulator, Fault  # noqa: E402

NODES = {
    "text_to_image_node": ("Nano Banana 2 - text to image", "RunComfyNanoBanana2TextToImage"),
    "pro_edit_node": ("Nano Banana Pro - edit an image", "RunComfyNanoBananaProEdit"),
}
CHAIN = "Nano Banana 2 into Pro - edit by address"
QUALITY = 88
MARGIN = 14
GAP = 30
BACKGROUND = (24, 24, 24)
WAIT_MS = 60_000
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Workflow.Persist": False,
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.NodeBadge.NodeSourceBadgeMode": "None",
}
BROWSER_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

READY = "!!(window.app?.graph && window.LiteGraph?.registered_node_types?.RunComfyNanoBanana2TextToImage)"
LOAD = "async workflow => { await app.loadGraphData(workflow) }"
# The graph's corner goes to a place where no menu of the page covers it.
PLACE = """([left, top, scale]) => {
    app.canvas.ds.scale = scale
    app.canvas.ds.offset = [left / scale, top / scale]
    app.canvas.setDirty(true, true)
}"""
# The box of some nodes on the screen, title bars included: [left, top, right, bottom].
BOX = """type => {
    const canvas = app.canvas.canvas.getBoundingClientRect()
    const { scale, offset } = app.canvas.ds
    const box = [Infinity, Infinity, -Infinity, -Infinity]
    for (const node of app.graph.nodes.filter((node) => !type || node.type === type)) {
        const drawn = document.querySelector(`[data-node-id="${node.id}"]`)?.getBoundingClientRect()
        const x = (node.boundingRect[0] + offset[0]) * scale + canvas.left
        const y = (node.boundingRect[1] + offset[1]) * scale + canvas.top
        box[0] = Math.min(box[0], drawn?.left ?? x)
        box[1] = Math.min(box[1], drawn?.top ?? y)
        box[2] = Math.max(box[2], drawn?.right ?? x + node.boundingRect[2] * scale)
        box[3] = Math.max(box[3], drawn?.bottom ?? y + node.boundingRect[3] * scale)
    }
    return box
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the images; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if installation() is None:
        parser.error("COMFYUI_PATH is not set")
    options.out.mkdir(parents=True, exist_ok=True)
    packs = {"runcomfy-models": PACKS["runcomfy-models"]}
    page_options = ["--front-end-root", str(options.front_end.resolve())] if options.front_end else []
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(run_seconds=1.0) as api,
        Comfy(Path(folder), api, packs, page_options) as comfy,
        sync_playwright() as playwright,
    ):
        # The emulator's prices are made up, and an image would be taken at its word.
        api.fault(Fault("job", late_cost=1000, times=None))
        api.fault(Fault("catalog", status=503, times=None))
        browser = playwright.chromium.launch(executable_path=options.chromium, args=BROWSER_OPTIONS)
        for name, (workflow, node_type) in NODES.items():
            views = [node(browser, comfy, workflow, node_type, node_2=node_2) for node_2 in (False, True)]
            save(side_by_side(views), options.out / f"{name}.webp")
        save(chain(browser, comfy), options.out / "workflow.webp")
        browser.close()
    return 0


def node(browser: Browser, comfy: Comfy, workflow: str, node_type: str, *, node_2: bool) -> Image.Image:
    """Image one node of a workflow, drawn on the canvas or by Node 2.0."""
    with opened(browser, comfy, workflow, node_2=node_2) as page:
        return image(page, node_type)


def chain(browser: Browser, comfy: Comfy) -> Image.Image:
    """Run the chain and image the whole of it."""
    with opened(browser, comfy, CHAIN, node_2=False, scale=0.8) as page:
        since = len(comfy.listener.events)
        page.evaluate("app.queuePrompt(0)")
        comfy.until(lambda: comfy.get("/history").json() and comfy.idle(), "the chain has run")
        assert not [event for event in comfy.listener.events[since:] if event.kind == "execution_error"]
        page.wait_for_timeout(3000)
        page.evaluate(PLACE, [160.0, 160.0, 0.8])
        page.wait_for_timeout(1000)
        return image(page, None)


@contextmanager
def opened(browser: Browser, comfy: Comfy, workflow: str, *, node_2: bool, scale: float = 1.0) -> Iterator[Page]:
    """Open the page with a workflow; nothing but this machine is asked for anything."""
    comfy.post("/settings", {**SETTINGS, "Comfy.VueNodes.Enabled": node_2})
    context = browser.new_context(viewport={"width": 1920, "height": 1160}, device_scale_factor=1.5)
    context.route("**/*", _stay_here)
    page = context.new_page()
    page.goto(comfy.url)
    page.wait_for_function(READY, timeout=WAIT_MS)
    page.wait_for_timeout(1500)
    page.evaluate(LOAD, load(workflow))
    page.wait_for_timeout(1500)
    page.evaluate(PLACE, [160.0, 160.0, scale])
    page.wait_for_timeout(1500)
    yield page
    context.close()


def image(page: Page, node_type: str | None) -> Image.Image:
    """Cut the nodes of a type, or all, out of the page."""
    left, top, right, bottom = page.evaluate(BOX, node_type)
    clip: FloatRect = {
        "x": left - MARGIN,
        "y": top - MARGIN,
        "width": right - left + 2 * MARGIN,
        "height": bottom - top + 2 * MARGIN,
    }
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def side_by_side(views: Sequence[Image.Image]) -> Image.Image:
    """Put images into a row, with a gap in which links do not seem to join."""
    width = sum(view.width + GAP for view in views) - GAP
    sheet = Image.new("RGB", (width, max(view.height for view in views)), BACKGROUND)
    left = 0
    for view in views:
        sheet.paste(view, (left, 0))
        left += view.width + GAP
    return sheet


def save(image: Image.Image, path: Path) -> None:
    """Save it small enough for a repository."""
    image.save(path, quality=QUALITY, method=6)
    sys.stdout.write(f"{path}: {image.width}x{image.height}, {path.stat().st_size / 1000:.0f} kB\n")


def _stay_here(route: Route) -> Any:
    here = route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
    return route.continue_() if here else route.abort()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Take the README's images of the nodes in a real ComfyUI.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder of the images")
    parser.add_argument("--chromium", help="the browser; Playwright's own by default")
    parser.add_argument("--front-end", type=Path, help="folder of another page than ComfyUI's own")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
