"""What loading the pack adds to ComfyUI's start, and what its many models add to that."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import partial
from pathlib import Path

from .measuring import ROOT, in_a_process, in_turn
from .table import Row

TARGET = 0.030
TARGET_OF_MODELS = 0.010
FEW = 2


def rows(quick: bool) -> list[Row]:
    """Return the row of loading, with what it opens, and the row of its models."""
    with tempfile.TemporaryDirectory() as bytecode, tempfile.TemporaryDirectory() as copy:
        models = copy_with_few_models(Path(copy))
        first = in_a_process("startup_process", bytecode, str(ROOT))
        what = {"pack": str(ROOT), "few": copy, "empty": str(int(first["modules"]))}
        load = {name: partial(in_a_process, "startup_process", bytecode, one) for name, one in what.items()}
        load["few"]()
        found = in_turn(load, 3 if quick else 9)
    ours, floor, few = found["pack"], found["empty"], found["few"]
    return [
        Row(
            "startup: loading the pack",
            "real",
            "ms",
            ours["cpu"] * 1000,
            floor["cpu"] * 1000,
            None,
            f"<= {TARGET * 1000:.0f} ms",
            ours["cpu"] <= TARGET and not ours["sockets"] and not ours["files"],
            f"processor time; floor: as many empty modules; wall {ours['wall'] * 1000:.0f} ms; the very first, "
            f"which compiles, {first['cpu'] * 1000:.0f} ms; {ours['modules']:.0f} modules of its own, "
            f"{ours['others']:.0f} others; sockets {ours['sockets']:.0f}, files of others {ours['files']:.0f}",
        ),
        Row(
            f"startup: {models} models",
            "real",
            "ms",
            ours["cpu"] * 1000,
            few["cpu"] * 1000,
            None,
            f"<= {TARGET_OF_MODELS * 1000:.0f} ms more",
            ours["cpu"] - few["cpu"] <= TARGET_OF_MODELS,
            f"processor time; floor: the same with {FEW} models",
        ),
    ]


def copy_with_few_models(folder: Path) -> int:
    """Copy what the host loads, with an index of few models, and return how many the pack has."""
    for name in ("nodes", "locales"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "__init__.py", folder)
    index = folder / "nodes" / "models.json"
    heads = json.loads(index.read_text(encoding="utf-8"))
    index.write_text(json.dumps(heads[:FEW]), encoding="utf-8")
    return len(heads)
