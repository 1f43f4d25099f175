"""The only room that knows ComfyUI: the mappings that it reads, and the routes that its page asks."""

from __future__ import annotations

from .added import classes_at_start
from .authors import watch_users
from .collect import COLLECT, collect_class
from .factory import PackNode
from .log_lines import prefix_lines
from .page import Page
from .prompts import PROMPTS, prompts_class
from .routes import register
from .runtime import ComfyHost, prompt_server
from .saving.node import SAVE, save_class

prefix_lines(__name__.rpartition(".")[0])

HOST = ComfyHost()
MODELS = classes_at_start(HOST)

NODE_CLASS_MAPPINGS: dict[str, type[PackNode]] = {
    **MODELS,
    COLLECT.node_id: collect_class(HOST),
    SAVE.node_id: save_class(HOST),
    PROMPTS.node_id: prompts_class(HOST),
}
NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    **{node_id: one.SPEC.display_name for node_id, one in MODELS.items()},
    COLLECT.node_id: COLLECT.display_name,
    SAVE.node_id: SAVE.display_name,
    PROMPTS.node_id: PROMPTS.display_name,
}

watch_users(prompt_server())
register(prompt_server(), Page(HOST, HOST.live, HOST.running_prompts, HOST.connection))

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
