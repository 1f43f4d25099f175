"""Small prompts for the tests, and the emulator's side of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import requests
from makers import by_pillow
from real_comfyui.host import Graph

from emulator import Emulator, Job

Pixels = npt.NDArray[np.uint8]

TEXT_TO_IMAGE = "RunComfyNanoBanana2TextToImage"
PRO_EDIT = "RunComfyNanoBananaProEdit"
MODEL = "google/nano-banana-2/text-to-image"


def text_to_image(prompt: object, **values: object) -> dict[str, Any]:
    """A node that makes small images, with every required widget."""
    widgets = {
        "prompt": prompt, "num_images": 1, "seed": 0, "aspect_ratio": "1:1", "resolution": "0.5K",
        "output_format": "png", "safety_tolerance": 4, "limit_generations": True, "enable_web_search": False,
    }  # fmt: skip
    return {"class_type": TEXT_TO_IMAGE, "inputs": {**widgets, **values}}


def pro_edit(prompt: object, **values: object) -> dict[str, Any]:
    widgets = {"prompt": prompt, "aspect_ratio": "1:1", "resolution": "1K", "output_format": "png", "num_images": 1}
    return {"class_type": PRO_EDIT, "inputs": {**widgets, "sync_mode": False, **values}}


def saved(node: str) -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": [node, 0], "filename_prefix": "test"}}


def shown(node: str) -> dict[str, Any]:
    return {"class_type": "PreviewImage", "inputs": {"images": [node, 0]}}


def one_image(prompt: str, **values: object) -> Graph:
    """A prompt of two nodes: ``1`` makes an image, ``2`` saves it."""
    return {"1": text_to_image(prompt, **values), "2": saved("1")}


def jobs_of(api: Emulator, prompt: str) -> list[Job]:
    """The jobs whose prompt it is, oldest first."""
    return [job for job in api.jobs if job.body.get("prompt") == prompt]


def paid_elsewhere(api: Emulator, model: str = MODEL, **inputs: object) -> str:
    """Have the account make a job by another program; return its request id."""
    body = inputs or {"prompt": "made elsewhere", "aspect_ratio": "1:1", "resolution": "1K"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{api.base_url}/models/{model}",
            json=body,
            headers={"Authorization": f"Bearer {api.token}"},
            timeout=10,
        )
    answer.raise_for_status()
    return str(answer.json()["request_id"])


def images(api: Emulator, job: Job) -> list[Pixels]:
    """The images of a finished job as the emulator serves them."""
    with requests.Session() as session:
        session.trust_env = False
        return [by_pillow(session.get(url, timeout=10).content) for url in api.files.uris(job)]
