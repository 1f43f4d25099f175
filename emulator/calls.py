"""One HTTP request: the record of it that is kept, and its handling while it lasts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDict


@dataclass(eq=False)
class Call:
    """One HTTP request as it came in.

    `what` is submit, status, result, cancel, catalog, balance, file or other; `path` is raw, with its query;
    `headers` is looked up in any case; `at` is in seconds of the monotonic clock; `size` is the body's, in bytes.
    """

    what: str
    method: str
    path: str
    headers: CIMultiDict[str]
    at: float = field(default_factory=time.monotonic)
    status: int | None = None
    """The HTTP status that went out; None before that, and where the connection was cut instead."""
    request_id: str | None = None
    size: int = 0


@dataclass(eq=False)
class Exchange:
    """A request that is being answered."""

    request: web.Request
    call: Call
    body: bytes = b""
    cut: bool = False
    """The connection was cut: nothing goes out any more."""
    whole: bool = False
    """The file is to be sent whole, whatever range was asked for."""
    half: bool = False
    """Of a file that is never whole in memory, half of what was asked for is to be sent."""
