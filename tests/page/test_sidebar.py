"""The sidebar on ComfyUI's real page: thousands of jobs, and what a person does with one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright")

from emulator import Emulator

from .browser import COLLECT, TEXT_TO_IMAGE, Editor
from .conftest import Look
from .record import Record, entry
from .standin import PAGE_SETTINGS, Standin

pytestmark = pytest.mark.page

JOBS = 5_000
LAST_PROMPT = "number 1,"
SCROLL = """async (last) => {
  const list = document.querySelector('.runcomfy-list');
  let rows = 0;
  for (const since = Date.now(); Date.now() - since < 60000 && !list.innerText.includes(last);) {
    list.scrollTop += 4000;
    await new Promise((done) => setTimeout(done, 30));
    rows = Math.max(rows, list.querySelectorAll('.runcomfy-job').length);
  }
  return rows;
}"""
NODES = """(type) => app.graph.nodes.filter((node) => node.type === type)
  .map((node) => [...node.pos, ...node.size, node.widgets?.[0]?.value])"""


@pytest.fixture(scope="module")
def record() -> Record:
    return Record()


@pytest.fixture(scope="module")
def host(static: Path, look: Look, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with Standin(tmp_path_factory.mktemp("user"), static, record=record) as started:
        started.settings = {**PAGE_SETTINGS, "Comfy.VueNodes.Enabled": look.vue}
        yield started


@pytest.fixture(autouse=True)
def filled(record: Record, with_token: None) -> None:
    """Three jobs that need a person, among thousands of others."""
    del with_token
    record.clear()
    record.add(*(entry(number) for number in range(1, JOBS + 1)))
    record.add(
        entry(4999, state="submitted", needs="collect", files=[], cost=None, charge="unknown"),
        entry(4997, state="unknown", needs="look", files=[], request_id="", cost=None, charge="unknown"),
        entry(4000, state="failed", needs="permission", files=[]),
    )


def test_list_of_thousands_keeps_a_dozen_rows_in_the_page(editor: Editor, record: Record) -> None:
    sidebar = editor.open_jobs()
    sidebar.get_by_text("number 5000,").wait_for()
    rows = editor.do(SCROLL, LAST_PROMPT)
    assert 5 < rows < 40
    assert sidebar.get_by_text(LAST_PROMPT).count() == 1
    shown = [asked for path, asked in record.calls if path == "thumbnail"]
    assert len(shown) < JOBS
    # One answer for each hundred jobs, and where the list was asked for anew in between.
    pages = [asked for path, asked in record.calls if path == "/jobs" and "before" in asked]
    assert JOBS / 100 - 1 <= len(pages) <= JOBS / 100 + 2


def test_what_needs_a_person_comes_first_and_is_counted_on_the_tab(editor: Editor) -> None:
    sidebar = editor.open_jobs()
    sidebar.get_by_text("3 jobs need you").wait_for()
    editor.until("() => document.querySelectorAll('.runcomfy-job').length > 5")
    states = sidebar.locator(".runcomfy-job-state").all_inner_texts()[:3]
    assert states == ["to be collected", "outcome not known", "charged, nothing delivered"]
    assert editor.badge() == "3"
    sidebar.get_by_text("This month $25.00").wait_for()


def test_search_and_filters_find_one_job_among_thousands(editor: Editor, record: Record) -> None:
    sidebar = editor.open_jobs()
    sidebar.locator("input[type=search]").fill("number 1234,")
    editor.until("() => document.querySelectorAll('.runcomfy-job').length === 1")
    sidebar.get_by_text("Clear filters").click()
    sidebar.get_by_label("All states").select_option("failed")
    editor.until("() => document.querySelectorAll('.runcomfy-job').length === 1")
    sidebar.get_by_label("All models").select_option("google/nano-banana-pro/edit")
    sidebar.get_by_text("No job matches.").wait_for()
    assert [asked for path, asked in record.calls if path == "/jobs"][-1]["model"] == "google/nano-banana-pro/edit"
    sidebar.get_by_text("Clear filters").click()
    sidebar.get_by_text("3 jobs need you").wait_for()


def test_collecting_shows_the_image_and_runs_nothing(editor: Editor, host: Standin) -> None:
    editor.add(TEXT_TO_IMAGE, prompt="a fox")
    sidebar = editor.open_jobs()
    sidebar.get_by_text("to be collected").first.click()
    sidebar.get_by_role("button", name="Collect").click()
    sidebar.get_by_text("Collected: no new charge.").wait_for()
    editor.until("() => document.querySelector('.runcomfy-job-file')?.naturalWidth === 96")
    sidebar.get_by_text("Back to the list").click()
    sidebar.get_by_text("2 jobs need you").wait_for()
    assert editor.badge() == "2"
    assert host.executor.ran == []


def test_all_that_is_to_be_collected_is_collected_at_once(editor: Editor, record: Record, host: Standin) -> None:
    for number in (4996, 4995):
        record.add(entry(number, state="submitted", needs="collect", files=[], cost=None, charge="unknown"))
    sidebar = editor.open_jobs()
    sidebar.get_by_text("5 jobs need you").wait_for()
    sidebar.get_by_role("button", name="Collect all").click()
    sidebar.get_by_text("2 jobs need you").wait_for()
    editor.until("() => !document.querySelector('.runcomfy-sidebar').innerText.includes('Collecting')")
    assert not sidebar.get_by_role("button", name="Collect all").count()
    assert len([path for path, _ in record.calls if path == "/jobs/collect"]) == 3
    assert host.executor.ran == []


def test_dragged_job_is_collected_by_a_node_of_its_own_that_is_run_alone(
    editor: Editor, host: Standin, api: Emulator
) -> None:
    paid = editor.add(TEXT_TO_IMAGE, 300, 100, prompt="a fox")
    editor.connect(paid, editor.add("PreviewImage", 760, 100), "images")
    sidebar = editor.open_jobs()
    row = sidebar.locator(".runcomfy-job", has_text="number 5000,")
    row.wait_for()
    # Onto the node that costs money: the new one goes where it covers none.
    place = editor.do(
        "() => { const { ds, canvas } = app.canvas; const box = canvas.getBoundingClientRect();"
        " return { x: box.left + (400 + ds.offset[0]) * ds.scale, y: box.top + (250 + ds.offset[1]) * ds.scale }; }"
    )
    row.hover()
    editor.page.mouse.down()
    editor.page.mouse.move(place["x"] - 20, place["y"], steps=4)
    editor.page.mouse.move(place["x"], place["y"], steps=2)
    editor.page.mouse.up()
    editor.until(f"() => app.graph.nodes.some((node) => node.type === '{COLLECT}')")
    ((*added, request_id),) = editor.do(NODES, COLLECT)
    assert request_id.startswith("00001388-")
    others = editor.do(NODES, TEXT_TO_IMAGE) + editor.do(NODES, "PreviewImage")
    assert len(others) == 2 and not any(_cover(added, other) for other in others)
    editor.page.wait_for_timeout(500)
    assert [[node["class_type"] for node in prompt.values()] for prompt in host.executor.ran] == [[COLLECT]]
    assert api.count("submit") == 0


def test_inputs_are_used_again_on_the_selected_node_or_a_new_one(editor: Editor) -> None:
    sidebar = editor.open_jobs()
    sidebar.get_by_text("number 5000,").click()
    sidebar.get_by_role("button", name="Use these inputs").click()
    sidebar.get_by_text("A node with these inputs was added").wait_for()
    # The new node is the selected one.
    sidebar.get_by_role("button", name="Use these inputs").click()
    sidebar.get_by_text("These inputs are on the selected node").wait_for()
    ((_, _, _, _, prompt),) = editor.do(NODES, TEXT_TO_IMAGE)
    assert "number 5000," in prompt
    (sent,) = editor.prompt().values()
    assert sent["inputs"]["seed"] == 5000
    control = "app.graph.nodes[0].widgets.find((each) => each.name === 'control_after_generate').value"
    assert editor.do(f"() => {control}") == "fixed"


def test_permission_cancel_and_forget_each_ask_the_server_once(editor: Editor, record: Record) -> None:
    sidebar = editor.open_jobs()
    sidebar.get_by_text("charged, nothing delivered").first.click()
    sidebar.get_by_role("button", name="Allow paying again").click()
    sidebar.get_by_role("button", name="Really pay again?").click()
    sidebar.get_by_text("Paying again is allowed, once").wait_for()
    sidebar.get_by_text("Back to the list").click()
    sidebar.get_by_text("to be collected").first.click()
    sidebar.get_by_role("button", name="Cancel", exact=True).click()
    sidebar.get_by_text("Cancelled while it was queued: not charged.").wait_for()
    sidebar.get_by_role("button", name="Forget").click()
    sidebar.get_by_role("button", name="Really erase it?").click()
    sidebar.get_by_text("number 5000,").wait_for()
    assert 4999 not in record.entries
    asked = [path for path, _ in record.calls if path in ("/jobs/retry", "/jobs/cancel", "/jobs/forget")]
    assert asked == ["/jobs/retry", "/jobs/cancel", "/jobs/forget"]


def test_tab_opens_from_the_node_and_keeps_what_it_showed(editor: Editor) -> None:
    node = editor.add(TEXT_TO_IMAGE)
    editor.choose(node, "Paid jobs")
    sidebar = editor.page.locator(".runcomfy-sidebar")
    sidebar.get_by_text("number 5000,").click()
    sidebar.get_by_role("button", name="Copy the request id").wait_for()
    for _ in range(2):
        editor.do("() => { app.extensionManager.command.execute('Workspace.ToggleSidebarTab.runcomfy'); }")
        editor.page.wait_for_timeout(200)
    sidebar.get_by_role("button", name="Copy the request id").wait_for()


def test_spending_is_shown_by_user_and_the_workflow_names_its_project(editor: Editor) -> None:
    sidebar = editor.open_jobs()
    sidebar.locator(".runcomfy-spend summary").click()
    shares = sidebar.locator(".runcomfy-spend-by:text-is('By user') + dl")
    shown = [shares.locator(tag).all_inner_texts() for tag in ("dt", "dd")]
    assert shown == [["alice", "not named"], ["$20.00", "$5.00"]]
    field = sidebar.get_by_label("Project of this workflow")
    for name, carried in (("spot", "spot"), ("", None)):
        field.fill(name)
        field.blur()
        assert editor.do("() => app.graph.serialize().extra?.runcomfy_project ?? null") == carried


def test_settings_are_stored_as_they_are_changed_and_variables_come_first(editor: Editor, record: Record) -> None:
    panel = editor.open_settings()
    budget = panel.get_by_label("Daily budget, USD")
    budget.fill("5")
    budget.press("Tab")
    panel.get_by_text("Settings saved.").wait_for()
    panel.get_by_label("Keep prompts and inputs").uncheck()
    editor.until("() => !document.querySelector('.runcomfy-switch').checked")
    assert panel.get_by_label("Count a job of unknown cost as").is_disabled()
    panel.get_by_text("set where ComfyUI was started").wait_for()
    panel.get_by_role("button", name="Forget all inputs").click()
    assert all(path != "/jobs/forget_inputs" for path, _ in record.calls)
    panel.get_by_role("button", name="Really erase").click()
    panel.get_by_text("All inputs are erased.").wait_for()
    stored = [asked for path, asked in record.calls if path == "/settings" and asked]
    assert stored == [{"daily_budget_usd": 5}, {"keep_inputs": False}]


def test_settings_use_the_width_of_their_panel(editor: Editor) -> None:
    panel = editor.open_settings()
    width = panel.evaluate("(panel) => panel.offsetWidth / panel.closest('.setting-item').offsetWidth")
    assert width > 0.95


def _cover(one: list[float], two: list[float]) -> bool:
    return all(one[at] < two[at] + two[at + 2] and two[at] < one[at] + one[at + 2] for at in (0, 1))
