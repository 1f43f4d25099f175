"""The command line as scripts use it: real processes, in which torch cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import ROOT

HANG = 60.0
BLOCKED = ("torch", "jsonschema", "av")


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def blocking(folder: Path, *names: str) -> Path:
    """Make a folder of which Python learns, when it starts, that these modules are not there."""
    folder.mkdir(exist_ok=True)
    lines = "".join(f"sys.modules[{name!r}] = None\n" for name in names)
    (folder / "sitecustomize.py").write_text(f"import sys\n{lines}")
    return folder


def run_shell(folder: Path, arguments: Sequence[object], stdin: str = "", **environment: str) -> Done:
    """Run the command in a working folder, without torch, as the environment says."""
    path = os.pathsep.join([str(blocking(folder / "blocked", *BLOCKED)), str(ROOT)])
    process = subprocess.run(
        [sys.executable, "-m", "nodes", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert "Traceback" not in process.stderr, process.stderr
    return Done(process.returncode, process.stdout, process.stderr)
