"""Nodes for the tests, loaded by ComfyUI beside the pack: a list of texts, and a failure at a chosen moment."""

from __future__ import annotations

import asyncio
from pathlib import Path


class ProbeLines:
    """Gives out a text line by line, as a list."""

    CATEGORY = "probe"
    FUNCTION = "run"
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, object]]:
        return {"required": {"text": ("STRING", {"multiline": True})}}

    def run(self, text: str) -> tuple[list[str]]:
        return (text.splitlines(),)


class ProbeFailure:
    """Fails as soon as a file exists."""

    CATEGORY = "probe"
    FUNCTION = "run"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, object]]:
        return {"required": {"file": ("STRING", {})}}

    async def run(self, file: str) -> tuple[()]:
        while not Path(file).exists():
            await asyncio.sleep(0.02)
        raise ValueError("the probe fails")


NODE_CLASS_MAPPINGS = {"ProbeLines": ProbeLines, "ProbeFailure": ProbeFailure}
