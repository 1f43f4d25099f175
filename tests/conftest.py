"""Fixtures: an emulator on a real port, a runner of nodes, and the pack loaded as ComfyUI loads it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from postgres import Server, programs
from support import ROOT, Runner

from emulator import Emulator
from nodes.app.catalogue.here import HERE
from nodes.app.service import close_services

ENGINES = ("sqlite", "postgres")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses a record on both engines; one of a single engine is marked with its name."""
    if "record" in metafunc.fixturenames and metafunc.definition.get_closest_marker("page") is None:
        alone = [engine for engine in ENGINES if metafunc.definition.get_closest_marker(engine)]
        metafunc.parametrize("record", alone or ENGINES, indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    """Measure coverage of whole runs only: a part of the tests covers a part of the code."""
    coverage = config.pluginmanager.getplugin("_cov")
    chosen = config.getoption("keyword") or config.getoption("markexpr") != "not page"
    if coverage is not None and (chosen or config.args_source is not pytest.Config.ArgsSource.TESTPATHS):
        coverage.options.no_cov = True


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def runner(api: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    state = tmp_path / "state"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RUNCOMFY_MODEL_API_BASE", api.base_url)
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", api.token)
    monkeypatch.setenv("RUNCOMFY_STATE_DIR", str(state))
    for name in (
        "KEEP_MB",
        "KEEP_DIR",
        "KEEP_INPUTS",
        "DAILY_BUDGET_USD",
        "MAX_COST_USD",
        "DOWNLOAD_HOSTS",
        "JOURNAL",
        "AS_IT_IS",
    ):
        monkeypatch.delenv(f"RUNCOMFY_{name}", raising=False)
    yield Runner(api, state)
    close_services()
    HERE.load(tmp_path / "nothing")


@pytest.fixture(scope="session")
def pack() -> Iterator[ModuleType]:
    """The pack as ComfyUI loads it: from its folder's path, under a name that is that path."""
    name = str(ROOT).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    for loaded in [loaded for loaded in sys.modules if loaded.startswith(name)]:
        del sys.modules[loaded]


@pytest.fixture
def definitions(pack: ModuleType) -> dict[str, Any]:
    """What the pack's nodes declare as their inputs, by node id."""
    return {name: node.INPUT_TYPES() for name, node in pack.NODE_CLASS_MAPPINGS.items()}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server for the tests of this process."""
    if programs() is None:
        pytest.skip("no PostgreSQL server is installed (Debian's package is postgresql)")
    with Server(fsync="off") as started:
        yield started


@pytest.fixture
def record(request: pytest.FixtureRequest) -> str:
    """The address of an empty record; '' for the file of the state folder."""
    return "" if request.param == "sqlite" else request.getfixturevalue("server").new_database()
