"""What is commonly done, and the least that can be done, written out for comparison."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import requests
import torch
from numpy.typing import NDArray
from PIL import Image

FLAT_SECONDS = 5.0
PNG_LEVEL = 6
FLOOR_THREADS = 2


class PlainClient:
    """Jobs over bare ``requests``: a call is a call, nothing is checked, recorded or repeated."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    def submit(self, model_id: str, body: dict[str, object]) -> str:
        """Submit a job and return its request id."""
        answer = self._session.post(f"{self._base}/models/{model_id}", json=body)
        answer.raise_for_status()
        return str(answer.json()["request_id"])

    def poll_flat(self, request_id: str) -> None:
        """Ask every five seconds until the job has completed."""
        while self._session.get(f"{self._base}/requests/{request_id}/status").json()["status"] != "completed":
            time.sleep(FLAT_SECONDS)

    def files(self, request_id: str) -> list[str]:
        """Return the addresses of a completed job's files."""
        output = self._session.get(f"{self._base}/requests/{request_id}/result").json()["output"]
        return [str(url) for url in output.get("images") or [output["image"]]]

    def read(self, url: str) -> bytes:
        """Return a file."""
        return self._session.get(url).content


def encode_png(images: Sequence[NDArray[np.uint8]]) -> list[bytes]:
    """Encode as PNG of level 6, one after another."""
    files = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", compress_level=PNG_LEVEL)
        files.append(buffer.getvalue())
    return files


def encode_webp(image: NDArray[np.uint8]) -> bytes:
    """Encode as lossless WebP with the least effort: the fastest lossless encoder at hand."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, exact=True, quality=0, method=0)
    return buffer.getvalue()


def two_copies(data: bytes) -> torch.Tensor:
    """Decode a file as most packs do: an array of floats, and a second one of its 255th parts."""
    pixels = np.array(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.float32) / 255.0
    return torch.from_numpy(pixels)[None]


def fetch_and_load(url: str) -> None:
    """Fetch a file and decode it to Pillow's own pixels: no tensor is made."""
    Image.open(io.BytesIO(requests.get(url).content)).load()


def decode_floor(urls: Sequence[str]) -> None:
    """Fetch and decode on two threads, and make nothing of it."""
    with ThreadPoolExecutor(FLOOR_THREADS) as pool:
        list(pool.map(fetch_and_load, urls))


def decode_common(urls: Sequence[str]) -> torch.Tensor:
    """Fetch one file after another, decode each with two copies, and join them with a third."""
    return torch.cat([two_copies(requests.get(url).content) for url in urls])
