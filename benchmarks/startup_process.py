"""Loads the pack, or as many empty modules, as ComfyUI does: in a process that has the host's libraries already."""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy
import PIL.Image
import requests
import torch

_HOST_LIBRARIES = (aiohttp, numpy, PIL.Image, requests, torch)


def load(root: Path) -> str:
    """Load a folder's ``__init__.py`` under its path's name, as ComfyUI does, and return that name."""
    name = str(root).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(
        name, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return name


def watch(root: Path) -> dict[str, int]:
    """Count sockets, and files that are opened outside a folder and outside the interpreter's own."""
    seen = {"sockets": 0, "files": 0}
    homes = (str(root), str(sys.pycache_prefix), sys.prefix, sys.base_prefix, *sys.path[1:])

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith("socket.") and event != "socket.__new__":
            seen["sockets"] += 1
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode()
            seen["files"] += not path.startswith(tuple(home for home in homes if home))

    sys.addaudithook(hear)
    return seen


def empty_modules(folder: Path, number: int) -> None:
    """Write a package that imports so many empty modules."""
    names = [f"m{index}" for index in range(number)]
    (folder / "__init__.py").write_text("".join(f"from . import {name}\n" for name in names))
    for name in names:
        (folder / f"{name}.py").touch()


def measure(root: Path) -> dict[str, float]:
    """Load once and return seconds and counts."""
    before = set(sys.modules)
    seen = watch(root)
    # Else a collection that the libraries of the host have almost made due falls into it, or not.
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    name = load(root)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    counts = dict(seen)
    new = set(sys.modules) - before
    own = sum(module.startswith(name) for module in new)
    return {"wall": wall, "cpu": cpu, "modules": own, "others": len(new) - own, **counts}


def main(bytecode: str, what: str) -> None:
    """Print the figures of loading a pack by its path, or so many empty modules. ``bytecode`` is a folder of it."""
    sys.dont_write_bytecode, sys.pycache_prefix = False, bytecode
    if not what.isdecimal():
        found = measure(Path(what))
    else:
        with tempfile.TemporaryDirectory() as folder:
            empty_modules(Path(folder), int(what))
            load(Path(folder))  # Writes the bytecode, as the first start does.
            for name in [name for name in sys.modules if name.startswith(folder)]:
                del sys.modules[name]
            importlib.invalidate_caches()
            found = measure(Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
