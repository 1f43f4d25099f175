"""The files of finished jobs: made once, when first asked for, and served whole or in part."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from .drawing import make_file
from .jobs import COMPLETED, Job, JobBook
from .moving import padded
from .plans import Plan, make_plans

_ZEROS = bytes(256 * 1024)


class FileStore:
    """Makes and keeps the files. Its methods block while an image is drawn."""

    def __init__(self, book: JobBook) -> None:
        self._book = book
        self._made: dict[str, bytes] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.origin = ""

    def uris(self, job: Job) -> list[str]:
        """Return the files of a finished job: URLs, or data URIs where the job asked for them."""
        plans = make_plans(job.asked, job.outcome) if job.state == COMPLETED else []
        if not job.asked.inline:
            return [f"{self.origin}{self._path(job, plan)}" for plan in plans]
        return [
            f"data:{plan.content_type};base64,{base64.b64encode(self._make(job, plan)).decode()}" for plan in plans
        ]

    def find(self, raw_path: str) -> tuple[Job, Plan] | None:
        """Find the file of a raw path, percent-encoded just as its URL was given out."""
        _, _, rest = raw_path.partition("?")[0].partition("/files/")
        job = self._book.find(rest.partition("/")[0])
        if job is None or job.state != COMPLETED:
            return None
        plans = make_plans(job.asked, job.outcome)
        return next(((job, plan) for plan in plans if self._path(job, plan) == f"/files/{rest}"), None)

    def read(self, job: Job, plan: Plan) -> bytes:
        """Make a file, or find the one that was made."""
        return self._make(job, plan)

    def open(self, job: Job, plan: Plan) -> File:
        """Make a file, with what follows its bytes."""
        data = self._make(job, plan)
        return File(*padded(data, plan.padding)) if plan.padding else File(data)

    def _look_up(self, url: str) -> bytes | None:
        found = self.find(url.removeprefix(self.origin)) if url.startswith(f"{self.origin}/files/") else None
        return self._make(*found) if found else None

    def _make(self, job: Job, plan: Plan) -> bytes:
        path = self._path(job, plan)
        with self._locks[path]:
            if path not in self._made:
                self._made[path] = make_file(job.model_id, job.asked, plan, self._look_up)
            return self._made[path]

    @staticmethod
    def _path(job: Job, plan: Plan) -> str:
        return f"/files/{job.request_id}/{plan.name}"


@dataclass(frozen=True)
class File:
    """A file: its bytes, and how many zeros follow."""

    data: bytes
    padding: int = 0

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return len(self.data) + self.padding

    def part(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to before ``end``."""
        if start < len(self.data):
            yield self.data[start:end]
        left = end - max(start, len(self.data))
        while left > 0:
            yield _ZEROS[:left]
            left -= len(_ZEROS)


async def stream(
    request: web.Request, file: File, content_type: str, *, ranges: bool, half: bool = False
) -> web.StreamResponse:
    """Send a file piece by piece, or its end from where it was asked for; of it, ``half``, and then close."""
    tag = f'"{hashlib.sha256(file.data).hexdigest()[:24]}-{file.padding}"'
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    goes_on = ranges and asked is not None and request.headers.get("If-Range", tag) == tag
    start = min(int(asked[1]), file.length) if asked is not None and goes_on else 0
    answer = web.StreamResponse(status=206 if goes_on else 200, headers={"Content-Type": content_type})
    answer.content_length = file.length - start
    if ranges:
        answer.headers.update({"Accept-Ranges": "bytes", "ETag": tag})
    if goes_on:
        answer.headers["Content-Range"] = f"bytes {start}-{file.length - 1}/{file.length}"
    if half:
        answer.force_close()
    await answer.prepare(request)
    with contextlib.suppress(ConnectionError):
        for piece in file.part(start, start + (file.length - start) // 2 if half else file.length):
            await answer.write(piece)
    return answer


def answer(request: web.Request, data: bytes, content_type: str, *, ranges: bool) -> web.Response:
    """Answer with the file, or with the one range of it that was asked for (RFC 9110, section 14)."""
    if not ranges:
        return web.Response(body=data, content_type=content_type)
    tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    wanted = request.headers.get("Range")
    if wanted is None or request.headers.get("If-Range", tag) != tag:
        return web.Response(body=data, content_type=content_type, headers=headers)
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if asked is None or not (asked[1] or asked[2]):
        return web.Response(body=data, content_type=content_type, headers=headers)
    start = int(asked[1]) if asked[1] else max(0, len(data) - int(asked[2]))
    end = min(int(asked[2]), len(data) - 1) if asked[1] and asked[2] else len(data) - 1
    if start > end:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
    return web.Response(status=206, body=data[start : end + 1], content_type=content_type, headers=headers)
