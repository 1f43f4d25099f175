"""Time, memory, and policies measured in turn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


def seconds(function: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    begins = time.perf_counter()
    function()
    return time.perf_counter() - begins


def timed(function: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Return the result of one call, and its seconds: ``wall``, and ``cpu`` of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def in_turn(policies: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int) -> dict[str, dict[str, float]]:
    """Measure every policy once a round, and return the medians by policy and figure.

    Policies in turn share what else the machine does; one after the other, each would have its own weather.
    """
    measured: dict[str, list[Mapping[str, float]]] = {name: [] for name in policies}
    for _ in range(rounds):
        for name, policy in policies.items():
            measured[name].append(policy())
    return {
        name: {figure: median(one[figure] for one in samples) for figure in samples[0]}
        for name, samples in measured.items()
    }


def in_a_process(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module of this package in a fresh process; it prints its figures as JSON in its last line."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(f"benchmarks.{module} {' '.join(arguments)} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


class Peak:
    """The most memory that this process holds from now on, above what it holds now.

    Linux tells the peak of a process since it was last reset. Its ``ru_maxrss`` would not do: a process inherits
    that of the one that started it. Elsewhere it is what there is.
    """

    def __init__(self) -> None:
        self._linux = Path("/proc/self/clear_refs").exists()
        if self._linux:
            Path("/proc/self/clear_refs").write_text("5")
        self._before = self._peak()

    def bytes(self) -> int:
        """Return the peak in bytes."""
        return self._peak() - self._before

    def _peak(self) -> int:
        if self._linux:
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
