"""The real page in headless Chromium, and what a person does there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, sync_playwright

from .standin import FOLDER

TEXT_TO_IMAGE = "RunComfyNanoBanana2TextToImage"
PRO_EDIT = "RunComfyNanoBananaProEdit"
COLLECT = "RunComfyCollect"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Not by Playwright's routes: these would switch off the browser's cache.
ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
WAIT_MILLISECONDS = 15_000
# The page's own: files that this server has not, and hosts that are blocked.
NOT_OURS = ("Failed to load resource", "Error fetching logs")

_TRACKER = "app.extensionManager.workflow.activeWorkflow.changeTracker"
_READY = """([id, types]) => window.app?.graph && window.app.extensions?.some((each) => each.name === id)
  && types.every((type) => window.LiteGraph?.registered_node_types?.[type] !== undefined)"""
_ADD = """([type, x, y, values]) => {
  const node = LiteGraph.createNode(type);
  node.pos = [x, y];
  app.graph.add(node);
  for (const [name, value] of Object.entries(values)) {
    const widget = node.widgets.find((each) => each.name === name);
    widget.value = value;
    widget.callback?.(value);
  }
  app.canvas.setDirty(true, true);
  return String(node.id);
}"""
BOARD = "(id) => app.graph.getNodeById(id).widgets.find((each) => each.name === 'runcomfy_state').element"
_SHOWS = f"([id, text, shown]) => ({BOARD})(id).innerText.includes(text) === shown"
_BADGES = """(id) => (app.graph.getNodeById(id).badges ?? [])
  .map((each) => (typeof each === 'function' ? each() : each)?.text ?? '')
  .filter((text) => text.includes('$')).join()"""
_SOCKETS = """(id) => app.graph.getNodeById(id).inputs.filter((slot) => /^image_\\d+$/.test(slot.name))
  .map((slot) => [slot.name, app.graph.getNodeById(id).isInputConnected(
    app.graph.getNodeById(id).inputs.indexOf(slot)) ? slot.label : null])"""


def chromium() -> str | None:
    """Where a Chromium of the system lies; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser: the system's, else Playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, ONLY_HERE])
        try:
            yield browser
        finally:
            browser.close()


_BADGE = "app.extensionManager.getSidebarTabs().find((tab) => tab.id === 'runcomfy').iconBadge"


class Editor:
    """The page of one test. ``errors`` is what the console and the page complained of."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MILLISECONDS)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error.stack or error}"))
        self.page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(NOT_OURS):
            self.errors.append(message.text)

    def open(self, *, extension: bool = True) -> None:
        """Open the page, or load it again, and wait for the nodes."""
        if not extension:
            self.page.route(f"**/extensions/{FOLDER}/**", lambda route: route.abort())
        self.page.goto(self.url)
        name = "RunComfy.Models" if extension else "Comfy.UploadImage"
        self.page.wait_for_function(_READY, arg=[name, [TEXT_TO_IMAGE, PRO_EDIT, COLLECT]], timeout=60_000)

    def open_anew(self) -> None:
        """Load the page as one that was never open here: it opens no workflow of before."""
        self.page.goto(f"{self.url.rstrip('/')}/runcomfy/account")
        self._forget()
        self.open()

    def _forget(self) -> None:
        self.do("() => { localStorage.clear(); sessionStorage.clear(); }")

    def start_anew(self) -> None:
        """Close what is open, empty the graph, and let the extension ask the server again."""
        self.close_dialogs()
        self.clear()
        self.errors.clear()
        with self.page.expect_response("**/runcomfy/account"):
            self.do("() => { window.comfyAPI.api.api.dispatchEvent(new CustomEvent('reconnected')); }")
        self.page.wait_for_timeout(50)
        # The page's own about a failed run may come late.
        self.close_dialogs()

    def close_dialogs(self) -> None:
        """Close what is open above the graph."""
        for _ in range(5):
            if not self.page.locator(".runcomfy-panel:visible, dialog:visible, .p-dialog-mask:visible").count():
                break
            self.page.keyboard.press("Escape")
            self.page.wait_for_timeout(100)

    def clear(self) -> None:
        """Empty the graph; what is known of another one's nodes is not of this one's."""
        self.do("() => { app.graph.clear(); (app.rootGraph ?? app.graph).id = crypto.randomUUID(); }")

    def close(self) -> None:
        """Close the page and forget what it stored in the browser."""
        self._forget()
        self.page.close()

    def do(self, script: str, argument: Any = None) -> Any:
        """Run a function in the page and return what it returns."""
        return self.page.evaluate(script, argument)

    def until(self, script: str, argument: Any = None) -> None:
        """Wait until a function in the page returns something true."""
        self.page.wait_for_function(script, arg=argument)

    def add(self, node_type: str, x: int = 60, y: int = 120, **values: object) -> str:
        """Add a node and return its id."""
        return str(self.do(_ADD, [node_type, x, y, values]))

    def connect(self, source: str, target: str, socket: str, output: int = 0) -> None:
        self.do(
            "([source, output, target, socket]) => { const to = app.graph.getNodeById(target);"
            " app.graph.getNodeById(source).connect(output, to, to.findInputSlot(socket)); }",
            [source, output, target, socket],
        )

    def disconnect(self, target: str, socket: str) -> None:
        self.do(
            "([target, socket]) => { const to = app.graph.getNodeById(target);"
            " to.disconnectInput(to.findInputSlot(socket)); }",
            [target, socket],
        )

    def sockets(self, node: str) -> list[tuple[str, str | None]]:
        """Return the image sockets of a node: their names, and the labels of the connected ones."""
        return [(name, label) for name, label in self.do(_SOCKETS, node)]

    def size(self, node: str) -> list[float]:
        return [float(side) for side in self.do("(id) => [...app.graph.getNodeById(id).size]", node)]

    def board(self, node: str) -> str:
        """Return the text of a node's board."""
        return str(self.do(f"(id) => ({BOARD})(id).innerText", node))

    def board_element(self, node: str) -> Any:
        return self.page.evaluate_handle(BOARD, node).as_element()

    def until_board(self, node: str, text: str, *, shown: bool = True) -> None:
        """Wait until a node's board shows a text, or does not."""
        try:
            self.until(_SHOWS, [node, text, shown])
        except TimeoutError:
            raise AssertionError(f"the board shows {self.board(node)!r}; {text!r} was waited for") from None

    def until_price(self, node: str, text: str) -> None:
        """Wait until the badge in a node's head says what a job costs; '' for no badge."""
        try:
            self.until(f"([id, text]) => ({_BADGES})(id) === text", [node, text])
        except TimeoutError:
            raise AssertionError(f"{self.do(_BADGES, node)!r}; {text!r} was waited for") from None

    def press(self, node: str, button: str) -> None:
        """Press a button on a node's board."""
        self.until_board(node, button)
        self.do(
            f"([id, label]) => [...({BOARD})(id).querySelectorAll('button')]"
            ".find((each) => each.textContent === label).click()",
            [node, button],
        )

    def run(self) -> None:
        self.do("() => { app.queuePrompt(0, 1); }")

    def stop(self) -> None:
        self.do("() => window.comfyAPI.api.api.interrupt()")

    def prompt(self) -> dict[str, Any]:
        """Return the prompt that would be run."""
        return dict(self.do("async () => (await app.graphToPrompt()).output"))

    def saved(self) -> dict[str, Any]:
        """Return the workflow as it would be saved."""
        return dict(json.loads(self.do("async () => JSON.stringify((await app.graphToPrompt()).workflow)")))

    def load(self, workflow: dict[str, Any]) -> None:
        self.do("(text) => app.loadGraphData(JSON.parse(text))", json.dumps(workflow))

    def capture(self) -> None:
        """Let the page take a step of its undo history, as it does when the mouse button goes up."""
        self.do(
            f"() => {{ const tracker = {_TRACKER};"
            " (tracker.captureCanvasState ?? tracker.checkState).call(tracker); }"
        )
        # The page adds to this step what follows at once.
        self.page.wait_for_timeout(150)

    def undo(self, way: str = "undo") -> None:
        """Undo or redo a step."""
        self.do(f"(way) => {_TRACKER}[way]()", way)

    def open_settings(self) -> Locator:
        """Open the settings at RunComfy and return the panel."""
        self.do("() => { app.extensionManager.command.execute('Comfy.ShowSettingsDialog'); }")
        self.page.get_by_text("RunComfy", exact=True).first.click()
        panel = self.page.locator(".runcomfy-panel")
        panel.wait_for()
        return panel

    def open_jobs(self) -> Locator:
        """Open the sidebar with the jobs and return it."""
        self.do("() => { app.extensionManager.command.execute('RunComfy.Jobs'); }")
        sidebar = self.page.locator(".runcomfy-sidebar")
        sidebar.wait_for()
        return sidebar

    def choose(self, node: str, entry: str) -> None:
        """Choose an entry of a node's menu."""
        self.do(
            "([id, entry]) => { const node = app.graph.getNodeById(id);"
            " const items = app.collectNodeMenuItems?.(node) ?? node.getExtraMenuOptions(app.canvas, []);"
            " items.find((item) => item?.content === entry).callback(); }",
            [node, entry],
        )

    def badge(self) -> str:
        """Return what the sidebar's tab shows on its icon."""
        return str(self.do(f"() => {_BADGE}"))

    def until_badge(self, text: str) -> None:
        """Wait until the sidebar's tab shows a text on its icon."""
        self.until(f"(text) => {_BADGE} === text", text)
