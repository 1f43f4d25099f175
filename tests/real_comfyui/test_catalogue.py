"""The live catalogue in a real host: a model is added while it runs, shared with somebody, and kept up with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from offers import offer, one_of, schema, text
from real_comfyui.graphs import saved
from real_comfyui.host import Comfy, Graph, Refused

from emulator import Emulator

pytestmark = pytest.mark.comfyui

PIXEL = "acme/pixel-1.5/text-to-image"
NODE = "RunComfy_acme__pixel_1___5__text_to_image"
BEFORE = schema("prompt", prompt=text(), size=one_of("1:1", "2:1"))
NOW = schema("prompt", prompt=text(), aspect_ratio=one_of("1:1", "2:1"))


def ask(comfy: Comfy, path: str, **body: object) -> Any:
    return comfy.post(f"/runcomfy/models/{path}", body).json()


def graph(prompt: str, **widgets: object) -> Graph:
    inputs = {"prompt": prompt, "rerun_seed": 0, "on_failure": "stop", **widgets}
    return {"1": {"class_type": NODE, "inputs": inputs}, "2": saved("1")}


def billed(api: Emulator) -> list[dict[str, Any]]:
    return [job.body for job in api.billed if job.model_id == PIXEL]


def test_a_model_is_added_to_a_running_host_shared_and_updated(api: Emulator, fresh_folder: Path) -> None:
    """Two people: each has a host with a state folder of their own."""
    api.run_seconds = 0.0
    offer(api, PIXEL, BEFORE)
    with Comfy(fresh_folder / "first", api) as first:
        assert NODE not in first.object_info()
        with pytest.raises(Refused):
            first.submit(graph("a fox", size="1:1"))
        (found,) = ask(first, "search", search="pixel-1.5")["models"]
        assert (found["node_id"], found["here"]) == (NODE, "")
        assert ask(first, "add", model_ids=[PIXEL])["added"][0]["node_id"] == NODE
        info = first.get(f"/object_info/{NODE}").json()[NODE]
        assert list(info["input"]["required"]) == ["prompt"] and "size" in info["input"]["optional"]
        assert info["display_name"] == "Pixel-1.5 (RunComfy)"
        assert info["python_module"] == first.object_info()["RunComfyCollect"]["python_module"]
        assert first.get(f"/extensions/runcomfy-models/docs/{NODE}.md").text.startswith("# Pixel-1.5")
        assert first.run(graph("a fox", size="2:1")).succeeded
        assert first.run(graph("a fox", size="2:1")).succeeded
        assert billed(api) == [{"prompt": "a fox", "size": "2:1"}]
        (ours,) = ask(first, "named", models=[{"node_id": NODE}])["models"]
        # The provider changes it: refused before anything is sent.
        offer(api, PIXEL, NOW)
        first.kill()
        first.start()
        assert NODE in first.object_info()
        refused = first.run(graph("a cat", size="2:1"))
        assert "size: the model has no such input any more." in (refused.error or "")
        assert len(billed(api)) == 1
        with Comfy(fresh_folder / "second", api) as second:
            shared = {"node_id": NODE, "model_id": PIXEL, "hash": ours["hash"], "widgets": ours["widgets"]}
            (named,) = ask(second, "named", models=[shared])["models"]
            assert (named["here"], named["price"], named["refused"]) == ("", 0.05, None)
            assert NODE not in second.object_info()
            ask(second, "add", model_ids=[PIXEL])
            (theirs,) = ask(second, "named", models=[shared])["models"]
            assert theirs["hash"] != ours["hash"] and "aspect_ratio" in theirs["widgets"]
            assert second.run(graph("a cat", aspect_ratio="2:1")).succeeded
        # The node that the host has kept from the refused run is the updated one.
        made = ask(first, "update", model_id=PIXEL)
        assert made["widgets"] == theirs["widgets"] and made["hash"] == theirs["hash"]
        assert "aspect_ratio" in first.get(f"/object_info/{NODE}").json()[NODE]["input"]["optional"]
        assert first.run(graph("a bird", aspect_ratio="1:1")).succeeded
        assert [body["prompt"] for body in billed(api)] == ["a fox", "a cat", "a bird"]
        assert ask(first, "remove", model_ids=[PIXEL])["removed"]
        assert NODE not in first.object_info()
