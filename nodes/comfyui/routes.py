"""The few HTTP routes that the page needs. No route returns the token; only the page itself may change anything.

What a GET asks for changes nothing: any page on the web can make a browser ask.

The help pages are made when they are asked for, at the addresses of files that the host would serve: what the pack
registers stands before the host's own folders (seen in ComfyUI 0.3.64).

Errors are JSON: the payload of the failure, which the page says in the person's language.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..core.errors import PackError, failed
from ..core.texts import Param
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
    ("GET", "/job", "job"),
    ("GET", "/jobs/thumbnail", "thumbnail"),
    ("GET", "/jobs/file", "job_file"),
    ("GET", "/jobs/spend", "spend"),
    ("GET", "/jobs/export", "export_jobs"),
    ("POST", "/jobs/collect", "collect_job"),
    ("POST", "/jobs/cancel", "cancel_job"),
    ("POST", "/jobs/retry", "retry_job"),
    ("POST", "/jobs/forget", "forget_job"),
    ("POST", "/jobs/forget_inputs", "forget_inputs"),
    ("POST", "/estimate", "estimate"),
    ("POST", "/takes", "takes"),
    ("GET", "/settings", "settings"),
    ("PUT", "/settings", "store_settings"),
    ("POST", "/progress", "progress"),
    ("GET", "/messages", "messages"),
    ("POST", "/models/search", "search_models"),
    ("POST", "/models/add", "add_models"),
    ("POST", "/models/remove", "remove_models"),
    ("POST", "/models/named", "named_models"),
    ("POST", "/models/check", "check_models"),
    ("POST", "/models/update", "update_model"),
    ("POST", "/models/as_it_is", "send_as_it_is"),
    ("GET", "/models/texts", "model_texts"),
)
# The page asks for its language first, and for the other one after a 404.
HELP_PATHS = ("{node}/{language}.md", "{node}.md")
# As the host calls the folder that it found the pack in, also where that is a link.
PACK_FOLDER = Path(__file__).parents[2].name
MAX_BODY_BYTES = 64 * 1024
# A page asks for five things at once when it is opened. The threads are those of the jobs, too.
MAX_CALLS_OF_A_CLIENT = 12
MAX_CALLS = 20
PAGE_ATTRIBUTE = "runcomfy_models_page"

log = logging.getLogger(__name__)


class Refused(PackError):
    """A call is not answered. ``http_status`` is that of the answer."""

    def __init__(self, kind: str, http_status: int, **params: Param) -> None:
        super().__init__(failed(kind, **params))
        self.http_status = http_status


def register(server: Any, page: Page) -> None:
    """Add the routes to the host's server; where an earlier load of the pack did so, they answer from this one.

    ``server`` is ComfyUI's ``PromptServer``, or None where there is none.
    """
    if server is None:
        return
    registered = hasattr(server, PAGE_ATTRIBUTE)
    setattr(server, PAGE_ATTRIBUTE, page)
    if registered:
        return
    for method, path, name in ROUTES:
        server.routes.route(method, PREFIX + path)(_handler(server, method, name))
    for path in HELP_PATHS:
        server.routes.route("GET", f"/extensions/{quote(PACK_FOLDER)}/docs/{path}")(_help_handler(server))


def require_own_page(headers: Mapping[str, str]) -> None:
    """Refuse what a browser sends for a page of another origin; programs that are no browser send no origin.

    Raises:
        Refused: with status 403.
    """
    site = headers.get("Sec-Fetch-Site")
    origin = headers.get("Origin")
    own = site == "same-origin" if site else origin is None or _host_of(origin) == headers.get("Host", "").lower()
    if not own:
        raise Refused("other_origin", 403)


async def read_body(request: web.Request) -> Mapping[str, object]:
    """Return the JSON object of a request.

    Raises:
        Refused: another type of content, too large, or no JSON object.
    """
    if request.content_type != "application/json":
        raise Refused("not_json", 415)
    if request.content_length is None or request.content_length > MAX_BODY_BYTES:
        raise Refused("body_too_large", 413, limit_bytes=MAX_BODY_BYTES)
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused("not_an_object", 400)
    return body


def _handler(server: Any, method: str, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            asked = await _asked(request, method)
            answer = await _in_thread(request, getattr(getattr(server, PAGE_ATTRIBUTE), name), asked)
            return _json(200, answer) if isinstance(answer, dict) else await _file(request, answer)
        except PackError as error:
            status = error.http_status if isinstance(error, Refused) else 400
            return _json(status, error.failure.payload())

    return handle


def _help_handler(server: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            text = await _in_thread(request, getattr(server, PAGE_ATTRIBUTE).help, dict(request.match_info))
        except Refused:
            raise web.HTTPTooManyRequests from None
        if not isinstance(text, str):
            raise web.HTTPNotFound
        return web.Response(text=text, content_type="text/markdown", headers={"Cache-Control": "no-cache"})

    return handle


async def _file(request: web.Request, answer: object) -> web.StreamResponse:
    """Answer with a file: one that is kept, or one that is made where the browser has not the same already."""
    from aiohttp import web

    from ..app.files import KeptFile, MadeFile

    match answer:
        case KeptFile(path, media_type, name):
            return web.FileResponse(path, headers=_file_headers(media_type, name, attached=not media_type))
        case MadeFile(make, media_type, etag, name):
            headers = _file_headers(media_type, name, attached=bool(name))
            if etag:
                headers["ETag"] = f'"{etag}"'
            if etag and etag in (known.value for known in request.if_none_match or ()):
                return web.Response(status=304, headers=headers)
            body = await _in_thread(request, lambda _: make(), {})
            return web.Response(body=body, headers=headers)
    raise web.HTTPNotFound(headers={"Cache-Control": "no-store"})


def _file_headers(media_type: str, name: str, *, attached: bool) -> dict[str, str]:
    """Return the headers of a file: no browser takes it for a page, and no page of another site can use it.

    It may be kept by the browser, which asks each time whether it is still the same.
    """
    place = "attachment" if attached else "inline"
    return {
        "Content-Type": media_type or "application/octet-stream",
        "Content-Disposition": f'{place}; filename="{name}"' if name else place,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


async def _asked(request: web.Request, method: str) -> Mapping[str, object]:
    if method == "GET":
        return dict(request.query)
    require_own_page(request.headers)
    # A browser asks before it sends DELETE to another origin, so that one needs no body.
    return {} if method == "DELETE" else await read_body(request)


async def _in_thread(
    request: web.Request, function: Callable[[Mapping[str, object]], object], asked: Mapping[str, object]
) -> object:
    from ..core import threads

    client = request.remote or ""
    _under_way.begin(client)
    answering = threads.PAGE.start(function, asked)
    # With the thread, not with the call: who hangs up leaves it behind.
    answering.add_done_callback(lambda _: _under_way.end(client))
    return await asyncio.wrap_future(answering)


class CallsUnderWay:
    """How many calls are being answered, of each client and in all. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def begin(self, client: str) -> None:
        """Raises: Refused, with status 429."""
        with self._lock:
            if self._calls[client] >= MAX_CALLS_OF_A_CLIENT or sum(self._calls.values()) >= MAX_CALLS:
                raise Refused("too_many_calls", 429)
            self._calls[client] += 1

    def end(self, client: str) -> None:
        with self._lock:
            self._calls[client] -= 1
            self._calls += Counter()


_under_way = CallsUnderWay()


def _json(status: int, payload: object) -> web.Response:
    from aiohttp import web

    return web.json_response(payload, status=status, headers={"Cache-Control": "no-store"})


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
