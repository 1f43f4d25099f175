"""Two people with a real ComfyUI each: one adds models and shares a workflow, the other one opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright")

from real_comfyui.host import Comfy, installation

from emulator import Emulator

from .browser import Editor
from .frontends import NEWEST, frontend
from .offers import PAINT, PAINT_NAME, SKETCH, SKETCH_NAME, add, offer_both
from .standin import PAGE_SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.page, pytest.mark.comfyui]

PAGES = {"own-classic": (None, False), "newest-vue": (NEWEST, True)}
VALUE = "([id, name]) => app.graph.getNodeById(id).widgets.find((each) => each.name === name).value"


@contextmanager
def person(folder: Path, api: Emulator, browser: Browser, page: str) -> Iterator[Editor]:
    """The page of a ComfyUI with a state folder of its own."""
    version, vue = PAGES[page]
    options = ["--front-end-root", str(frontend(version))] if version else []
    with Comfy(folder, api, options=options) as comfy:
        comfy.post("/settings", {**PAGE_SETTINGS, "Comfy.VueNodes.Enabled": vue})
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        editor = Editor(context, comfy.url)
        editor.open()
        editor.clear()
        yield editor
        context.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_shared_workflow_opens_at_another_persons_with_its_values(
    page: str, browser: Browser, tmp_path: Path
) -> None:
    if installation() is None:
        pytest.skip("COMFYUI_PATH is not set")
    with Emulator() as api:
        offer_both(api)
        with person(tmp_path / "one", api, browser, page) as editor:
            add(editor, "acme", PAINT_NAME, SKETCH_NAME)
            node = editor.add(PAINT, prompt="a fox", seed=42)
            editor.add(SKETCH, 500, prompt="a hare")
            editor.connect(node, editor.add("PreviewImage", 1000), "images")
            # Neither the server nor the page was started anew.
            editor.run()
            editor.until_board(node, "1 image delivered")
            shared = editor.saved()
        assert set(shared["extra"]["runcomfy_models"]) == {PAINT, SKETCH}
        assert [job.model_id for job in api.billed] == ["acme/paint-2.0/text-to-image"]
        with person(tmp_path / "two", api, browser, page) as editor:
            editor.load(shared)
            dialog = editor.page.locator("dialog.runcomfy-missing-dialog")
            dialog.get_by_text("uses 2 RunComfy models that are not added here").wait_for()
            dialog.get_by_text("from $0.20").first.wait_for()
            dialog.get_by_role("button", name="Add 2 models").click()
            dialog.get_by_text("The values are in their places").wait_for()
            editor.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")
            assert [editor.do(VALUE, [node, name]) for name in ("prompt", "seed")] == ["a fox", 42]
            assert len(api.billed) == 1
            editor.run()
            editor.until_board(node, "1 image delivered")
        assert len(api.billed) == 2
