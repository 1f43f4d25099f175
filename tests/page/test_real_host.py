"""The main flows on a real ComfyUI, with the page that it brings and with the newest one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright")

from real_comfyui.host import PACKS, Comfy, installation

from emulator import Emulator, Fault

from .browser import BOARD, TEXT_TO_IMAGE, Editor
from .frontends import NEWEST, frontend
from .standin import PAGE_SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.page, pytest.mark.comfyui]

TOKEN = "a-token-of-the-emulator-1234"
PAGES = {"own-classic": (None, False), "newest-vue": (NEWEST, True)}
_STORE_TOKEN = """async (token) => { await fetch('/runcomfy/token', {
  method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }) }); }"""
# The newest page asks for what this ComfyUI has not yet.
OF_ANOTHER_VERSION = ("Jobs API", "Failed to fetch", "Error fetching", "Error loading")


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator(token=TOKEN) as emulator:
        yield emulator


@pytest.fixture(params=PAGES)
def comfy(request: pytest.FixtureRequest, api: Emulator, tmp_path: Path) -> Iterator[Comfy]:
    """A ComfyUI that has no token yet."""
    if installation() is None:
        pytest.skip("COMFYUI_PATH is not set")
    version, vue = PAGES[request.param]
    options = ["--front-end-root", str(frontend(version))] if version else []
    made = Comfy(tmp_path / "comfyui", api, options=options)
    made.environment["RUNCOMFY_API_TOKEN"] = ""
    with made:
        made.post("/settings", {**PAGE_SETTINGS, "Comfy.VueNodes.Enabled": vue})
        yield made
    assert TOKEN not in made.log


@pytest.fixture
def editor(comfy: Comfy, browser: Browser) -> Iterator[Editor]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = Editor(context, comfy.url)
    opened.open()
    yield opened
    errors = [error for error in opened.errors if not any(text in error for text in OF_ANOTHER_VERSION)]
    context.close()
    assert errors == []


def load_template(editor: Editor, name: str) -> str:
    """Load a template as the template browser does; return the id of the pack's first node in it."""
    folder = next(iter(PACKS))
    listed = editor.do("async () => (await fetch('/api/workflow_templates')).json()")
    assert name in listed[folder]
    editor.do(
        "async (path) => { await app.loadGraphData(await (await fetch(path)).json()); }",
        f"/api/workflow_templates/{folder}/{name}.json",
    )
    return str(editor.do("() => String(app.graph.nodes.find((node) => node.type.startsWith('RunComfy')).id)"))


def test_from_the_token_to_the_image_and_to_a_stopped_job(editor: Editor, api: Emulator) -> None:
    panel = editor.open_settings()
    panel.locator("input[type=password]").fill(TOKEN)
    panel.get_by_role("button", name="Save").click()
    panel.get_by_text("accepted").wait_for()
    editor.page.keyboard.press("Escape")
    panel.wait_for(state="detached")

    api.hold_running = True
    node = load_template(editor, "Nano Banana 2 - text to image")
    editor.until_price(node, "from $0.10 \u00b7 base price")
    editor.run()
    editor.until_board(node, "Running")
    workflow = editor.saved()
    editor.open()
    editor.load(workflow)
    editor.until_board(node, "Running")
    assert api.jobs[0].request_id[:8] in editor.board(node)
    api.hold_running = False
    editor.until_board(node, "1 image delivered")
    editor.until("() => app.graph.nodes.some((each) => each.imgs?.length)")

    api.hold_running = True
    editor.do("(id) => { app.graph.getNodeById(id).widgets[0].value = 'a quiet harbour' }", node)
    editor.run()
    editor.until_board(node, "Running")
    editor.stop()
    editor.until_board(node, "can no longer be cancelled")
    api.hold_running = False
    sidebar = editor.open_jobs()
    sidebar.get_by_text("to be collected").first.click()
    sidebar.get_by_role("button", name="Collect").click()
    sidebar.get_by_text("Collected: no new charge.").wait_for()
    editor.until("() => document.querySelector('.runcomfy-job-file')?.naturalWidth > 0")
    assert api.count("submit") == 2


def test_a_list_of_a_killed_server_is_collected_whole_and_not_one_of_it_is_paid_for_twice(
    comfy: Comfy, editor: Editor, api: Emulator
) -> None:
    editor.do(_STORE_TOKEN, TOKEN)
    api.hold_running = True
    prompts = editor.add("RunComfyPrompts", 20, 100, prompts="\n".join(f"a fox {each}" for each in range(4)))
    node = editor.add(TEXT_TO_IMAGE, 480, 100)
    editor.connect(prompts, node, "prompt")
    editor.connect(node, editor.add("PreviewImage", 960, 100), "images")
    workflow = editor.saved()
    editor.run()
    for _ in range(300):
        if len(api.jobs) == 4:
            break
        editor.page.wait_for_timeout(50)
    api.finish(api.jobs[0].request_id)
    editor.until_board(node, "1 of 4")
    comfy.kill()
    comfy.start()
    editor.url = comfy.url
    editor.open()
    # Of the server that was not there.
    editor.errors.clear()
    editor.load(workflow)
    editor.until_board(node, "3 of 4 left running at RunComfy")
    editor.press(node, "Collect all")
    api.hold_running = False
    editor.until_board(node, "3 images delivered")
    editor.run()
    editor.until_board(node, "4 images delivered")
    editor.until_board(node, "Same inputs: kept copy, no charge")
    assert (api.count("submit"), len(api.billed)) == (4, 4)


def test_every_button_of_a_receipt_does_what_it_says_and_nothing_is_paid_twice(
    editor: Editor, api: Emulator
) -> None:
    node = load_template(editor, "Nano Banana 2 - text to image")
    editor.run()
    editor.until_board(node, "There is no RunComfy API token.")
    dialog = editor.page.locator("dialog.runcomfy-account-dialog")
    dialog.wait_for()
    editor.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    editor.press(node, "Enter token")
    dialog.locator("input[type=password]").fill(TOKEN)
    editor.page.keyboard.press("Enter")
    dialog.get_by_text("accepted").wait_for()
    editor.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert len(api.billed) == 0

    editor.run()
    editor.until_board(node, "1 image delivered")
    assert len(api.billed) == 1
    for _ in range(2):
        editor.run()
        editor.until_board(node, "Same inputs: kept copy, no charge")
    assert len(api.billed) == 1
    editor.press(node, "New take")
    editor.until_board(node, "Same inputs", shown=False)
    editor.until_board(node, "1 image delivered")
    assert len(api.billed) == 2

    api.hold_running = True
    editor.press(node, "New take")
    editor.until_board(node, "Running")
    editor.stop()
    editor.until_board(node, "can no longer be cancelled")
    api.hold_running = False
    editor.press(node, "Collect this job")
    editor.until_board(node, "1 image delivered")
    editor.until("(id) => app.graph.getNodeById(id).imgs?.length === 1", node)
    editor.run()
    editor.until_board(node, "Same inputs: kept copy, no charge")
    assert len(api.billed) == 3

    api.fault(Fault("job", blocked=True))
    editor.press(node, "New take")
    editor.until_board(node, "The job ended without an image")
    assert len(api.billed) == 4
    editor.press(node, "Pay again")
    editor.until_board(node, "1 image delivered")
    assert len(api.billed) == 5

    api.fault(Fault("submit", status=402, body={"code": 402001, "message": "no balance"}))
    editor.press(node, "New take")
    editor.until_board(node, "Add balance")
    address = editor.do(f"(id) => ({BOARD})(id).querySelector('a.runcomfy-step').href", node)
    assert address.startswith("https://www.runcomfy.com")
    assert len(api.billed) == 5
