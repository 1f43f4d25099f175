"""The arrows of the house point one way: every import of the pack is walked."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from support import ROOT

# The rooms from the ground up. A room may import from those in the rows below its own, never beside or above it.
ORDER = (
    "core",
    "core.schema core.media core.store core.config core.http",
    "core.request core.api core.docs",
    "core.jobs",
    "app",
    "comfyui shell",
)
RANKS = {room: rank for rank, row in enumerate(ORDER) for room in row.split()}
BASE = "core"
ENTRIES = ("__init__", "__main__")
MOST_MODULES = 12

# What else than the standard library a room needs; the others need nothing.
THIRD_PARTY = {
    "core.media": {"numpy", "PIL", "torch", "av"},
    "core.store": {"psycopg"},
    "core.http": {"requests", "urllib3"},
    "core.jobs": {"numpy"},
    "comfyui": {"aiohttp"},
    "shell": {"emulator"},
}
HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "execution", "folder_paths", "server"}
HOST_ROOM = "comfyui.runtime"
# Imports by name, and only the modules of a folder for that folder's own ``__init__``.
BY_NAME = "core.members"


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
    for target in ([*parts, found.name], [*parts, found.name, "__init__"], parts, [*parts, "__init__"]):
        if target and root.joinpath(*target).with_suffix(".py").exists():
            return ".".join(target)
    return None


def room(module: str) -> str | None:
    """Return the room of a module, None for the pack's two entries; a folder in a room belongs to it."""
    parts = module.split(".")[:-1]
    while parts and ".".join(parts) not in RANKS:
        parts.pop()
    return ".".join(parts) or None


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
    here, there = room(module), room(target)
    if target == module or there is None:
        return f"imports {target}: the arrow does not point down"
    if here is not None and here != there and RANKS[there] >= RANKS[here]:
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
    if top == "importlib" and module != BY_NAME:
        return "imports by name, where no test sees the arrow"
    if top in sys.stdlib_module_names or top in THIRD_PARTY.get(room(module) or "", ()):
        return None
    return f"imports {top}, which is not allowed here"


def room_arrows(root: Path) -> set[tuple[str, str]]:
    """Return which room imports which; all may import the base, so that is left out."""
    found = set()
    for path in root.rglob("*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        for one in imports(ast.parse(path.read_text(encoding="utf-8"))):
            target = own_target(root, module, one) if one.level else None
            here, there = room(module), room(target) if target else None
            if here and there and here != there and there != BASE:
                found.add((here, there))
    return found


def reached(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows and all that follow from them: what is below a room that is below."""
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


class Page:
    """The architecture page: its drawing by rows from the ground up, its arrows, its table, and what it names."""

    def __init__(self, text: str) -> None:
        drawing = text.partition("```mermaid\n")[2].partition("```")[0]
        self.rows = [
            {self._room(name) for name in re.findall(r'\["([\w/]+)"\]', row)}
            for row in reversed(re.findall(r"^  subgraph .*?^  end$", drawing, re.MULTILINE | re.DOTALL))
        ]
        names = {key: self._room(name) for key, name in re.findall(r'(\w+)\["([\w/]+)"\]', drawing)}
        self.arrows = {(names[one], names[other]) for one, other in re.findall(r"(\w+) --> (\w+)", drawing)}
        self.table = [self._room(name) for name in re.findall(r"^\| `([\w/]+)` \|", text, re.MULTILINE)]
        self.named = set(re.findall(r"`((?:core|app|comfyui|shell)/[\w/]+)`", text))

    def _room(self, path: str) -> str:
        return path.replace("/", ".")


@pytest.fixture(scope="module")
def page() -> Page:
    return Page((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))


def test_the_drawing_has_the_rooms_in_their_order(page: Page) -> None:
    assert page.rows == [set(row.split()) for row in ORDER]


def test_the_drawing_has_every_arrow_and_no_other(page: Page) -> None:
    arrows = room_arrows(ROOT / "nodes")
    assert page.arrows - arrows == set(), "drawn and not there"
    assert arrows - reached(page.arrows) == set(), "there, and does not follow from what is drawn"
    implied = {arrow for arrow in page.arrows if arrow in reached(page.arrows - {arrow})}
    assert implied == set(), "drawn although it follows from others"


def test_the_pages_table_names_every_room_once_from_the_top(page: Page) -> None:
    assert sorted(page.table) == sorted(RANKS)
    ranks = [RANKS[name] for name in page.table]
    assert ranks == sorted(ranks, reverse=True)


def test_what_the_page_names_is_there(page: Page) -> None:
    assert len(page.named) > len(RANKS)
    paths = {name: ROOT / "nodes" / name for name in page.named}
    assert [name for name, path in paths.items() if not (path.is_dir() or path.with_suffix(".py").exists())] == []


def test_every_folder_of_code_is_a_room_or_in_one() -> None:
    folders = {path.parent.relative_to(ROOT / "nodes") for path in (ROOT / "nodes").rglob("*.py")}
    assert [
        str(folder) for folder in folders if folder.parts and room(".".join((*folder.parts, "x"))) is None
    ] == []


def test_every_arrow_points_down() -> None:
    assert violations(ROOT / "nodes") == []


def test_the_tables_name_rooms_that_are_there() -> None:
    assert [name for name in RANKS if not ROOT.joinpath("nodes", *name.split("."), "__init__.py").exists()] == []
    assert len(RANKS) == sum(len(row.split()) for row in ORDER)
    assert set(THIRD_PARTY) <= set(RANKS)
    assert ROOT.joinpath("nodes", *HOST_ROOM.split(".")).with_suffix(".py").exists()


def test_every_module_is_in_a_room() -> None:
    modules = [path.relative_to(ROOT / "nodes").with_suffix("") for path in (ROOT / "nodes").rglob("*.py")]
    assert [str(path) for path in modules if room(".".join(path.parts)) is None] == sorted(ENTRIES)


def test_no_room_is_a_hallway() -> None:
    folders = Counter(path.parent for path in (ROOT / "nodes").rglob("*.py") if path.name != "__init__.py")
    assert [str(folder) for folder, count in folders.items() if count > MOST_MODULES] == []


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in (ROOT / "nodes").rglob("*.py") if not path.read_text("utf-8").startswith('"""')]
    assert silent == []


@pytest.mark.parametrize(
    ("module", "source", "problem"),
    [
        ("core/errors.py", "from .schema.model import Field", "arrow"),
        ("core/errors.py", "from .schema import model", "arrow"),
        ("core/errors.py", "from . import jobs", "arrow"),
        ("core/schema/model.py", "def late():\n    from ...comfyui import factory", "arrow"),
        ("core/schema/model.py", "if TYPE_CHECKING:\n    from ...comfyui.factory import node_class", "arrow"),
        ("core/schema/model.py", "from ..media.pixels import Pixels", "arrow"),
        ("core/schema/kinds/text.py", "from ...media.pixels import Pixels", "arrow"),
        ("core/schema/model.py", "from ... import NODE_CLASS_MAPPINGS", "arrow"),
        ("core/request/build.py", "from ..jobs.context import RunContext", "arrow"),
        ("core/request/build.py", "from ..api.client import Client", "arrow"),
        ("core/jobs/runner.py", "from ...app.service import Service", "arrow"),
        ("core/jobs/runner.py", "from ... import shell", "arrow"),
        ("app/run.py", "from ..shell.commands import main", "arrow"),
        ("app/run.py", "from .. import comfyui", "arrow"),
        ("shell/commands.py", "def late():\n    from ..comfyui.factory import node_class", "arrow"),
        ("comfyui/factory.py", "from ..shell.commands import main", "arrow"),
        ("core/aside.py", "from .above import thing", "circle"),
        ("core/schema/model.py", "from .new_room import thing", "not there"),
        ("core/schema/model.py", "from ....emulator import Emulator", "out of the pack"),
        ("core/schema/model.py", "from ..... import anything", "out of the pack"),
        ("core/schema/model.py", "from nodes.core.errors import PackError", "absolutely"),
        ("core/schema/model.py", "import nodes", "absolutely"),
        ("core/jobs/runner.py", "from emulator import Emulator", "imports emulator"),
        ("core/jobs/runner.py", "import comfy.utils", "outside comfyui.runtime"),
        ("comfyui/routes.py", "def routes():\n    from server import PromptServer", "outside comfyui.runtime"),
        ("comfyui/factory.py", "def host():\n    import folder_paths", "outside comfyui.runtime"),
        ("comfyui/runtime.py", "import folder_paths", "while the module is loaded"),
        ("comfyui/runtime.py", "class Host:\n    from server import PromptServer", "while the module is loaded"),
        ("comfyui/runtime.py", "if True:\n    import execution", "while the module is loaded"),
        ("core/schema/model.py", "import torch", "imports torch"),
        ("core/errors.py", "def f():\n    from requests import get", "imports requests"),
        ("core/api/client.py", "import importlib", "imports by name"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, module: str, source: str, problem: str) -> None:
    plan(tmp_path)
    assert violations(tmp_path) == []
    (tmp_path / module).write_text(source + "\n", encoding="utf-8")
    (found,) = violations(tmp_path)
    assert problem in found
    assert module.removesuffix(".py").replace("/", ".") in found


def test_what_the_house_allows_is_not_reported(tmp_path: Path) -> None:
    plan(tmp_path)
    (tmp_path / "core/errors.py").write_text("from enum import Enum\n")
    (tmp_path / "core/media/pixels.py").write_text("import numpy as np\nfrom ..errors import PackError\n")
    (tmp_path / "core/schema/kinds/text.py").write_text("from ..model import Field\n")
    (tmp_path / "comfyui/runtime.py").write_text(
        "from ..core import errors\n\n\ndef host():\n    import comfy.model_management\n"
    )
    (tmp_path / "shell/commands.py").write_text("def offline():\n    from emulator import Emulator\n")
    assert violations(tmp_path) == []


def plan(root: Path) -> None:
    """Lay out the rooms, empty but for a module or two each."""
    for name in RANKS:
        (root / name.replace(".", "/")).mkdir(parents=True, exist_ok=True)
        (root / name.replace(".", "/") / "__init__.py").touch()
    (root / "core/schema/kinds").mkdir()
    modules = """core/errors core/aside core/schema/model core/media/pixels core/request/build core/jobs/runner
        core/jobs/context core/api/client app/run app/service comfyui/factory shell/commands __init__"""
    for name in modules.split():
        (root / f"{name}.py").touch()
    (root / "core/above.py").write_text("from .aside import thing\n")
