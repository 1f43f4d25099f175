"""Runs prompts as ComfyUI does, as far as page and pack can tell: one at a time, each in a new event loop."""

from __future__ import annotations

import asyncio
import inspect
import io
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from PIL import Image

Prompt = Mapping[str, Mapping[str, Any]]
Send = Callable[[str, dict[str, Any], "str | None"], None]


class Context(NamedTuple):
    """The node that is being run: ComfyUI's own names."""

    prompt_id: str
    node_id: str
    list_index: int | None


CURRENT: ContextVar[Context | None] = ContextVar("CURRENT", default=None)


class Interrupted(BaseException):
    """ComfyUI's interrupt."""


class LoadImage:
    """Always the same image, whatever the file's name."""

    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "load"
    CATEGORY = "image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"image": (["example.png", "second.png"], {"image_upload": True})}}

    def load(self, image: str) -> tuple[torch.Tensor, torch.Tensor]:
        shade = 0.25 if image == "example.png" else 0.75
        return torch.full((1, 64, 64, 3), shade), torch.zeros(1, 64, 64)


class EmptyImage:
    """Black images."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "make"
    CATEGORY = "image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        side = {"default": 64, "min": 1, "max": 4096, "step": 1}
        return {
            "required": {
                "width": ("INT", side),
                "height": ("INT", side),
                "batch_size": ("INT", {"default": 1, "min": 1, "max": 64}),
            }
        }

    def make(self, width: int, height: int, batch_size: int) -> tuple[torch.Tensor]:
        return (torch.zeros(batch_size, height, width, 3),)


class Prompts:
    """A text for each line: a list."""

    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "split"
    CATEGORY = "text"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"lines": ("STRING", {"multiline": True})}}

    def split(self, lines: str) -> tuple[list[str]]:
        return (lines.splitlines(),)


class PreviewImage:
    """Shows images on the node."""

    RETURN_TYPES = ()
    FUNCTION = "show"
    CATEGORY = "image"
    OUTPUT_NODE = True
    FILES: ClassVar[dict[str, bytes]] = {}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"images": ("IMAGE",)}}

    def show(self, images: torch.Tensor) -> dict[str, Any]:
        shown = []
        for image in images:
            name = f"preview_{len(self.FILES):05}.png"
            pixels = Image.fromarray((image.numpy() * 255).astype(np.uint8))
            file = io.BytesIO()
            pixels.save(file, "PNG")
            self.FILES[name] = file.getvalue()
            shown.append({"filename": name, "subfolder": "", "type": "temp"})
        return {"ui": {"images": shown}}


CORE_NODES: dict[str, type[Any]] = {
    "LoadImage": LoadImage,
    "EmptyImage": EmptyImage,
    "Prompts": Prompts,
    "PreviewImage": PreviewImage,
}


class PromptQueue:
    """ComfyUI's queue: ``mutex`` and ``currently_running`` are what the pack looks at."""

    def __init__(self) -> None:
        self.mutex = threading.RLock()
        self.currently_running: dict[int, tuple[Any, ...]] = {}


class Executor:
    """The prompt worker."""

    def __init__(self, nodes: Mapping[str, type[Any]], prompts: PromptQueue, send: Send) -> None:
        self._nodes = nodes
        self._prompts = prompts
        self._send = send
        self._waiting: queue.Queue[tuple[Any, ...] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="prompt-worker", daemon=True)
        self.interrupted = threading.Event()
        self.client_id: str | None = None
        self.ran: list[Prompt] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.interrupted.set()
        self._waiting.put(None)
        self._thread.join()

    def put(self, prompt_id: str, prompt: Prompt, extra_data: dict[str, Any], client_id: str | None) -> None:
        self._waiting.put((client_id, prompt_id, prompt, extra_data, []))

    @property
    def remaining(self) -> int:
        return self._waiting.qsize() + len(self._prompts.currently_running)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            self.client_id, prompt_id, prompt, *_ = item
            with self._prompts.mutex:
                self._prompts.currently_running[0] = item
            self.interrupted.clear()
            self.ran.append(prompt)
            self._tell("execution_start", prompt_id)
            try:
                asyncio.run(self._execute(prompt_id, prompt))
            finally:
                with self._prompts.mutex:
                    self._prompts.currently_running.clear()
            self._send("executing", {"node": None, "display_node": None, "prompt_id": prompt_id}, self.client_id)
            self._send("status", {"status": {"exec_info": {"queue_remaining": self.remaining}}}, None)

    async def _execute(self, prompt_id: str, prompt: Prompt) -> None:
        done: dict[str, list[list[Any]]] = {}
        for node_id in _ordered(prompt):
            self._tell("executing", prompt_id, node=node_id, display_node=node_id)
            try:
                done[node_id] = await self._run_node(prompt_id, node_id, prompt, done)
            except Interrupted:
                self._tell("execution_interrupted", prompt_id, node_id=node_id, node_type="", executed=list(done))
                return
            except Exception as error:  # noqa: BLE001
                self._tell(
                    "execution_error",
                    prompt_id,
                    node_id=node_id,
                    node_type=prompt[node_id]["class_type"],
                    executed=list(done),
                    exception_message=f"{error}\n",
                    exception_type=f"{type(error).__module__}.{type(error).__name__}",
                    traceback=[],
                    current_inputs={},
                    current_outputs=[],
                )
                return
        self._tell("execution_success", prompt_id)

    async def _run_node(
        self, prompt_id: str, node_id: str, prompt: Prompt, done: Mapping[str, list[list[Any]]]
    ) -> list[list[Any]]:
        """Run a node once for each item of its lists; return its outputs as lists."""
        node = self._nodes[prompt[node_id]["class_type"]]
        inputs = {
            name: done[value[0]][value[1]] if isinstance(value, list) else [value]
            for name, value in prompt[node_id]["inputs"].items()
        }
        if getattr(node, "INPUT_IS_LIST", False):
            given: list[dict[str, Any]] = [inputs]
        else:
            count = max((len(items) for items in inputs.values()), default=1)
            given = [
                {name: items[min(index, len(items) - 1)] for name, items in inputs.items()}
                for index in range(count)
            ]
        outputs: list[list[Any]] = [[] for _ in node.RETURN_TYPES]
        for index, values in enumerate(given):
            CURRENT.set(Context(prompt_id, node_id, index))
            result = getattr(node(), node.FUNCTION)(**values)
            result = await result if inspect.isawaitable(result) else result
            if isinstance(result, dict):
                self._tell("executed", prompt_id, node=node_id, display_node=node_id, output=result["ui"])
                result = result.get("result", ())
            for place, value in enumerate(result):
                is_list = getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs))[place]
                outputs[place].extend(value if is_list else [value])
        return outputs

    def _tell(self, kind: str, prompt_id: str, **data: Any) -> None:
        self._send(kind, {"prompt_id": prompt_id, "timestamp": 0, **data}, self.client_id)


def _ordered(prompt: Prompt) -> Iterator[str]:
    seen: set[str] = set()

    def visit(node_id: str) -> Iterator[str]:
        if node_id in seen:
            return
        seen.add(node_id)
        for value in prompt[node_id]["inputs"].values():
            if isinstance(value, list):
                yield from visit(value[0])
        yield node_id

    for node_id in prompt:
        yield from visit(node_id)
