"""The modules of ComfyUI that the pack imports, for as long as a stand-in of it runs in this process."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .execution import CURRENT, Executor, Interrupted

ROOT = Path(__file__).resolve().parents[2]
TEMP = "temp"


class Blocker:
    """Stands at an output that got nothing."""

    def __init__(self, message: str) -> None:
        self.message = message


@contextlib.contextmanager
def host_modules(server: Any, executor: Executor, user_folder: Path) -> Iterator[None]:
    """Put stand-ins of ComfyUI's modules where imports find them."""

    def update_progress(node_id: str, value: float, max_value: float, _image: object) -> None:
        server.show_bar(node_id, value, max_value)

    made = {
        "server": _module("server", PromptServer=type("PromptServer", (), {"instance": server})),
        "folder_paths": _module(
            "folder_paths",
            get_user_directory=lambda: str(user_folder),
            get_temp_directory=lambda: str(user_folder / TEMP),
        ),
        "comfy": _module("comfy"),
        "comfy.model_management": _module(
            "comfy.model_management",
            processing_interrupted=executor.interrupted.is_set,
            InterruptProcessingException=Interrupted,
        ),
        "comfy_execution": _module("comfy_execution"),
        "comfy_execution.utils": _module("comfy_execution.utils", get_executing_context=CURRENT.get),
        "comfy_execution.graph_utils": _module("comfy_execution.graph_utils", ExecutionBlocker=Blocker),
        "comfy_execution.progress": _module(
            "comfy_execution.progress",
            get_progress_state=lambda: _module("state", update_progress=update_progress),
        ),
    }
    before = {name: sys.modules.get(name) for name in made}
    sys.modules.update(made)
    # The host's own ``nodes``; in this process the pack's folder has that name.
    nodes = sys.modules.setdefault("nodes", _module("nodes"))
    tables = {"NODE_CLASS_MAPPINGS": server.nodes, "NODE_DISPLAY_NAME_MAPPINGS": server.names}
    nodes.__dict__.update(tables)
    try:
        yield
    finally:
        for name in tables:
            delattr(nodes, name)
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@contextlib.contextmanager
def loaded_pack(name: str) -> Iterator[ModuleType]:
    """Load the pack as ComfyUI does, under a name of its own."""
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        close = sys.modules.get(f"{name}.nodes.app.service")
        if close is not None:
            close.close_services()
        for loaded in [loaded for loaded in sys.modules if loaded == name or loaded.startswith(f"{name}.")]:
            del sys.modules[loaded]


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(contents)
    return module
