"""Registry x factory -> the mappings that ComfyUI reads."""

from __future__ import annotations

from .comfyui.factory import ModelNode, node_class
from .comfyui.runtime import ComfyHost
from .core.registry import load_models

NODE_CLASS_MAPPINGS: dict[str, type[ModelNode]] = {
    spec.node_id: node_class(spec, ComfyHost()) for spec in load_models()
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {spec.node_id: spec.display_name for spec in load_models()}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
