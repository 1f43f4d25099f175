"""Registry x factory -> the mappings that ComfyUI reads, and the routes that its page asks."""

from __future__ import annotations

from .comfyui.factory import PackNode, collect_class, node_class
from .comfyui.page import Page
from .comfyui.routes import register
from .comfyui.runtime import ComfyHost, prompt_server
from .core.schema.registry import load_models

_HOST = ComfyHost()

NODE_CLASS_MAPPINGS: dict[str, type[PackNode]] = {
    **{spec.node_id: node_class(spec, _HOST) for spec in load_models()},
    "RunComfyCollect": collect_class(_HOST),
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    **{spec.node_id: spec.display_name for spec in load_models()},
    "RunComfyCollect": "Collect a paid job (RunComfy)",
}

register(prompt_server(), Page(_HOST, _HOST.live, _HOST.running_prompts, _HOST.connection))

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
