"""Simulated histories hold what the pack promises, and every planted bug breaks one of them.

The simulation replaces clocks, threads and files of the pack: it runs in processes of its own.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from postgres import programs
from support import ROOT

# What fails is found again, made small and told by the same command without ``--shrink 0``.
COMMAND = (
    sys.executable,
    "-m",
    "simulation",
    "--seed",
    "1",
    "--profile",
    "base",
    "--workers",
    "2",
    "--shrink",
    "0",
)


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False
    )


def test_histories_hold() -> None:
    ended = simulate("--histories", "40")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "40 histories with seed 1" in ended.stdout


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed (Debian's package is postgresql)")
def test_histories_hold_on_a_server() -> None:
    ended = simulate("--histories", "4", "--engine", "postgres")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 histories with seed 1" in ended.stdout


def test_every_planted_bug_is_found() -> None:
    ended = simulate("--histories", "40", "--plant", "each")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_history_is_always_the_same() -> None:
    first, again = (simulate("--history", "7", "--plant", "hears_stop_late").stdout for _ in range(2))
    told = [line for line in first.splitlines() if line.startswith("  late stop")]
    assert told
    assert told == [line for line in again.splitlines() if line.startswith("  late stop")]
