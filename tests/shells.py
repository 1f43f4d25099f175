"""The command line as scripts use it, where torch cannot be imported: in this process, and as one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from nodes.shell.commands import main

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


class Stream(io.StringIO):
    """Text in memory, which is said to be a terminal or not."""

    def __init__(self, text: str = "", *, is_terminal: bool) -> None:
        super().__init__(text)
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


def call_shell(
    folder: Path, arguments: Sequence[object], stdin: str = "", *, terminal: bool = False, **environment: str
) -> Done:
    """Run the command in this process: as ``run_shell`` does, or at a terminal."""
    out, err = Stream(is_terminal=terminal), Stream(is_terminal=terminal)
    interrupt = signal.getsignal(signal.SIGINT)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "stdin", Stream(stdin, is_terminal=terminal))
        patch.setattr(os, "environ", {**os.environ, **environment})
        # What else is blocked in a process of its own, the emulator of the test needs in this one.
        patch.setitem(sys.modules, "torch", None)
        try:
            status = main([*map(str, arguments)])
        except SystemExit as leave:
            status = int(leave.code or 0)
        finally:
            signal.signal(signal.SIGINT, interrupt)
    return Done(status, out.getvalue(), err.getvalue())
