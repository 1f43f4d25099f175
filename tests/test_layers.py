"""The arrows of the house point one way: every import of the pack is walked."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from support import ROOT

# The spine of the design. A module on it may import from the rows above it and from modules that are not on it;
# as no circle is allowed anywhere, none of those can lead an arrow back up.
SPINE = (
    "core.errors",
    "core.schema core.images core.transport core.wire core.retry core.records core.database",
    "core.arguments core.encoding core.client core.downloads core.journal",
    "core.submission core.collection core.run",
    "core.obtaining core.delivering",
    "core.jobs",
    "core.ordering core.service",
)
ROOMS = ("core", "comfyui", "shell")
RANKS = {module: rank for rank, row in enumerate(SPINE) for module in row.split()}

# Every other module needs the standard library only.
THIRD_PARTY = {
    "core.images": {"numpy", "PIL", "torch"},
    "core.memory": {"numpy"},
    "core.encoding": {"PIL"},
    "core.transport": {"requests", "urllib3"},
    "core.downloads": {"requests"},
    "core.collection": {"torch"},
    "core.run": {"torch"},
    "core.delivering": {"torch"},
    "comfyui.factory": {"torch"},
    "comfyui.routes": {"aiohttp"},
    "shell.files": {"torch", "PIL"},
    "shell.commands": {"torch", "emulator"},
}
HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "execution", "folder_paths", "server"}
HOST_ROOM = "comfyui.runtime"


@dataclass(frozen=True)
class Import:
    """One imported name: ``level`` dots, the module, the name from it, and whether it is inside a function."""

    line: int
    level: int
    module: str
    name: str
    in_function: bool


def imports(tree: ast.AST, in_function: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, 0, alias.name, "", inside)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.lineno, node.level, node.module or "", alias.name, inside)
        yield from imports(node, inside)


def own_target(root: Path, importer: str, found: Import) -> str | None:
    """Return the module of the pack that a relative import names, None where there is none."""
    package = importer.split(".")[:-1]
    above = found.level - 1
    if above > len(package):
        return None
    parts = package[: len(package) - above] + [part for part in found.module.split(".") if part]
    for target in ([*parts, found.name], parts, [*parts, "__init__"]):
        if target and root.joinpath(*target).with_suffix(".py").exists():
            return ".".join(target)
    return None


def room(module: str) -> int:
    """Return how high a module stands: core, comfyui, and above them the shell and the entries."""
    first = module.split(".")[0]
    return ROOMS.index(first) if first in ROOMS else len(ROOMS)


def violations(root: Path) -> list[str]:
    """Return everything under ``root`` (the folder of ``nodes``) that breaks a rule."""
    found = []
    arrows: dict[str, set[str]] = {}
    for path in sorted(root.rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        arrows[module] = set()
        for one in imports(ast.parse(path.read_text(encoding="utf-8"))):
            target = own_target(root, module, one) if one.level else None
            problem = problem_of_own(module, target) if one.level else problem_of_other(module, one)
            if problem:
                found.append(f"{module}:{one.line}: {problem}")
            elif target:
                arrows[module].add(target)
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        found.append(f"a circle: {' <- '.join(error.args[1])}")
    return found


def problem_of_own(module: str, target: str | None) -> str | None:
    if target is None:
        return "reaches out of the pack, or for a module that is not there"
    if room(target) > room(module) or target == module:
        return f"imports {target}: the arrow does not point down"
    if target in RANKS and module in RANKS and RANKS[target] >= RANKS[module]:
        return f"imports {target}: the arrow does not point down"
    return None


def problem_of_other(module: str, found: Import) -> str | None:
    top = found.module.split(".")[0]
    if top == "nodes":
        return "imports nodes absolutely: inside ComfyUI that is the host's own module"
    if top in HOST:
        if module != HOST_ROOM:
            return f"imports {top} of the host outside {HOST_ROOM}"
        return None if found.in_function else f"imports {top} of the host while the module is loaded"
    if top == "importlib":
        return "imports by name, where no test sees the arrow"
    if top in sys.stdlib_module_names or top in THIRD_PARTY.get(module, ()):
        return None
    return f"imports {top}, which is not allowed here"


def test_every_arrow_points_down() -> None:
    assert violations(ROOT / "nodes") == []


def test_the_table_names_modules_that_are_there() -> None:
    files = [ROOT.joinpath("nodes", *module.split(".")) for module in {*RANKS, *THIRD_PARTY, HOST_ROOM}]
    assert [file for file in files if not file.with_suffix(".py").exists()] == []
    assert len(RANKS) == sum(len(row.split()) for row in SPINE)


def test_errors_and_schema_need_the_standard_library_only() -> None:
    assert not {"core.errors", "core.schema"} & set(THIRD_PARTY)


@pytest.mark.parametrize(
    ("module", "source", "problem"),
    [
        ("core/errors.py", "from .schema import Field", "arrow"),
        ("core/errors.py", "from . import schema", "arrow"),
        ("core/schema.py", "def late():\n    from ..comfyui import factory", "arrow"),
        ("core/schema.py", "if TYPE_CHECKING:\n    from ..comfyui.factory import node_class", "arrow"),
        ("core/schema.py", "from ..shell.commands import main", "arrow"),
        ("core/schema.py", "from .. import NODE_CLASS_MAPPINGS", "arrow"),
        ("core/jobs.py", "from .. import shell", "arrow"),
        ("core/retry.py", "from .jobs import Jobs", "arrow"),
        ("core/wire.py", "from .retry import What", "arrow"),
        ("comfyui/factory.py", "from ..shell.commands import main", "arrow"),
        ("core/aside.py", "from .above import thing", "circle"),
        ("core/schema.py", "from .new_room import thing", "not there"),
        ("core/schema.py", "from ...emulator import Emulator", "out of the pack"),
        ("core/schema.py", "from .... import anything", "out of the pack"),
        ("core/schema.py", "from nodes.core.errors import PackError", "absolutely"),
        ("core/schema.py", "import nodes", "absolutely"),
        ("core/jobs.py", "from emulator import Emulator", "imports emulator"),
        ("core/jobs.py", "import comfy.utils", "outside comfyui.runtime"),
        ("comfyui/routes.py", "def routes():\n    from server import PromptServer", "outside comfyui.runtime"),
        ("comfyui/factory.py", "def host():\n    import folder_paths", "outside comfyui.runtime"),
        ("comfyui/runtime.py", "import folder_paths", "while the module is loaded"),
        ("comfyui/runtime.py", "class Host:\n    from server import PromptServer", "while the module is loaded"),
        ("comfyui/runtime.py", "if True:\n    import execution", "while the module is loaded"),
        ("core/schema.py", "import torch", "imports torch"),
        ("core/errors.py", "def f():\n    from requests import get", "imports requests"),
        ("core/client.py", "import importlib", "imports by name"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, module: str, source: str, problem: str) -> None:
    for name in ("core", "comfyui", "shell"):
        (tmp_path / name).mkdir()
    for name in ("errors", "schema", "jobs", "wire", "retry"):
        (tmp_path / "core" / f"{name}.py").touch()
    (tmp_path / "core" / "above.py").write_text("from .aside import thing\n")
    for name in ("comfyui/factory", "core/aside", "shell/__init__", "shell/commands", "__init__"):
        (tmp_path / f"{name}.py").touch()
    assert violations(tmp_path) == []
    (tmp_path / module).write_text(source + "\n", encoding="utf-8")
    (found,) = violations(tmp_path)
    assert problem in found
    assert module.removesuffix(".py").replace("/", ".") in found


def test_what_the_house_allows_is_not_reported(tmp_path: Path) -> None:
    for name in ("core", "comfyui", "shell"):
        (tmp_path / name).mkdir()
    (tmp_path / "core" / "errors.py").write_text("from enum import Enum\n")
    (tmp_path / "core" / "images.py").write_text("import numpy as np\nfrom .errors import PackError\n")
    (tmp_path / "comfyui" / "runtime.py").write_text(
        "from ..core import errors\n\n\ndef host():\n    import comfy.model_management\n"
    )
    (tmp_path / "shell" / "commands.py").write_text("def offline():\n    from emulator import Emulator\n")
    assert violations(tmp_path) == []
