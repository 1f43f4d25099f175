"""Carries out a fault on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .calls import Exchange
from .encoding import bomb
from .faults import INSTEAD, Fault

Process = Callable[[], Awaitable[web.StreamResponse]]
_PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_CHUNK = bytes(range(256)) * 256


async def misbehave(fault: Fault, exchange: Exchange, process: Process) -> web.StreamResponse:
    """Answer a call as its fault demands; `process` does the call itself."""
    if fault.kind in INSTEAD:
        return await _instead(fault, exchange)
    if fault.kind == "hang":
        await asyncio.sleep(fault.hang or 0)
        return await process()
    exchange.whole = fault.kind == "cut"
    exchange.half = fault.kind == "truncated"
    answer = await process()
    if answer.prepared:
        # A large file, which is sent while it is made.
        return answer
    if fault.kind == "lost":
        return _cut(exchange)
    if fault.kind == "hang_after":
        await asyncio.sleep(fault.hang_after or 0)
        return answer
    return await _spoil(fault, exchange, answer)


async def _instead(fault: Fault, exchange: Exchange) -> web.StreamResponse:
    if fault.reset:
        return _cut(exchange)
    if fault.endless:
        return await _endless(exchange)
    answer = _other_answer(fault)
    answer.headers.update(fault.headers)
    return answer


def _other_answer(fault: Fault) -> web.Response:
    if fault.redirect is not None:
        return web.Response(status=fault.status or 302, headers={"Location": fault.redirect})
    if fault.html:
        return web.Response(text=_PAGE.format("Welcome to the network"), content_type="text/html")
    if fault.bomb:
        return web.Response(body=bomb(), content_type="image/png")
    if fault.content is not None:
        return web.Response(body=fault.content, content_type=fault.content_type or "application/octet-stream")
    return _with_status(fault.status or 500, fault.body)


def _with_status(status: int, body: object) -> web.Response:
    if body is None:
        try:
            phrase = http.HTTPStatus(status).phrase
        except ValueError:
            phrase = "No such status"
        body = _PAGE.format(f"{status} {phrase}") if status >= 500 else {"error_message": phrase}
    if isinstance(body, str):
        return web.Response(status=status, text=body, content_type="text/html")
    if isinstance(body, bytes):
        return web.Response(status=status, body=body)
    return web.json_response(body, status=status)


async def _spoil(fault: Fault, exchange: Exchange, answer: web.StreamResponse) -> web.StreamResponse:
    body = getattr(answer, "body", None)
    data = bytes(body) if isinstance(body, (bytes, bytearray)) else b""
    if fault.edit is not None:
        return web.json_response(fault.edit(json.loads(data)), status=fault.edit_status or answer.status)
    if fault.garbage:
        return web.Response(body=b'{"request_id": "', content_type="application/json")
    if fault.empty:
        return web.Response(content_type=answer.content_type)
    if fault.content_type is not None:
        return web.Response(status=answer.status, body=data, content_type=fault.content_type)
    if fault.cut is not None:
        part = data[: int(len(data) * fault.cut)]
        return web.Response(status=answer.status, body=part, content_type=answer.content_type)
    if fault.drip is not None:
        return await _drip(exchange, answer, data, fault.drip)
    if fault.truncated:
        return await _short(exchange, answer, len(data), data[: len(data) // 2])
    return await _short(exchange, answer, fault.length or 0, data)


async def _begin(exchange: Exchange, stream: web.StreamResponse) -> None:
    exchange.call.status = stream.status
    await stream.prepare(exchange.request)


async def _short(exchange: Exchange, answer: web.StreamResponse, announced: int, data: bytes) -> web.StreamResponse:
    """Announce one length, send these bytes, close."""
    stream = web.StreamResponse(status=answer.status, headers=answer.headers)
    stream.content_length = announced
    stream.force_close()
    await _begin(exchange, stream)
    with _until_the_client_leaves():
        await stream.write(data)
    return stream


async def _drip(exchange: Exchange, answer: web.StreamResponse, data: bytes, seconds: float) -> web.StreamResponse:
    stream = web.StreamResponse(status=answer.status, headers=answer.headers)
    stream.content_length = len(data)
    await _begin(exchange, stream)
    with _until_the_client_leaves():
        for byte in data:
            await stream.write(bytes((byte,)))
            await asyncio.sleep(seconds)
    return stream


async def _endless(exchange: Exchange) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "image/png"})
    stream.enable_chunked_encoding()
    await _begin(exchange, stream)
    with _until_the_client_leaves():
        while True:
            await stream.write(_CHUNK)
    return stream


def _until_the_client_leaves() -> contextlib.suppress:
    return contextlib.suppress(ConnectionError)


def _cut(exchange: Exchange) -> web.Response:
    """Reset the connection: with a linger time of 0 a close sends RST in place of FIN."""
    exchange.cut = True
    transport = exchange.request.transport
    if transport is not None:
        peer: Any = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
        transport.abort()
    return web.Response()
