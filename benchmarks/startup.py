"""What loading the pack adds to ComfyUI's start."""

from __future__ import annotations

import tempfile
from functools import partial

from .measuring import in_a_process, in_turn
from .table import Row

TARGET = 0.030


def rows(quick: bool) -> list[Row]:
    """Return the row of loading, with what it opens."""
    with tempfile.TemporaryDirectory() as bytecode:
        load = partial(in_a_process, "startup_process", bytecode)
        first = load("pack")
        found = in_turn({name: partial(load, name) for name in ("pack", "empty")}, 3 if quick else 9)
    ours, floor = found["pack"], found["empty"]
    return [
        Row(
            "startup: loading the pack",
            "real",
            "ms",
            ours["wall"] * 1000,
            floor["wall"] * 1000,
            None,
            f"<= {TARGET * 1000:.0f} ms",
            ours["wall"] <= TARGET and not ours["sockets"] and not ours["files"],
            f"floor: as many empty modules; processor time {ours['cpu'] * 1000:.0f} ms; the very first time, "
            f"which compiles, {first['wall'] * 1000:.0f} ms; {ours['modules']:.0f} modules of its own, "
            f"{ours['others']:.0f} others; sockets {ours['sockets']:.0f}, files of others {ours['files']:.0f}",
        )
    ]
