"""The page tests: the real page of two versions, and where it has them both renderers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from emulator import Emulator

from .frontends import NEWEST, YEAR_AGO, frontend
from .standin import PAGE_SETTINGS, Standin

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

    from .browser import Editor


class Look(NamedTuple):
    """A version of the page and its renderer. Node 2.0 of a year ago showed no text boxes at all yet."""

    version: str
    vue: bool


LOOKS = {
    "newest-vue": Look(NEWEST, vue=True),
    "newest-classic": Look(NEWEST, vue=False),
    "year-ago-classic": Look(YEAR_AGO, vue=False),
}


def unavailable(reason: str) -> None:
    """Skip, or fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


# Of a module: as long as Playwright runs, its event loop keeps others from running in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import Error

    from .browser import launched

    try:
        started = launched()
        opened = started.__enter__()
    except Error as error:
        unavailable(f"Chromium cannot be started: {str(error).splitlines()[0]}")
    yield opened
    started.__exit__(None, None, None)


@pytest.fixture(scope="module", params=LOOKS)
def look(request: pytest.FixtureRequest) -> Look:
    return LOOKS[request.param]


@pytest.fixture(scope="module")
def static(look: Look) -> Path:
    try:
        return frontend(look.version)
    except RuntimeError as error:
        unavailable(str(error))
        raise


@pytest.fixture(scope="module")
def host(static: Path, look: Look, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """One stand-in for all tests of a look: what the pack reads of its surroundings is new for each test."""
    with Standin(tmp_path_factory.mktemp("user"), static) as started:
        started.settings = {**PAGE_SETTINGS, "Comfy.VueNodes.Enabled": look.vue}
        yield started


@pytest.fixture(scope="module")
def context(browser: Browser, look: Look) -> Iterator[BrowserContext]:
    """One browser profile for all tests of a look, for its cache."""
    del look
    made = browser.new_context(viewport={"width": 1400, "height": 900})
    yield made
    made.close()


@pytest.fixture(scope="module")
def opened(host: Standin, context: BrowserContext) -> Iterator[Editor]:
    from .browser import Editor

    editor = Editor(context, host.url)
    editor.open()
    yield editor
    editor.close()


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def surroundings(api: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No token, no jobs, and the emulator of the test."""
    for name in [name for name in os.environ if name.startswith(("RUNCOMFY_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("YOUR_API_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RUNCOMFY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RUNCOMFY_MODEL_API_BASE", api.base_url)
    return monkeypatch


@pytest.fixture
def with_token(surroundings: pytest.MonkeyPatch, api: Emulator) -> None:
    surroundings.setenv("RUNCOMFY_API_TOKEN", api.token)


@pytest.fixture
def editor(opened: Editor, host: Standin, surroundings: pytest.MonkeyPatch) -> Iterator[Editor]:
    """The open page with an empty graph. A test must end without an error in the console."""
    del surroundings
    host.forget()
    opened.start_anew()
    yield opened
    assert opened.errors == []
