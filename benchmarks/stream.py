"""How a large video comes from its address to the graph."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import requests

from .measuring import in_a_process, in_turn
from .running import Api, emulator_process
from .table import Row

MODEL = "minimax/minimax-h3/reference-to-video"
SIZE = 500_000_000
MOST_MEMORY = 64.0


def rows(quick: bool) -> list[Row]:
    """Return the rows of a video of 500 MB: memory and time."""
    size = SIZE // 5 if quick else SIZE
    with emulator_process(0.0, f"job:padding={size}") as api:
        url = _video(api)
        policies = {
            name: partial(in_a_process, "stream_process", name, url) for name in ("ours", "floor", "common")
        }
        found = in_turn(policies, 1 if quick else 3)
    ours, floor, common = found["ours"], found["floor"], found["common"]
    what = f"stream: a video of {size // 10**6} MB"
    memory, target = ours["memory"], f"<= {MOST_MEMORY:.0f} MiB"
    return [
        Row(
            f"{what}, memory",
            "real",
            "MiB",
            memory,
            floor["memory"],
            common["memory"],
            target,
            memory <= MOST_MEMORY,
        ),
        Row(f"{what}, time", "real", "s", ours["wall"], floor["wall"], common["wall"]),
    ]


def _video(api: Api) -> str:
    """Return the address of a video that the emulator makes."""
    bearer = {"Authorization": f"Bearer {api.token}"}
    body = {"prompt": "a fox", "duration": 4, "reference_images": ["https://files.example.com/a.png"]}
    job = requests.post(f"{api.base_url}/models/{MODEL}", headers=bearer, json=body, timeout=30).json()
    while True:
        address = f"{api.base_url}/requests/{job['request_id']}/result"
        found: dict[str, Any] = requests.get(address, headers=bearer, timeout=30).json()
        if "output" in found:
            return str(found["output"]["video"])
        time.sleep(0.1)
