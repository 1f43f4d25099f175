"""Models of the live catalogue on ComfyUI's real page: found, added, shared with others, and kept up with."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright")

from emulator import Emulator

from .browser import BOARD, Editor
from .offers import (
    BASE,
    PAINT,
    PAINT_ID,
    PAINT_NAME,
    SKETCH,
    SKETCH_ID,
    SKETCH_NAME,
    add,
    offer,
    offer_both,
    open_models,
)
from .standin import Standin

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("with_token")]

VALUES = """(id) => Object.fromEntries(app.graph.getNodeById(id).widgets
  .filter((each) => each.serialize !== false).map((each) => [each.name, each.value]))"""
SET = """([id, name, value]) => { const widget = app.graph.getNodeById(id).widgets.find((w) => w.name === name);
  widget.value = value; widget.callback?.(value); }"""


@pytest.fixture
def offered(api: Emulator) -> None:
    offer_both(api)


@pytest.fixture
def nothing_kept(host: Standin, surroundings: pytest.MonkeyPatch) -> None:
    """No entry is kept for a second, and a run waits for the page's prices, asked for on the same threads."""
    catalogue = f"{host.pack.__name__}.nodes.app.catalogue"
    for name in ("GOOD_SECONDS", "NOT_KNOWN_SECONDS"):
        surroundings.setattr(importlib.import_module(f"{catalogue}.live"), name, 0.0)
    surroundings.setattr(importlib.import_module(f"{catalogue}.keep_up"), "RUN_WAITS_SECONDS", 15.0)


@pytest.fixture
def fresh(nothing_kept: None, offered: None, editor: Editor) -> Editor:
    """The page loaded anew: what an earlier test has added is no node of it.

    Before that, the page still asks for the prices of such a node.
    """
    del nothing_kept, offered
    editor.do("async () => { await fetch('/runcomfy/models/check', { method: 'POST', body: '{}',"
              " headers: { 'Content-Type': 'application/json' } }); }")  # fmt: skip
    editor.open_anew()
    editor.clear()
    return editor


def known(editor: Editor, node_type: str) -> bool:
    return bool(editor.do("(type) => type in LiteGraph.registered_node_types", node_type))


def test_models_are_found_added_and_run_without_a_reload(fresh: Editor, host: Standin, api: Emulator) -> None:
    editor = fresh
    dialog = open_models(editor)
    dialog.get_by_label("All makers").select_option("Acme")
    editor.until("() => document.querySelectorAll('.runcomfy-model').length === 2")
    assert "$0.20" in dialog.inner_text() and "text \u2192 image" in dialog.inner_text()
    dialog.get_by_label("All makers").select_option("")
    dialog.locator("input[type=search]").fill("nano banana 2 text")
    dialog.get_by_text("in the pack").first.wait_for()
    assert dialog.get_by_label("Nano Banana 2 Text to Image").first.is_disabled()
    # With the keyboard alone: from the search to the first, down to the next, both chosen.
    dialog.locator("input[type=search]").fill("acme")
    editor.until("() => document.querySelectorAll('.runcomfy-model').length === 2")
    dialog.locator(".runcomfy-model-box").first.focus()
    for key in ("Space", "ArrowDown", "Space"):
        editor.page.keyboard.press(key)
    button = dialog.get_by_role("button", name="Add 2 models")
    button.evaluate("(button) => { button.click(); button.click(); }")
    dialog.get_by_text("2 models were added").wait_for()
    assert dialog.locator(".runcomfy-model.runcomfy-here").count() == 2
    dialog.get_by_role("button", name="Put on the canvas").first.click()
    dialog.wait_for(state="detached")
    node = str(editor.do("(type) => String(app.graph.nodes.find((each) => each.type === type).id)", PAINT))
    title = editor.do("(id) => app.graph.getNodeById(id).constructor.title", node)
    assert title == "Paint 2.0 Text to Image (RunComfy)"
    found = editor.do(
        "async (text) => { const page = document.querySelector('#vue-app').__vue_app__;"
        " const { nodeSearchService } = page.config.globalProperties.$pinia._s.get('nodeDef');"
        " return nodeSearchService.searchNode(text, []).map((each) => each.name); }",
        "sketch text",
    )
    assert SKETCH in found
    editor.until_price(node, "from $0.20 \u00b7 base price")
    editor.do(SET, [node, "prompt", "a fox"])
    editor.connect(node, editor.add("PreviewImage", 900), "images")
    editor.run()
    editor.until_board(node, "1 image delivered")
    assert [job.model_id for job in api.billed] == [PAINT_ID]
    # A page that is loaded anew has them from the server.
    editor.open()
    assert known(editor, PAINT) and known(editor, SKETCH)
    assert host.executor.ran


def test_texts_of_an_added_model_are_in_the_persons_language(fresh: Editor, host: Standin) -> None:
    editor = fresh
    host.settings["Comfy.Locale"] = "fr"
    try:
        editor.open_anew()
        editor.clear()
        editor.do("() => { app.extensionManager.command.execute('RunComfy.AddModels'); }")
        dialog = editor.page.locator("dialog.runcomfy-models-dialog")
        dialog.locator("input[type=search]").fill("acme sketch")
        dialog.get_by_label("Sketch").check()
        dialog.get_by_role("button", name="Ajouter 1 mod\u00e8le").click()
        dialog.get_by_text("Ajout\u00e9").wait_for()
        editor.page.keyboard.press("Escape")
        node = editor.add(SKETCH)
        labels = editor.do("(id) => app.graph.getNodeById(id).inputs.map((each) => each.localized_name)", node)
        assert "Format de sortie" in labels, labels
    finally:
        host.settings["Comfy.Locale"] = "en"
        editor.open_anew()


def test_shared_workflow_opens_where_its_models_are_not_added(
    fresh: Editor, surroundings: pytest.MonkeyPatch, tmp_path: Path, api: Emulator
) -> None:
    editor = fresh
    add(editor, "acme", PAINT_NAME, SKETCH_NAME)
    paint = editor.add(PAINT, prompt="a fox", seed=42, num_images=3)
    sketch = editor.add(SKETCH, 500, prompt="a hare", seed=43)
    for node in (paint, sketch):
        editor.connect(node, editor.add("PreviewImage", 1000), "images")
    editor.page.wait_for_timeout(500)
    shared = editor.saved()
    carried = shared["extra"]["runcomfy_models"]
    assert carried[PAINT]["model_id"] == PAINT_ID and carried[PAINT]["hash"]
    assert "prompt" in carried[PAINT]["widgets"] and api.token not in str(shared)
    # It was made where the widgets have another order.
    names = carried[PAINT]["widgets"][::-1]
    carried[PAINT]["widgets"] = names
    (saved,) = [node for node in shared["nodes"] if node["type"] == PAINT]
    saved["widgets_values"] = [value for value in saved["widgets_values"] if value is not None][::-1]

    # Another person, who has added nothing, and at first has no token either.
    surroundings.setenv("RUNCOMFY_STATE_DIR", str(tmp_path / "other"))
    surroundings.setenv("RUNCOMFY_API_TOKEN", "")
    editor.do("async () => { await fetch('/runcomfy/models/check', { method: 'POST', body: '{}',"
              " headers: { 'Content-Type': 'application/json' } }); }")  # fmt: skip
    editor.open()
    assert not known(editor, PAINT)
    editor.load(shared)
    dialog = editor.page.locator("dialog.runcomfy-missing-dialog")
    dialog.get_by_text("uses 2 RunComfy models that are not added here").wait_for()
    assert PAINT_ID in dialog.inner_text()
    assert dialog.get_by_role("button", name="Add").count() == 0
    dialog.get_by_role("button", name="Not now").click()
    intact = editor.saved()
    assert intact["links"] == shared["links"]
    assert {node["type"] for node in intact["nodes"]} == {PAINT, SKETCH, "PreviewImage"}
    assert intact["extra"]["runcomfy_models"] == shared["extra"]["runcomfy_models"]

    surroundings.setenv("RUNCOMFY_API_TOKEN", api.token)
    editor.load(intact)
    dialog.get_by_text("from $0.20").first.wait_for()
    button = dialog.get_by_role("button", name="Add 2 models")
    button.evaluate("(button) => { button.click(); button.click(); }")
    dialog.get_by_text("The values are in their places").wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    editor.page.keyboard.press("Escape")
    values = editor.do(VALUES, paint)
    assert (values["prompt"], values["seed"], values["num_images"]) == ("a fox", 42, 3)
    assert editor.do(VALUES, sketch)["prompt"] == "a hare"
    assert editor.prompt()[paint]["inputs"]["prompt"] == "a fox"
    assert editor.saved()["links"] == shared["links"]
    assert api.count("submit") == 0


def test_changed_model_is_refused_updated_and_its_values_keep_their_places(fresh: Editor, api: Emulator) -> None:
    editor = fresh
    add(editor, "acme", PAINT_NAME)
    ratio = api.models[BASE].input_schema["properties"]["resolution"]
    offer(api, PAINT_ID, PAINT_NAME, resolution=None,
          quality={**ratio, "title": "Quality", "enum": ["low", "high"], "default": "low"})  # fmt: skip
    paint = editor.add(PAINT, prompt="a fox", seed=42, resolution="4K", output_format="webp")
    editor.connect(paint, editor.add("PreviewImage", 900), "images")
    before = editor.saved()
    editor.run()
    editor.until_board(paint, "does not take these inputs any more")
    editor.page.keyboard.press("Escape")
    assert api.count("submit") == 0
    buttons = f"(id) => [...({BOARD})(id).querySelectorAll('.runcomfy-step')].map((each) => each.textContent)"
    assert editor.do(buttons, paint)[:2] == ["Update this node", "Send it as it is"]
    for _ in range(2):
        editor.do(f"(id) => [...({BOARD})(id).querySelectorAll('.runcomfy-step')][0]?.click()", paint)
    editor.until("(id) => app.graph.getNodeById(id)?.widgets.some((each) => each.name === 'quality')", paint)
    editor.until_board(paint, "resolution")
    values = editor.do(VALUES, paint)
    assert (values["prompt"], values["seed"], values["output_format"]) == ("a fox", 42, "webp")
    assert (values["quality"], "resolution" in values) == ("low", False)
    # A workflow of before that carries nothing: its values are those of the first version.
    del before["extra"]["runcomfy_models"]
    editor.load(before)
    assert editor.do(VALUES, paint) == values
    assert api.count("submit") == 0
    editor.run()
    editor.until_board(paint, "1 image delivered")
    assert len(api.billed) == 1


def test_inputs_are_sent_as_they_are_where_a_person_allows_it_and_paid_once(fresh: Editor, api: Emulator) -> None:
    editor = fresh
    add(editor, "acme", SKETCH_NAME)
    before = api.models[SKETCH_ID]
    ratio = api.models[BASE].input_schema["properties"]["resolution"]
    changed = offer(api, SKETCH_ID, SKETCH_NAME, resolution={**ratio, "enum": ["1K"]})
    assert changed.input_schema != before.input_schema
    sketch = editor.add(SKETCH, prompt="a fox", seed=42, resolution="2K")
    editor.connect(sketch, editor.add("PreviewImage", 900), "images")
    editor.run()
    editor.until_board(sketch, "does not take these inputs any more")
    editor.page.keyboard.press("Escape")
    # The published schema was wrong: the model takes it.
    api.models[SKETCH_ID] = before
    api.prices[SKETCH_ID] = before.base_price
    for _ in range(2):
        editor.do(
            f"(id) => [...({BOARD})(id).querySelectorAll('.runcomfy-step')]"
            ".find((each) => each.textContent === 'Send it as it is')?.click()",
            sketch,
        )
    editor.until_board(sketch, "1 image delivered")
    editor.page.wait_for_timeout(1000)
    assert (api.count("submit"), len(api.billed)) == (1, 1)


def test_panel_tells_what_has_changed_and_updates_it(fresh: Editor, api: Emulator) -> None:
    editor = fresh
    add(editor, "acme", PAINT_NAME, SKETCH_NAME)
    ratio = api.models[BASE].input_schema["properties"]["resolution"]
    offer(api, PAINT_ID, PAINT_NAME, resolution={**ratio, "enum": ["1K"]})
    del api.models[SKETCH_ID]
    editor.do("async () => { await fetch('/runcomfy/models/search', { method: 'POST',"
              " body: JSON.stringify({ refresh: true, limit: 1 }),"
              " headers: { 'Content-Type': 'application/json' } }); }")  # fmt: skip
    editor.do("() => { app.extensionManager.command.execute('RunComfy.Account'); }")
    dialog = editor.page.locator("dialog.runcomfy-account-dialog")
    dialog.get_by_text("Paint 2.0 Text to Image has changed.").wait_for()
    dialog.get_by_text("is not in the catalogue any more").wait_for()
    dialog.get_by_role("button", name="Update this node").click()
    dialog.get_by_text("Paint 2.0 Text to Image was updated.").wait_for()
    editor.page.keyboard.press("Escape")
    node = editor.add(PAINT)
    options = editor.do(
        "(id) => app.graph.getNodeById(id).widgets.find((each) => each.name === 'resolution').options.values", node
    )
    assert options == ["1K"]


def test_a_model_is_removed_in_the_dialog_and_added_again(fresh: Editor) -> None:
    add(fresh, "acme", SKETCH_NAME)
    dialog = open_models(fresh)
    dialog.locator("input[type=search]").fill("acme sketch")
    row = dialog.locator(".runcomfy-model")
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Really remove it?").click()
    dialog.get_by_text("was removed. Workflows that use it keep their values.").wait_for()
    fresh.until("() => document.querySelectorAll('.runcomfy-model').length === 1")
    assert dialog.locator(".runcomfy-model.runcomfy-here").count() == 0
    dialog.get_by_label(SKETCH_NAME).check()
    dialog.get_by_role("button", name="Add 1 model").click()
    dialog.get_by_text("found in the node search").wait_for()
    assert dialog.locator(".runcomfy-model.runcomfy-here").count() == 1


def test_panel_reads_the_catalogue_again_tells_of_wrong_files_and_ends_what_is_sent_as_it_is(
    fresh: Editor, api: Emulator, tmp_path: Path
) -> None:
    editor = fresh
    add(editor, "acme", PAINT_NAME, SKETCH_NAME)
    editor.do("async () => { await fetch('/runcomfy/models/as_it_is', { method: 'POST',"
              f" body: JSON.stringify({{ model_id: '{PAINT_ID}', allow: true }}),"
              " headers: { 'Content-Type': 'application/json' } }); }")  # fmt: skip
    (tmp_path / "state" / "models" / "RunComfy_acme__wrong.1.json").write_text("{")
    editor.do("() => { app.extensionManager.command.execute('RunComfy.Account'); }")
    dialog = editor.page.locator("dialog.runcomfy-account-dialog")
    dialog.get_by_text("None of the models here has changed.").wait_for()
    assert "RunComfy_acme__wrong.1.json cannot be used and is left out." in dialog.inner_text()
    del api.models[SKETCH_ID]
    dialog.get_by_role("button", name="Read the catalogue again").click()
    dialog.get_by_text("Sketch Text to Image is not in the catalogue any more.").wait_for()
    told = dialog.get_by_text("The inputs of Paint 2.0 Text to Image are sent as they are.")
    told.wait_for()
    dialog.get_by_role("button", name="Check them again").click()
    told.wait_for(state="detached")
    assert PAINT_ID not in (tmp_path / "state" / "as_it_is.json").read_text()


def test_a_link_that_an_update_has_no_socket_for_is_told_on_the_node(fresh: Editor, api: Emulator) -> None:
    editor = fresh
    image = {"type": "string", "format": "image_uri"}
    offer(api, PAINT_ID, PAINT_NAME, image_url=image)
    add(editor, "acme", PAINT_NAME)
    paint = editor.add(PAINT, 500, prompt="a fox", seed=42)
    editor.connect(editor.add("LoadImage"), paint, "image")
    editor.connect(paint, editor.add("PreviewImage", 1000), "images")
    offer(api, PAINT_ID, PAINT_NAME, start_image_url=image)
    editor.run()
    editor.until_board(paint, "does not take these inputs any more")
    editor.page.keyboard.press("Escape")
    editor.press(paint, "Update this node")
    editor.until("(id) => app.graph.getNodeById(id)?.inputs.some((each) => each.name === 'start_image')", paint)
    editor.until_board(paint, "have no place any more, the defaults stand in for them: image.")
    # The link stays where a person sees it, and nothing is paid for without the image.
    editor.run()
    editor.until_board(paint, "has no such input")
    assert api.count("submit") == 0
