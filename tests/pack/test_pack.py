"""The pack as ComfyUI loads it, and what loading it must not do."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import ROOT

from nodes.core.version import USER_AGENT, VERSION

# Loads the pack as ComfyUI does, in a process that has a module ``nodes`` already, and tells all that happened.
LOADER = """
import importlib.util, json, os, sys, threading, types

root = sys.argv[1]
host_nodes = types.ModuleType("nodes")
sys.modules["nodes"] = host_nodes
before = dict(os.environ)
events = []

def watch(event, arguments):
    if event.startswith(("socket.", "sqlite3.", "subprocess.", "shutil.", "tempfile.")) or event in (
        "os.mkdir", "os.rename", "os.remove", "os.system", "os.exec", "os.posix_spawn", "signal.pthread_kill"
    ):
        events.append(f"{event} {arguments!r}")
    elif event == "open" and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
            events.append(f"open {arguments[0]!r}")

sys.addaudithook(watch)
name = root.replace(".", "_x_")
spec = importlib.util.spec_from_file_location(
    name, os.path.join(root, "__init__.py"), submodule_search_locations=[root]
)
pack = importlib.util.module_from_spec(spec)
sys.modules[name] = pack
spec.loader.exec_module(pack)
inputs = {node: list(made.INPUT_TYPES()) for node, made in pack.NODE_CLASS_MAPPINGS.items()}
print(json.dumps({
    "nodes": sorted(inputs),
    "events": events,
    "threads": threading.active_count(),
    "environ": before == dict(os.environ),
    "host_nodes": sys.modules["nodes"] is host_nodes and not hasattr(host_nodes, "core"),
    "modules": sorted({module.split(".")[0] for module in sys.modules if not module.startswith(name)}),
    "own": sorted(module for module in sys.modules if module.startswith(name)),
}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What loading the pack in a fresh process did, and that process's empty home."""
    home = tmp_path_factory.mktemp("home")
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOADER, str(ROOT)],
        env={**keep, "HOME": str(home), "USERPROFILE": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout), home


def test_comfyui_finds_what_it_looks_for(pack: ModuleType) -> None:
    assert set(pack.NODE_CLASS_MAPPINGS) == set(pack.NODE_DISPLAY_NAME_MAPPINGS)
    assert {"RunComfyNanoBanana2TextToImage", "RunComfyNanoBananaProEdit"} <= set(pack.NODE_CLASS_MAPPINGS)
    assert sorted(pack.__all__) == ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]
    assert pack.WEB_DIRECTORY == "./web"
    assert (ROOT / pack.WEB_DIRECTORY).is_dir()
    assert len(set(pack.NODE_DISPLAY_NAME_MAPPINGS.values())) == len(pack.NODE_DISPLAY_NAME_MAPPINGS)


def test_every_node_is_one_that_the_host_can_run(pack: ModuleType) -> None:
    for node_id, node_class in pack.NODE_CLASS_MAPPINGS.items():
        function = getattr(node_class(), node_class.FUNCTION)
        assert inspect.iscoroutinefunction(function), "a sync node would block the host's loop"
        assert node_class.__name__ == node_id
        assert len(node_class.RETURN_TYPES) == len(node_class.RETURN_NAMES) == len(node_class.OUTPUT_IS_LIST)
        assert all(isinstance(kind, str) for kind in node_class.RETURN_TYPES)


def test_input_types_are_made_anew_each_time(pack: ModuleType) -> None:
    # Hosts and other packs write into what they are given.
    for node_class in pack.NODE_CLASS_MAPPINGS.values():
        before = len(node_class.INPUT_TYPES())
        node_class.INPUT_TYPES().clear()
        assert len(node_class.INPUT_TYPES()) == before > 0


def test_loading_touches_neither_network_nor_disk(loaded: tuple[dict[str, Any], Path]) -> None:
    report, home = loaded
    assert report["events"] == []
    assert list(home.rglob("*")) == []


def test_loading_starts_no_thread_and_leaves_the_environment(loaded: tuple[dict[str, Any], Path]) -> None:
    report, _ = loaded
    assert report["threads"] == 1
    assert report["environ"]


def test_the_pack_loads_without_comfyui_and_beside_its_nodes_module(loaded: tuple[dict[str, Any], Path]) -> None:
    report, _ = loaded
    assert report["host_nodes"]
    assert not {"comfy", "comfy_execution", "server", "folder_paths", "execution"} & set(report["modules"])
    assert "RunComfyNanoBananaProEdit" in report["nodes"]


def test_what_only_a_run_needs_is_not_loaded_with_the_host(loaded: tuple[dict[str, Any], Path]) -> None:
    report, _ = loaded
    assert not {"torch", "numpy", "PIL", "requests", "urllib3", "aiohttp", "sqlite3", "emulator"} & set(
        report["modules"]
    )
    assert not [module for module in report["own"] if module.endswith((".jobs.runner", ".journal", ".transport"))]
    assert not [module for module in report["own"] if ".shell" in module]


def test_the_root_is_harmless_outside_a_package() -> None:
    # pytest and packaging tools import the root's __init__.py on its own.
    names: dict[str, Any] = {"__name__": "__init__", "__package__": ""}
    exec(compile((ROOT / "__init__.py").read_text(encoding="utf-8"), "__init__.py", "exec"), names)
    assert "NODE_CLASS_MAPPINGS" not in names


def test_versions_agree() -> None:
    assert project_line("version") == VERSION
    assert f"runcomfy-models/{VERSION}" == USER_AGENT


def test_the_supported_versions_of_python_are_the_tested_ones() -> None:
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    matrix = re.search(r"^ +python: (\[.+\])$", workflow, re.MULTILINE)
    assert matrix
    tested = ast.literal_eval(matrix[1])
    classifier = "Programming Language :: Python :: "
    named = re.findall(rf'"{classifier}(3\.\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert named == tested
    assert project_line("requires-python") == f">={tested[0]}"
    assert f"Python {tested[0]} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_requirements_are_the_projects_dependencies() -> None:
    required = requirements("requirements.txt")
    assert required == sorted(project_line("dependencies"))
    assert all(">=" in requirement for requirement in required), "an honest lower bound for each"
    assert not [requirement for requirement in required if requirement.startswith("torch")], "torch is the host's"


def test_the_development_requirements_build_on_them() -> None:
    lines = requirements("requirements-dev.txt")
    assert "-r requirements.txt" in lines
    assert "torch==2.13.0" in lines


def requirements(name: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return sorted(line for line in lines if line)


def project_line(key: str) -> Any:
    """Return a one-line value of pyproject.toml; Python 3.10 has no TOML reader."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(rf"^{key} = (.+)$", text, re.MULTILINE)
    assert found, f"pyproject.toml has no {key}"
    return ast.literal_eval(found[1])


def test_what_the_registry_leaves_out_is_named_from_the_root() -> None:
    """A pattern without a leading slash would match at any depth, ``web/docs`` among them."""
    lines = (ROOT / ".comfyignore").read_text(encoding="utf-8").split()
    assert lines and all(line.startswith("/") for line in lines)
