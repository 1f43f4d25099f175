"""Simulated histories hold what the pack promises, and every planted bug breaks one of them.

The simulation replaces clocks, threads and files of the pack: it runs in processes of its own.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from postgres import programs
from support import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the simulation forks as POSIX does")

# What fails is found again, made small and told by the same command without ``--shrink 0``.
COMMAND = (sys.executable, "-m", "simulation", "--seed", "1", "--workers", "2", "--shrink", "0")


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False
    )


def test_histories_hold() -> None:
    """As many as take about a minute; a job of their own plays thousands of others with each change."""
    ended = simulate("--histories", "600", "--real", "12")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "600 histories with seed 1" in ended.stdout
    assert "12 of real processes" in ended.stdout


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL server is installed (Debian's package is postgresql)")
def test_histories_hold_on_a_server() -> None:
    ended = simulate("--histories", "4", "--engine", "postgres")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 histories with seed 1" in ended.stdout


def test_every_planted_bug_is_found() -> None:
    """The command of the README's table, which names each with the number of histories that it takes."""
    ended = simulate("--histories", "300", "--plant", "each")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = [line for line in ended.stdout.splitlines() if line.startswith("|")]
    assert len(found) > 10
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [line.rpartition("|")[0].rpartition("|")[0] in readme for line in found] == [True] * len(found)


def test_real_processes_find_a_planted_bug() -> None:
    ended = simulate("--histories", "0", "--real", "60", "--plant", "posts_again")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "billed twice" in ended.stdout


def test_a_history_is_always_the_same() -> None:
    first, again = (
        simulate("--profile", "base", "--history", "7", "--plant", "hears_stop_late").stdout for _ in range(2)
    )
    told = [line for line in first.splitlines() if line.startswith("  late stop")]
    assert told
    assert told == [line for line in again.splitlines() if line.startswith("  late stop")]
