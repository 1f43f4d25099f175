"""The emulator's own routes, beside those of the API: what was asked of it, and which faults are set.

    curl http://127.0.0.1:8288/_log
    curl http://127.0.0.1:8288/_faults -d submit:503*2
    curl http://127.0.0.1:8288/_faults -X DELETE

They need no token, and no fault strikes them.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from .account import Account
from .calls import Call
from .fault_help import fault_text
from .faults import parse_fault


class Controls:
    """Answers the emulator's own routes out of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._began = time.monotonic()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes to those of the API."""
        router.add_get("/_log", self.log)
        router.add_get("/_faults", self.faults)
        router.add_post("/_faults", self.add_faults)
        router.add_delete("/_faults", self.clear_faults)

    async def log(self, request: web.Request) -> web.Response:
        """Answer with the calls in order: all, those of a kind (``?what=submit``), or those after a number."""
        what, after = request.query.get("what"), request.query.get("after", "0")
        if not after.isdecimal():
            return _refused(f"after is a number of 0 or more, not {after!r}")
        calls = enumerate(self._account.calls, 1)
        chosen = [(number, call) for number, call in calls if number > int(after) and what in (None, call.what)]
        return web.json_response({"calls": [self._told(*each) for each in chosen]})

    async def faults(self, _request: web.Request) -> web.Response:
        """Answer with the faults that are set, and how often each has struck."""
        entries = self._account.faults.entries()
        return web.json_response({"faults": [{"fault": fault_text(one), "struck": hits} for one, hits in entries]})

    async def add_faults(self, request: web.Request) -> web.Response:
        """Add the faults of the body, one a line: all of them, or none where one cannot be read."""
        # As it is, whatever the type: curl calls everything a form.
        lines = (await request.content.read()).decode("utf-8", "replace").splitlines()
        try:
            found = [parse_fault(line) for line in lines if line.strip()]
        except ValueError as error:
            return _refused(str(error))
        for fault in found:
            self._account.faults.add(fault)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Remove all faults."""
        self._account.clear_faults()
        return await self.faults(request)

    def _told(self, number: int, call: Call) -> dict[str, Any]:
        # Without the headers: the token is among them.
        return {
            "number": number,
            "seconds": round(call.at - self._began, 3),
            "what": call.what,
            "method": call.method,
            "path": call.path,
            "status": call.status,
            "request_id": call.request_id,
            "bytes": call.size,
        }


def _refused(text: str) -> web.Response:
    return web.json_response({"error": text}, status=400)
