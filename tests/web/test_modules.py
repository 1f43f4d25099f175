"""The page's modules: their tests run with Node, their types are checked, and they are linted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import ROOT

FOLDER = Path(__file__).resolve().parent
# What ESLint asks for.
OLDEST = (20, 19)


def unavailable(reason: str) -> None:
    """Skip, or fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of a program of Node; skip without it, or fail where everything must be there."""
    found = shutil.which(name)
    if not found:
        unavailable(f"{name} is not installed")
    assert found
    return found


def node() -> str:
    """Return the path of a Node that is new enough for the tests and the tools."""
    found = program("node")
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    number = re.match(r"v(\d+)\.(\d+)", done.stdout)
    if not number or (int(number[1]), int(number[2])) < OLDEST:
        unavailable(f"Node {OLDEST[0]}.{OLDEST[1]} or newer is not installed")
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def installed_tools() -> Path:
    """Return the folder of the tools of ``package-lock.json``; they are installed where they are not there yet."""
    folder, wanted = ROOT / "node_modules", ROOT / "package-lock.json"
    mark = folder / ".package-lock.json"
    if not mark.is_file() or mark.stat().st_mtime < wanted.stat().st_mtime:
        run(program("npm"), "ci")
    return folder


def test_modules_of_the_page() -> None:
    run(node(), "--test", *(str(file) for file in sorted(FOLDER.glob("*.test.mjs"))))


def test_types_and_style_of_the_page() -> None:
    tools = installed_tools()
    run(node(), str(tools / "typescript" / "bin" / "tsc"))
    run(node(), str(tools / "eslint" / "bin" / "eslint.js"), "--max-warnings=0", ".")
