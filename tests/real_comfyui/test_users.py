"""A host with several users: each job knows who queued its prompt, and for which project."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from real_comfyui.graphs import one_image
from real_comfyui.host import Comfy

from emulator import Emulator
from nodes.core.store.journal import Journal
from nodes.core.store.spending import spent

pytestmark = pytest.mark.comfyui


def test_a_job_stands_under_the_user_who_queued_it(api: Emulator, fresh_folder: Path) -> None:
    api.prices = dict.fromkeys(api.prices, 0.25)
    host = Comfy(fresh_folder, api, options=("--multi-user",))
    host.environment["RUNCOMFY_STATE_DIR"] = str(fresh_folder / "state")
    with host as comfy:
        users = {name: requests.post(f"{comfy.url}/users", json={"username": name}, timeout=30).json()
                 for name in ("Alice", "Bob")}  # fmt: skip
        for name, project in (("Alice", "spot"), ("Bob", "film"), ("Alice", "film")):
            workflow = {"id": "w", "extra": {"runcomfy_project": project}}
            body = {
                "prompt": one_image(f"{name} {project}"),
                "extra_data": {"extra_pnginfo": {"workflow": workflow}},
            }
            answer = requests.post(
                f"{comfy.url}/api/prompt", json=body, headers={"Comfy-User": users[name]}, timeout=30
            )
            assert answer.status_code == 200, answer.text
        comfy.until(lambda: len(api.billed) >= 3 and comfy.idle(), "all have run")
    journal = Journal(fresh_folder / "state")
    by = {what: journal.read(lambda db, _, what=what: spent(db, what, 0.0)) for what in ("user", "project")}
    journal.close()
    assert [(one.name, one.jobs) for one in by["user"]] == [("Alice", 2), ("Bob", 1)]
    assert [(one.name, one.jobs) for one in by["project"]] == [("film", 2), ("spot", 1)]
