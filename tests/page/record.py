"""A record of thousands of jobs that answers the page as the pack's routes do."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

Entry = dict[str, Any]
MODELS = (
    ("google/nano-banana-2/text-to-image", "Nano Banana 2 Text to Image", "RunComfyNanoBanana2TextToImage"),
    ("google/nano-banana-pro/edit", "Nano Banana Pro Edit", "RunComfyNanoBananaProEdit"),
)
SUBJECTS = (
    "a red fox in the snow",
    "a lighthouse at dusk",
    "a blue teapot",
    "a quiet harbour",
    "an old observatory",
)
DAY = 86_400
SETTINGS: dict[str, dict[str, Any]] = {
    "daily_budget_usd": {"value": None, "source": "default"},
    "keep_mb": {"value": 2048.0, "source": "default"},
    "keep_inputs": {"value": True, "source": "default"},
    "max_cost_usd": {"value": 0.5, "source": "environment"},
}


def entry(number: int, **changes: Any) -> Entry:
    """Return job ``number`` as the server tells it; higher ones are newer."""
    model_id, model, node_id = MODELS[number % 2]
    created = time.time() - 900 * (5_000 - number)
    made: Entry = {
        "id": number,
        "request_id": f"{number:08x}-77aa-4b2e-9d10-2a6f0c11e9c1",
        "model_id": model_id,
        "model": model,
        "node_id": node_id,
        "kind": "image",
        "prompt": f"{SUBJECTS[number % len(SUBJECTS)]}, number {number}, in the soft light of a long evening",
        "seed": number if number % 2 == 0 else None,
        "size": "1K",
        "count": 1 + number % 3,
        "state": "delivered",
        "created_at": created,
        "submitted_at": created,
        "ended_at": created + 20,
        "duration": 20.0,
        "estimate": 0.1,
        "cost": 0.1,
        "charge": "charged",
        "files": [{"index": 0, "kept": True, "type": "image/png"}],
        "hosted": [],
        "outcome": None,
        "needs": "",
        "live": False,
        "retry_allowed": False,
        "collecting": False,
        "failure": None,
    }
    return {**made, **changes}


@dataclass
class Record:
    """The jobs by id, and what was asked: ``calls`` holds (route, values)."""

    entries: dict[int, Entry] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(SETTINGS))

    def clear(self) -> None:
        """Be as a new one."""
        self.entries.clear()
        self.calls.clear()
        self.settings = dict(SETTINGS)

    def add(self, *entries: Entry) -> None:
        self.entries |= {each["id"]: each for each in entries}

    def add_to(self, app: web.Application, prefix: str) -> None:
        """Answer the routes before the pack's own do."""
        for method, path, answer in (
            ("GET", "/jobs", self._jobs),
            ("GET", "/job", self._job),
            ("GET", "/jobs/spend", self._spend),
            ("POST", "/jobs/collect", self._collect),
            ("POST", "/jobs/cancel", self._cancel),
            ("POST", "/jobs/retry", self._retry),
            ("POST", "/jobs/forget", self._forget),
            ("POST", "/jobs/forget_inputs", self._forget_inputs),
            ("GET", "/settings", self._settings),
            ("PUT", "/settings", self._store_settings),
        ):
            app.router.add_route(method, f"{prefix}/runcomfy{path}", self._answering(path, answer))
        for path in ("/jobs/thumbnail", "/jobs/file"):
            app.router.add_get(f"{prefix}/runcomfy{path}", self._image)

    def _answering(self, path: str, answer: Callable[[dict[str, Any]], Any]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            asked = dict(request.query) if request.method == "GET" else await request.json()
            self.calls.append((path, asked))
            return web.json_response(answer(asked))

        return handle

    def _jobs(self, asked: dict[str, Any]) -> Any:
        found = sorted(filter(lambda job: _fits(job, asked), self.entries.values()), key=lambda job: -job["id"])
        limit = int(asked.get("limit", 100))
        return {
            "jobs": found[:limit],
            "more": len(found) > limit,
            "needs": sum(bool(job["needs"]) for job in self.entries.values()),
            "models": [{"model_id": model_id, "model": model} for model_id, model, _ in MODELS],
        }

    def _job(self, asked: dict[str, Any]) -> Any:
        job = self.entries[int(asked["id"])]
        return {**job, "inputs": {"prompt": job["prompt"], "seed": job["seed"] or 0, "num_images": 1}, "media": []}

    def _spend(self, _: dict[str, Any]) -> Any:
        days = [
            {
                "day": time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY * back)),
                "usd": back % 7 / 2,
                "jobs": back,
            }
            for back in range(30, -1, -1)
        ]
        models = [{"model_id": model_id, "model": model, "usd": 12.5, "jobs": 125} for model_id, model, _ in MODELS]
        shares = {"user": [{"name": "alice", "usd": 20.0, "jobs": 200}, {"name": "", "usd": 5.0, "jobs": 50}]}
        return {"today": 0.4, "month": 25.0, "days": days, "models": models, "shares": shares}

    def _collect(self, asked: dict[str, Any]) -> Any:
        job = self.entries[asked["id"]]
        job |= {"state": "delivered", "needs": "", "files": [{"index": 0, "kept": True, "type": "image/png"}]}
        return {**job, "collecting": True}

    def _cancel(self, asked: dict[str, Any]) -> Any:
        self.entries[asked["id"]] |= {"state": "cancelled", "needs": "", "charge": "none", "cost": 0.0}
        return {**self.entries[asked["id"]], "told": {"kind": "cancel.cancelled", "params": {}}}

    def _retry(self, asked: dict[str, Any]) -> Any:
        job = next(job for job in self.entries.values() if job["request_id"] == asked["request_id"])
        job["retry_allowed"] = True
        return {"note": {"kind": "note.retry_allowed", "params": {"request_id": asked["request_id"]}}}

    def _forget(self, asked: dict[str, Any]) -> Any:
        del self.entries[asked["id"]]
        return {}

    def _forget_inputs(self, _: dict[str, Any]) -> Any:
        return {}

    def _settings(self, _: dict[str, Any]) -> Any:
        return self.settings

    def _store_settings(self, asked: dict[str, Any]) -> Any:
        self.settings |= {name: {"value": value, "source": "page"} for name, value in asked.items()}
        return self.settings

    async def _image(self, request: web.Request) -> web.Response:
        self.calls.append((request.path.rpartition("/")[2], dict(request.query)))
        await asyncio.sleep(0.005)
        number = int(request.query["id"])
        file = io.BytesIO()
        Image.new("RGB", (96, 96), (number * 37 % 256, number * 91 % 256, 140)).save(file, "PNG")
        return web.Response(body=file.getvalue(), content_type="image/png")


def _fits(job: Entry, asked: dict[str, Any]) -> bool:
    day = time.strftime("%Y-%m-%d", time.localtime(job["created_at"]))
    return (
        job["id"] < int(asked.get("before", 1 << 60))
        and asked.get("search", "").lower() in (job["prompt"] + job["request_id"]).lower()
        and asked.get("model", job["model_id"]) == job["model_id"]
        and asked.get("state", job["state"]) == job["state"]
        and asked.get("day", day) == day
        and bool(job["needs"] or not asked.get("needs"))
    )
