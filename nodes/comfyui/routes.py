"""The few HTTP routes that the page needs. No route returns the token; only the page itself may write.

Errors are JSON: ``code`` for translations, ``message`` and ``advice`` in plain English.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..core.errors import PackError
from .page import Page

if TYPE_CHECKING:
    from aiohttp import web

PREFIX = "/runcomfy"
ROUTES = (
    ("GET", "/account", "account"),
    ("PUT", "/token", "store_token"),
    ("DELETE", "/token", "forget_token"),
    ("POST", "/test", "test"),
    ("GET", "/prices", "prices"),
    ("GET", "/jobs", "jobs"),
    ("GET", "/progress", "progress"),
)
MAX_BODY_BYTES = 64 * 1024
_ATTRIBUTE = "runcomfy_models_page"

log = logging.getLogger(__name__)


class Refused(Exception):
    """A call is not answered. ``status`` is the HTTP status, ``code`` names the reason."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def register(server: Any, page: Page) -> None:
    """Add the routes to the host's server; where an earlier load of the pack did so, they answer from this one.

    ``server`` is ComfyUI's ``PromptServer``, or None where there is none.
    """
    if server is None:
        return
    registered = hasattr(server, _ATTRIBUTE)
    setattr(server, _ATTRIBUTE, page)
    if registered:
        return
    for method, path, name in ROUTES:
        server.routes.route(method, PREFIX + path)(_handler(server, method, name))


def require_own_page(headers: Mapping[str, str]) -> None:
    """Refuse what a browser sends for a page of another origin; programs that are no browser send no origin.

    Raises:
        Refused: with status 403.
    """
    site = headers.get("Sec-Fetch-Site")
    origin = headers.get("Origin")
    own = site == "same-origin" if site else origin is None or _host_of(origin) == headers.get("Host", "").lower()
    if not own:
        raise Refused(403, "OtherOrigin", "Only ComfyUI's own page may do this.")


async def read_body(request: web.Request) -> Mapping[str, object]:
    """Return the JSON object of a request.

    Raises:
        Refused: another type of content, too large, or no JSON object.
    """
    if request.content_type != "application/json":
        raise Refused(415, "NotJson", "The body must be JSON (Content-Type: application/json).")
    if request.content_length is None or request.content_length > MAX_BODY_BYTES:
        raise Refused(413, "TooLarge", f"The body must have a length of at most {MAX_BODY_BYTES} bytes.")
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "NotJson", "The body must be a JSON object.")
    return body


def _handler(server: Any, method: str, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            asked = await _asked(request, method)
            return _json(200, await _in_thread(getattr(getattr(server, _ATTRIBUTE), name), asked))
        except Refused as error:
            return _json(error.status, {"code": error.code, "message": error.message, "advice": ""})
        except PackError as error:
            payload = {"code": type(error).__name__, "message": error.message, "advice": error.advice}
            return _json(400, payload)

    return handle


async def _asked(request: web.Request, method: str) -> Mapping[str, object]:
    if method == "GET":
        return dict(request.query)
    require_own_page(request.headers)
    # A browser asks before it sends DELETE to another origin, so that one needs no body.
    return {} if method == "DELETE" else await read_body(request)


async def _in_thread(function: Callable[[Mapping[str, object]], object], asked: Mapping[str, object]) -> object:
    from ..core import threads

    return await asyncio.wrap_future(threads.start_abandonable(function, asked))


def _json(status: int, payload: object) -> web.Response:
    from aiohttp import web

    return web.json_response(payload, status=status, headers={"Cache-Control": "no-store"})


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
