"""The pack on ComfyUI's real page: what a person sees and does there."""

from __future__ import annotations

import json
import os

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright")

from playwright.sync_api import BrowserContext

from emulator import Emulator, Fault

from .browser import BOARD, COLLECT, PRO_EDIT, TEXT_TO_IMAGE, Editor
from .conftest import Look
from .hostmodules import ROOT
from .standin import Standin

pytestmark = pytest.mark.page

_SEED = "app.graph.getNodeById(id).widgets.find((each) => each.name === 'seed')"
TOKEN = "a-token-of-the-emulator-1234"
FRENCH = json.loads((ROOT / "locales" / "fr" / "messages.json").read_text(encoding="utf-8"))


def test_token_is_entered_tested_and_forgotten_in_the_settings(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    api.token = TOKEN
    panel = editor.open_settings()
    panel.get_by_text("none", exact=True).wait_for()
    panel.locator("input[type=password]").fill(TOKEN)
    panel.get_by_role("button", name="Save").click()
    panel.get_by_text("accepted").wait_for()
    panel.get_by_text("$25.00").wait_for()
    changed = panel.locator(".runcomfy-changed-models")
    changed.get_by_text("None of the models here has changed").wait_for()
    assert "\u2022\u2022\u2022\u20221234" in panel.inner_text()
    assert panel.locator("input[type=password]").input_value() == ""
    assert TOKEN not in editor.page.content() and TOKEN not in str(host.settings)
    panel.get_by_role("button", name="Forget token").click()
    panel.get_by_role("button", name="Really forget it?").click()
    panel.get_by_text("Token forgotten.").wait_for()
    changed.wait_for(state="hidden")
    assert api.count("submit") == 0


def test_refused_token_is_named_as_such(editor: Editor) -> None:
    panel = editor.open_settings()
    panel.locator("input[type=password]").fill("another-accounts-token")
    panel.get_by_role("button", name="Save").click()
    panel.locator("dd", has_text="refused the token: it is wrong or expired").wait_for()


def test_run_without_a_token_asks_for_one_and_the_next_run_works(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    editor.open()
    editor.clear()
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.until_board(node, "No API token yet")
    editor.page.get_by_text("RunComfy needs an API token").first.wait_for(state="attached")
    editor.run()
    dialog = editor.page.locator("dialog.runcomfy-account-dialog")
    dialog.get_by_text("The run needs an API token").wait_for()
    dialog.locator("input[type=password]").fill(api.token)
    editor.page.keyboard.press("Enter")
    dialog.get_by_text("accepted").wait_for()
    assert not dialog.get_by_text("The run needs an API token").is_visible()
    assert not dialog.get_by_text("none", exact=True).is_visible()
    editor.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    editor.until_board(node, "There is no RunComfy API token", shown=False)
    editor.until_board(node, "No API token yet", shown=False)
    editor.run()
    editor.until_board(node, "1 image delivered")
    assert all(api.token not in str(message) for message in host.sent)


@pytest.mark.usefixtures("with_token")
def test_state_follows_a_run_and_survives_a_reload(editor: Editor, host: Standin, api: Emulator) -> None:
    api.queue_seconds, api.hold = 60.0, True
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.until_price(node, "from $0.10 \u00b7 base price")
    workflow = editor.saved()
    editor.run()
    editor.until_board(node, "Queued, position 3")
    editor.open()
    editor.load(workflow)
    editor.until_board(node, "Queued, position")
    assert api.jobs[0].request_id[:8] in editor.board(node)
    api.finish(api.jobs[0].request_id)
    editor.until_board(node, "1 image delivered")
    editor.until_board(node, "$0.10")
    editor.until("() => app.graph.nodes.some((each) => each.imgs?.length)")
    assert editor.board_element(node).is_visible()
    assert host.texts == []


@pytest.mark.usefixtures("with_token")
def test_same_inputs_show_a_kept_copy_and_a_failure_its_receipt(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.run()
    editor.until_board(node, "1 image delivered")
    editor.run()
    editor.until_board(node, "Same inputs: kept copy, no charge")
    api.fault(Fault("job", fails="blocked by the safety filter"))
    editor.do("(id) => { app.graph.getNodeById(id).widgets.find((w) => w.name === 'seed').value = 7 }", node)
    editor.run()
    editor.until_board(node, "Reason given: blocked by the safety filter")
    assert len(host.executor.ran) == 3
    assert len(api.billed) == 1


@pytest.mark.usefixtures("with_token")
def test_stopped_job_is_collected_in_the_sidebar_without_a_new_charge(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    api.hold_running = True
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.run()
    editor.until_board(node, "Running")
    editor.stop()
    editor.until_board(node, "Stopped")
    editor.until_board(node, "can no longer be cancelled")
    api.hold_running = False
    sidebar = editor.open_jobs()
    sidebar.get_by_text("1 job needs you").wait_for()
    sidebar.get_by_text("to be collected").first.click()
    sidebar.get_by_role("button", name="Collect").click()
    sidebar.get_by_text("Collected: no new charge.").wait_for()
    editor.until("() => document.querySelector('.runcomfy-job-file')?.naturalWidth > 0")
    sidebar.get_by_role("button", name="Add to the graph").click()
    added = f"app.graph.nodes.find((each) => each.type === '{COLLECT}')"
    editor.until(f"() => {added}")
    collected = editor.do(f"() => String({added}.id)")
    editor.until_board(collected, "1 image delivered")
    assert "New take" in editor.board(node) or "Collect" in editor.board(node)
    assert "New take" not in editor.board(collected), "nothing on it makes a new take"
    # The record is asked seldom.
    editor.until_badge("")
    assert (len(host.executor.ran), api.count("submit"), len(api.billed)) == (2, 1, 1)


@pytest.mark.usefixtures("with_token")
def test_jobs_inputs_are_run_again_as_the_kept_copy(editor: Editor, api: Emulator) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox", seed=7)
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.run()
    editor.until_board(node, "1 image delivered")
    editor.do("(id) => { app.graph.getNodeById(id).widgets[0].value = 'another' }", node)
    editor.do("(id) => app.canvas.selectNode(app.graph.getNodeById(id))", node)
    sidebar = editor.open_jobs()
    sidebar.get_by_text("a fox").first.click()
    sidebar.get_by_role("button", name="Use these inputs").click()
    sidebar.get_by_text("These inputs are on the selected node").wait_for()
    editor.run()
    editor.until_board(node, "kept copy, no charge")
    assert len(api.billed) == 1


@pytest.mark.usefixtures("with_token")
def test_failure_that_was_charged_is_paid_again_only_after_a_person_allowed_it(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    api.fault(Fault("job", blocked=True))
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox", seed=7)
    _fix_seed(editor, node)
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.run()
    editor.until_board(node, "The job ended without an image")
    editor.run()
    _until_ran(editor, host, 2)
    editor.until_board(node, "Pay again")
    assert api.count("submit") == 1
    editor.page.keyboard.press("Escape")
    sidebar = editor.open_jobs()
    sidebar.get_by_text("charged, nothing delivered").first.click()
    sidebar.get_by_role("button", name="Allow paying again").click()
    sidebar.get_by_role("button", name="Really pay again?").click()
    sidebar.get_by_text("run the same inputs again").first.wait_for()
    editor.run()
    editor.until_board(node, "1 image delivered")
    editor.run()
    editor.until_board(node, "kept copy, no charge")
    assert api.count("submit") == 2


@pytest.mark.usefixtures("with_token")
def test_take_that_is_chosen_flows_on_as_the_kept_copy(editor: Editor, host: Standin, api: Emulator) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox", seed=7)
    _fix_seed(editor, node)
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    for runs, seed in enumerate((7, 8), start=1):
        editor.do(f"(id) => {{ {_SEED}.value = {seed}; }}", node)
        editor.run()
        _until_ran(editor, host, runs)
    editor.choose(node, "Takes\u2026")
    dialog = editor.page.locator("dialog.runcomfy-takes-dialog")
    dialog.get_by_text("seed 7").wait_for()
    dialog.get_by_label("Move to compare").fill("20")
    dialog.locator(".runcomfy-take", has_text="seed 7").get_by_role("button", name="Use this take").click()
    dialog.get_by_text("Its seed is on the node").wait_for()
    assert editor.do(f"(id) => {_SEED}.value", node) == 7
    editor.page.keyboard.press("Escape")
    editor.run()
    editor.until_board(node, "kept copy, no charge")
    assert len(api.billed) == 2


def _until_ran(editor: Editor, host: Standin, prompts: int) -> None:
    for _ in range(100):
        if len(host.executor.ran) == prompts and not host.executor.remaining:
            return
        editor.page.wait_for_timeout(50)
    raise AssertionError(f"{len(host.executor.ran)} prompts were run")


def _fix_seed(editor: Editor, node: str) -> None:
    editor.do(
        "(id) => { app.graph.getNodeById(id).widgets.find((w) => w.name.startsWith('control')).value = 'fixed' }",
        node,
    )


@pytest.mark.usefixtures("with_token")
def test_price_follows_the_inputs_the_costs_and_the_list(editor: Editor, api: Emulator, look: Look) -> None:
    """One text says it: the badge, first the live base price, then what such a job has cost."""
    node = editor.add(TEXT_TO_IMAGE, 500)
    editor.until_price(node, "from $0.10 \u00b7 base price")
    many = editor.add(TEXT_TO_IMAGE, 500, 700, num_images=3)
    editor.until_price(many, "from $0.30 \u00b7 base price")
    assert "$" not in editor.board(node) + editor.board(many)
    editor.do("(id) => app.graph.remove(app.graph.getNodeById(id))", many)
    prompts = editor.add("Prompts", lines="a fox\na hare\na lynx")
    editor.connect(prompts, node, "prompt")
    editor.connect(node, editor.add("PreviewImage", 1000), "images")
    editor.run()
    editor.until_board(node, "3 images delivered")
    editor.until_board(node, "$0.30")
    editor.until_price(node, "3 \u00d7 [$0.10 \u00b7 learnt] = $0.30")
    if look.vue:
        editor.page.locator(f'[data-node-id="{node}"]').get_by_text("learnt").wait_for()
    assert len(api.billed) == 3


def test_price_is_absent_where_it_cannot_be_read(
    editor: Editor, api: Emulator, surroundings: pytest.MonkeyPatch
) -> None:
    api.fault(Fault("catalog", status=500, times=None))
    surroundings.setenv("RUNCOMFY_API_TOKEN", api.token)
    editor.start_anew()
    node = editor.add(TEXT_TO_IMAGE)
    editor.page.wait_for_timeout(1000)
    editor.until_price(node, "")


@pytest.mark.usefixtures("with_token")
def test_takes_are_on_the_node_and_one_that_is_pressed_flows_on(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox", seed=7)
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    for runs, seed in enumerate((7, 8, 9), start=1):
        editor.do(f"(id) => {{ {_SEED}.value = {seed}; }}", node)
        editor.run()
        _until_ran(editor, host, runs)
    names = "seed 9 \u00b7 $0.10 <; seed 8 \u00b7 $0.10; seed 7 \u00b7 $0.10"
    takes = f"[...({BOARD})(id).querySelectorAll('.runcomfy-strip-take')]"
    seen = f"(id) => {takes}.map((each) => each.ariaLabel + (each.ariaPressed === 'true' ? ' <' : '')).join('; ')"
    editor.until(f"(id) => ({seen})(id) === '{names}'", node)
    editor.until(f"(id) => {takes}.every((each) => each.firstChild.naturalWidth > 0)", node)
    inner = f"(id) => {{ const box = ({BOARD})(id); return box.scrollHeight - box.clientHeight; }}"
    assert editor.do(inner, node) <= 0
    workflow = editor.saved()
    # An impatient person presses all of them, and one twice.
    editor.do(f"(id) => {takes}.forEach((each) => each.click())", node)
    editor.do(f"(id) => {takes}.at(-1).click()", node)
    editor.until(f"(id) => {_SEED}.value === 7 && ({seen})(id).endsWith('<')", node)
    editor.run()
    editor.until_board(node, "kept copy, no charge")
    editor.load(workflow)
    editor.until(f"(id) => {takes}.length === 3", node)
    editor.do("(id) => { const { widgets } = app.graph.getNodeById(id); widgets[0].value = 'a hare';"
              " widgets[0].callback('a hare'); }", node)  # fmt: skip
    editor.until(f"(id) => {takes}.length === 0", node)
    assert len(api.billed) == 3


@pytest.mark.usefixtures("with_token")
def test_long_receipt_makes_the_node_higher_and_covers_nothing(editor: Editor, api: Emulator) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 700), "images")
    editor.page.wait_for_timeout(300)
    before = editor.size(node)[1]
    editor.run()
    editor.until_board(node, "1 image delivered")
    editor.page.wait_for_timeout(300)
    assert editor.size(node)[1] - before < 4
    api.fault(Fault("job", fails="a reason that is told in many words, " * 12))
    editor.do(f"(id) => {{ {_SEED}.value = 7; }}", node)
    editor.run()
    editor.until_board(node, "a reason that is told in many words")
    editor.page.keyboard.press("Escape")
    editor.page.wait_for_timeout(500)
    assert editor.size(node)[1] > before + 40
    # The board is the last of the widgets: nothing of it is cut off, and it ends where the node does.
    rest = editor.do(
        f"(id) => {{ const board = ({BOARD})(id); const inner = board.firstElementChild;"
        " const { pos, size } = app.graph.getNodeById(id); const { scale, offset } = app.canvas.ds;"
        " const top = app.canvas.canvas.getBoundingClientRect().top;"
        ' const element = document.querySelector(`[data-node-id="${id}"]`);'
        " const end = element?.getBoundingClientRect().bottom ?? top + (pos[1] + size[1] + offset[1]) * scale;"
        " return [inner.offsetHeight - board.offsetHeight, inner.getBoundingClientRect().bottom - end]; }",
        node,
    )
    assert max(rest) <= 1, rest


def test_sockets_grow_and_close_their_gaps(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600)
    assert editor.sockets(edit) == [("image_1", None)]
    assert editor.size(edit)[1] < 450
    images = [editor.add("LoadImage", 60, 120 + 30 * place) for place in range(3)]
    for place, image in enumerate(images):
        editor.connect(image, edit, f"image_{place + 1}")
    assert editor.sockets(edit) == [
        ("image_1", "image 1"), ("image_2", "image 2"), ("image_3", "image 3"), ("image_4", None),
    ]  # fmt: skip
    editor.disconnect(edit, "image_2")
    assert editor.sockets(edit) == [("image_1", "image 1"), ("image_2", "image 2"), ("image_3", None)]
    sent = editor.prompt()[edit]["inputs"]
    assert [sent["image_1"], sent["image_2"]] == [[images[0], 0], [images[2], 0]]
    assert "image_3" not in sent and "runcomfy_state" not in sent


def test_rare_inputs_are_folded_away_in_nodes_2_and_one_that_was_changed_is_seen(
    editor: Editor, look: Look
) -> None:
    node = editor.add(TEXT_TO_IMAGE)
    shown = editor.page.locator(f'[data-node-id="{node}"]')
    if look.vue:
        shown.get_by_text("Enable web search").wait_for()
        assert not shown.get_by_text("Safety tolerance").count()
    editor.do(
        "(id) => { const widget = app.graph.getNodeById(id).widgets.find((w) => w.name === 'safety_tolerance');"
        " widget.value = 6; widget.callback?.(6); }",
        node,
    )
    editor.load(editor.saved())
    if look.vue:
        shown.get_by_text("Safety tolerance").wait_for()
        assert not shown.get_by_text("On failure").count()
    names = editor.do("(id) => app.graph.getNodeById(id).widgets.map((each) => each.name)", node)
    assert names[-4:] == ["limit_generations", "enable_web_search", "on_failure", "runcomfy_state"]
    assert editor.prompt()[node]["inputs"]["safety_tolerance"] == 6


def test_box_for_addresses_says_what_it_is_for(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT)
    box = "(id) => app.graph.getNodeById(id).widgets.find((each) => each.name === 'image_urls')"
    assert editor.do(f"(id) => ({box})(id).value", edit) == ""
    editor.until(f"(id) => ({box})(id).element?.placeholder === 'Image addresses (optional)'", edit)


def test_page_reads_links_as_the_newest_frontend_asks(editor: Editor) -> None:
    """The host warns of its own reads, too: only what passes through the pack's modules counts."""
    editor.do(
        "() => { window.warned = []; LiteGraph.alwaysRepeatWarnings = true; Error.stackTraceLimit = 60;"
        " LiteGraph.onDeprecationWarning.push((text) => window.warned.push(new Error(text).stack)); }"
    )
    made, edit = editor.add(TEXT_TO_IMAGE, prompt="a fox"), editor.add(PRO_EDIT, 600)
    editor.connect(made, edit, "image_1")
    editor.connect(made, edit, "image_2")
    editor.disconnect(edit, "image_1")
    editor.load(editor.saved())
    editor.page.wait_for_timeout(1000)
    warned = editor.do(
        "() => { LiteGraph.onDeprecationWarning.pop(); LiteGraph.alwaysRepeatWarnings = false;"
        " return window.warned; }"
    )
    assert [stack for stack in warned if "/extensions/" in stack] == []


def test_replaced_link_stays_at_its_socket(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600)
    images = [editor.add("LoadImage", 60, 120 + 200 * place) for place in range(3)]
    editor.connect(images[0], edit, "image_1")
    editor.connect(images[1], edit, "image_2")
    editor.connect(images[2], edit, "image_1")
    editor.page.wait_for_timeout(50)
    sent = editor.prompt()[edit]["inputs"]
    assert [sent["image_1"][0], sent["image_2"][0]] == [images[2], images[1]]
    assert [name for name, _ in editor.sockets(edit)] == ["image_1", "image_2", "image_3"]


def test_batch_counts_as_its_images_in_the_numbers(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600)
    editor.connect(editor.add("EmptyImage", 60, batch_size=3), edit, "image_1")
    editor.connect(editor.add("LoadImage", 60, 400), edit, "image_2")
    assert editor.sockets(edit)[:2] == [("image_1", "image 1\u20133"), ("image_2", "image 4")]


def test_sockets_go_up_to_all_that_the_server_has(editor: Editor) -> None:
    edit, image = editor.add(PRO_EDIT, 600), editor.add("LoadImage")
    for place in range(20):
        editor.connect(image, edit, f"image_{place + 1}")
    assert [name for name, _ in editor.sockets(edit)] == [f"image_{place + 1}" for place in range(20)]
    editor.disconnect(edit, "image_5")
    assert editor.sockets(edit)[-2:] == [("image_19", "image 19"), ("image_20", None)]


def test_sockets_are_saved_loaded_copied_and_undone(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600, prompt="blue")
    images = [editor.add("LoadImage", 60, 120 + 200 * place) for place in range(3)]
    for place, image in enumerate(images):
        editor.connect(image, edit, f"image_{place + 1}")
    editor.page.wait_for_timeout(50)
    before, workflow, size = editor.sockets(edit), editor.saved(), editor.size(edit)
    assert all(
        "label" not in slot for node in workflow["nodes"] for slot in node.get("inputs", []) if slot.get("label")
    )
    editor.load(workflow)
    assert editor.sockets(edit) == before
    assert editor.size(edit) == size
    editor.do(
        "() => { const { canvas } = app; canvas.selectItems([...app.graph.nodes]);"
        " canvas.copyToClipboard(); canvas.pasteFromClipboard(); }"
    )
    copy = editor.do(f"() => String(app.graph.nodes.filter((node) => node.type === '{PRO_EDIT}').at(-1).id)")
    assert copy != edit
    assert editor.sockets(copy) == before
    assert editor.size(copy) == size
    copied = editor.prompt()[copy]["inputs"]
    assert len({copied[f"image_{place}"][0] for place in (1, 2, 3)}) == 3
    assert copied["prompt"] == "blue"


def test_workflow_saved_without_the_extension_keeps_its_links(
    editor: Editor, host: Standin, context: BrowserContext
) -> None:
    plain = Editor(context, host.url)
    plain.open(extension=False)
    plain.clear()
    edit = plain.add(PRO_EDIT, 600, prompt="blue")
    images = [plain.add("LoadImage", 60, 120 + 200 * place) for place in range(3)]
    for image, socket in zip(images, ("image_1", "image_7", "image_20"), strict=True):
        plain.connect(image, edit, socket)
    workflow = plain.saved()
    plain.close()
    editor.load(workflow)
    assert [name for name, _ in editor.sockets(edit)] == ["image_1", "image_2", "image_3", "image_4"]
    sent = editor.prompt()[edit]["inputs"]
    assert [sent[f"image_{place}"][0] for place in (1, 2, 3)] == images
    assert (sent["prompt"], sent["num_images"], sent["rerun_seed"]) == ("blue", 1, 0)


def test_prompt_in_api_form_opens_with_all_its_images(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600, prompt="blue")
    for place in range(3):
        editor.connect(editor.add("LoadImage", 60, 120 + 200 * place), edit, f"image_{place + 1}")
    prompt = editor.prompt()
    editor.clear()
    editor.do("(prompt) => app.loadApiJson(prompt, 'prompt')", prompt)
    editor.page.wait_for_timeout(50)
    assert editor.prompt()[edit]["inputs"] == prompt[edit]["inputs"]
    assert len(editor.sockets(edit)) == 4


def test_sockets_stay_in_a_subgraph(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600)
    images = [editor.add("LoadImage", 60, 120 + 200 * place) for place in range(2)]
    for place, image in enumerate(images):
        editor.connect(image, edit, f"image_{place + 1}")
    editor.connect(edit, editor.add("PreviewImage", 1100), "images")
    editor.do("(id) => { app.graph.convertToSubgraph(new Set([app.graph.getNodeById(id)])); }", edit)
    workflow = editor.saved()
    editor.load(workflow)
    prompt = editor.prompt()
    inner = next(entry for entry in prompt.values() if entry["class_type"] == PRO_EDIT)
    assert [inner["inputs"]["image_1"], inner["inputs"]["image_2"]] == [[images[0], 0], [images[1], 0]]


@pytest.mark.usefixtures("with_token")
def test_state_is_shown_on_a_node_within_a_subgraph(editor: Editor, api: Emulator) -> None:
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox")
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.do("(id) => { app.graph.convertToSubgraph(new Set([app.graph.getNodeById(id)])); }", node)
    editor.run()
    editor.until("() => app.graph.nodes.some((each) => each.imgs?.length)")
    inner = "app.graph.nodes.find((each) => each.subgraph).subgraph.nodes[0]"
    board = f"{inner}.widgets.find((each) => each.name === 'runcomfy_state').element"
    # An element that is not on the page has no innerText.
    editor.until(f"() => {board}.textContent.includes('1 image delivered')")
    assert len(api.jobs) == 1


def test_undo_and_redo_keep_sockets_and_links(editor: Editor) -> None:
    edit = editor.add(PRO_EDIT, 600)
    image = editor.add("LoadImage")
    editor.capture()
    editor.connect(image, edit, "image_1")
    editor.capture()
    connected = editor.sockets(edit)
    assert connected == [("image_1", "image 1"), ("image_2", None)]
    editor.undo()
    assert editor.sockets(edit) == [("image_1", None)]
    editor.undo("redo")
    assert editor.sockets(edit) == connected


def test_page_speaks_the_language_of_the_settings(editor: Editor, host: Standin) -> None:
    host.settings["Comfy.Locale"] = "fr"
    try:
        editor.open()
        editor.clear()
        node = editor.add(TEXT_TO_IMAGE)
        editor.until_board(node, FRENCH["token.none"])
        assert "No API token yet" not in editor.board(node)
    finally:
        host.settings["Comfy.Locale"] = "en"
        editor.open()


def test_receipt_is_read_in_the_language_of_the_settings(
    editor: Editor, host: Standin, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", api.token)
    host.settings["Comfy.Locale"] = "fr"
    try:
        editor.open()
        editor.clear()
        node = editor.add(TEXT_TO_IMAGE, prompt="a job that fails")
        editor.connect(node, editor.add("PreviewImage", 600), "images")
        api.fault(Fault("job", fails="held back by the safety filter"))
        editor.run()
        editor.until_board(node, FRENCH["failure.job_failed"])
        board = editor.board(node)
        assert FRENCH["receipt.reason"].replace("{reason}", "held back by the safety filter") in board
        assert FRENCH["next.look_at_inputs"] in board and "The job failed" not in board
    finally:
        host.settings["Comfy.Locale"] = "en"
        editor.open()


def test_removed_nodes_leave_nothing_on_the_page(editor: Editor) -> None:
    editor.add(TEXT_TO_IMAGE)
    editor.until("() => document.querySelector('.runcomfy-board')")
    editor.clear()
    editor.until("() => !document.querySelector('.runcomfy-board')")


@pytest.mark.usefixtures("with_token")
def test_without_the_extension_all_sockets_work_and_the_host_shows_the_text(
    host: Standin, context: BrowserContext, api: Emulator
) -> None:
    editor = Editor(context, host.url)
    editor.open(extension=False)
    editor.clear()
    edit = editor.add(PRO_EDIT, 600, prompt="blue")
    assert len(editor.sockets(edit)) == 20
    editor.connect(editor.add("LoadImage"), edit, "image_20")
    editor.connect(edit, editor.add("PreviewImage", 1100), "images")
    editor.run()
    editor.until("() => app.graph.nodes.some((each) => each.imgs?.length)")
    assert len(api.jobs) == 1
    assert any("1 image delivered, " in text for _, text in host.texts)
    editor.close()


@pytest.mark.usefixtures("with_token")
def test_markup_in_a_providers_text_does_not_run_where_the_host_shows_it(
    host: Standin, context: BrowserContext, api: Emulator
) -> None:
    api.fault(Fault("job", fails='<img src=x onerror="window.ran = true"> blocked'))
    editor = Editor(context, host.url)
    editor.open(extension=False)
    editor.clear()
    editor.connect(editor.add(TEXT_TO_IMAGE, prompt="a fox"), editor.add("PreviewImage", 600), "images")
    editor.run()
    for _ in range(100):
        if any("onerror" in text for _, text in host.texts):
            break
        editor.page.wait_for_timeout(100)
    assert any("onerror" in text for _, text in host.texts)
    editor.page.wait_for_timeout(1000)
    assert editor.do("() => window.ran ?? false") is False
    editor.close()


@pytest.mark.usefixtures("with_token")
def test_impatient_person_who_presses_all_that_is_offered_pays_once(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    """Stopped twice, collected in three ways at once, its inputs used again, and run on and on."""
    api.hold_running = True
    node = editor.add(TEXT_TO_IMAGE, prompt="a fox", seed=7)
    editor.connect(node, editor.add("PreviewImage", 600), "images")
    editor.run()
    editor.until_board(node, "Running")
    editor.stop()
    editor.until_board(node, "can no longer be cancelled")
    editor.run()
    editor.until_board(node, "Running")
    sidebar = editor.open_jobs()
    sidebar.get_by_text("a fox").first.click()
    editor.stop()
    editor.until_board(node, "can no longer be cancelled")
    sidebar.get_by_text("Back to the list").click()
    sidebar.get_by_text("to be collected").first.click()
    collect = sidebar.get_by_role("button", name="Collect", exact=True)
    collect.evaluate("(button) => { button.click(); button.click(); }")
    editor.run()
    sidebar.get_by_role("button", name="Add to the graph").click()
    sidebar.get_by_role("button", name="Add to the graph").click()
    api.hold_running = False
    editor.until_board(node, "1 image delivered")
    sidebar.get_by_role("button", name="Use these inputs").click()
    for _ in range(3):
        editor.run()
    _until_idle(editor, host)
    assert (api.count("submit"), len(api.billed)) == (1, 1)
    # The host's own preview grows when its image comes.
    boxes = editor.do(
        "() => app.graph.nodes.filter((each) => each.type.startsWith('RunComfy'))"
        ".map((each) => [...each.pos, ...each.size])"
    )
    assert len(boxes) == 4
    assert not any(_cover(one, other) for place, one in enumerate(boxes) for other in boxes[:place])


def _until_idle(editor: Editor, host: Standin) -> None:
    for _ in range(200):
        if not host.executor.remaining:
            return
        editor.page.wait_for_timeout(50)
    raise AssertionError("prompts still run")


def _cover(one: list[float], two: list[float]) -> bool:
    return all(one[at] < two[at] + two[at + 2] and two[at] < one[at] + one[at + 2] for at in (0, 1))
