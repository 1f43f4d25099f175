"""Runs the tests of the page's modules with Node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
OLDEST = 20


def node() -> str:
    """Return the path of a Node that has ``--test``; skip without one, or fail where everything must be there."""
    found = shutil.which("node")
    version = (
        subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout if found else ""
    )
    number = re.match(r"v(\d+)", version)
    if found and number and int(number[1]) >= OLDEST:
        return found
    reason = f"Node {OLDEST} or newer is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def test_modules_of_the_page() -> None:
    files = [str(file) for file in sorted(FOLDER.glob("*.test.mjs"))]
    done = subprocess.run([node(), "--test", *files], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
