"""In a real ComfyUI: the record, what a killed server left running, and originals saved as they came."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from real_comfyui.graphs import TEXT_TO_IMAGE, jobs_of, text_to_image
from real_comfyui.host import Comfy

from emulator import Emulator

pytestmark = pytest.mark.comfyui

SAVE = "RunComfySaveOriginals"


def save(node: str, prefix: str) -> dict[str, object]:
    return {"class_type": SAVE, "inputs": {"request_id": [node, 2], "filename_prefix": prefix}}


def test_originals_are_saved_by_the_hosts_patterns_and_shown(comfy: Comfy, api: Emulator) -> None:
    made = text_to_image("save me as I came", output_format="webp", num_images=2)
    outcome = comfy.run({"1": made, "2": save("1", "kept/%year% %width%x%height%")})
    assert outcome.succeeded, outcome.error
    (job,) = jobs_of(api, "save me as I came")
    served = [comfy.get("/runcomfy/jobs/file", id=newest(comfy)["id"], index=str(index)) for index in (0, 1)]
    assert comfy.files(outcome, "2") == [answer.content for answer in served]
    folder = comfy.folder / "output" / "kept"
    assert [path.read_bytes() for path in sorted(folder.glob("*.webp"))] == [answer.content for answer in served]
    (receipt,) = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    assert (receipt["request_id"], receipt["inputs"]["prompt"]) == (job.request_id, "save me as I came")
    assert receipt["files"][0].startswith("20") and "x" in receipt["files"][0] and "%" not in receipt["files"][0]
    assert comfy.run({"1": made, "2": save("1", "../../outside")}).error is not None
    assert len(jobs_of(api, "save me as I came")) == 1


def places(folder: Path) -> int:
    (path,) = folder.rglob("jobs.sqlite3")
    with contextlib.closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM places").fetchone()[0])


def test_a_server_that_was_killed_tells_what_it_left_running(api: Emulator, fresh_folder: Path) -> None:
    api.hold = True
    with Comfy(fresh_folder, api) as comfy:
        comfy.submit({"7": text_to_image("left running"), "8": save("7", "left")})
        comfy.until(lambda: newest(comfy).get("live"), "somebody waits for the job")
        assert comfy.post("/runcomfy/progress", {}).json()["nodes"][0]["live"] is True
        comfy.until(lambda: places(fresh_folder), "it is recorded which node shows the job")
        comfy.kill()
        comfy.start()
        (state,) = comfy.post("/runcomfy/progress", {}).json()["nodes"]
        assert (state["node"], state["type"], state["live"]) == ("7", TEXT_TO_IMAGE, False)
        (job,) = jobs_of(api, "left running")
        assert state["request_id"] == job.request_id
        found = comfy.get("/runcomfy/jobs", needs="1").json()
        assert (found["needs"], found["jobs"][0]["needs"]) == (1, "collect")
        api.hold = False
        comfy.post("/runcomfy/jobs/collect", {"id": found["jobs"][0]["id"]}).raise_for_status()
        comfy.until(lambda: newest(comfy)["state"] == "delivered", "it is collected")
        assert comfy.get("/runcomfy/jobs/thumbnail", id=newest(comfy)["id"], index="0").content[8:12] == b"WEBP"
        assert comfy.post("/runcomfy/progress", {}).json()["nodes"] == []
        assert comfy.run({"7": text_to_image("left running"), "8": save("7", "left")}).succeeded
        assert job.billed == 1 and len(jobs_of(api, "left running")) == 1


def newest(comfy: Comfy) -> dict[str, object]:
    jobs = comfy.get("/runcomfy/jobs", limit="1").json()["jobs"]
    return dict(jobs[0]) if jobs else {}
