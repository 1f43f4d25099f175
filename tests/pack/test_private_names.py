"""Tests and benchmarks use what the code offers: none of them reaches into a private name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from support import ROOT

FOLDERS = ("tests", "benchmarks")
OWN = ("self", "cls")
# Public names of the standard library that look like private ones.
PUBLIC = {"os._exit"}
BY_NAME = {"getattr", "setattr", "delattr", "hasattr", "attrgetter"}


def is_private(name: str) -> bool:
    return any(part.startswith("_") and part.strip("_") and not part.endswith("__") for part in name.split("."))


def private_names(source: str) -> Iterator[str]:
    """Yield every private name of something else that a module reads, imports or replaces, with its line."""
    for node in ast.walk(ast.parse(source)):
        for name in names_in(node):
            if is_private(name) and name not in PUBLIC:
                yield f"{getattr(node, 'lineno', 0)}: {name}"


def names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id=owner)) if owner in OWN:
            return
        case ast.Attribute(attr=attribute):
            yield ast.unparse(node) if ast.unparse(node) in PUBLIC else attribute
        case ast.ImportFrom(module=module, names=names):
            yield module or ""
            yield from (alias.name for alias in names)
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=arguments) if called in BY_NAME:
            texts = (one.value for one in arguments if isinstance(one, ast.Constant))
            yield from (text for text in texts if isinstance(text, str))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_test_reaches_into_a_private_name(folder: str) -> None:
    found = {
        str(path.relative_to(ROOT)): list(private_names(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    assert found
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "journal._db.execute('')",
        "service().jobs._deadline = 1",
        "from nodes.core.store.database import _connect",
        "from nodes.core import _private",
        "import nodes._private",
        "getattr(server, '_page')",
        "setattr(one, '_page', 2)",
        "monkeypatch.setattr(encode, '_jpeg', None)",
        "patch.setattr('nodes.core.media.encode._jpeg', None)",
        "monkeypatch.delattr(encode, '_jpeg')",
    ],
)
def test_a_planted_reach_is_found(source: str) -> None:
    assert len(list(private_names(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "self._api = api",
        "cls._made += 1",
        "_own = 1",
        "os._exit(0)",
        "version.__version__",
        "from __future__ import annotations",
        "gettext._",
        "answer.get('_url')",
    ],
)
def test_what_is_a_tests_own_is_not_reported(source: str) -> None:
    assert list(private_names(source)) == []
