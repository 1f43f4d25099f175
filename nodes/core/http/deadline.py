"""One deadline over a whole call, from the first byte sent to the last one received, and only final answers.

A timeout of ``requests`` begins anew with each piece that arrives: headers, trailers or a request that crawl would
hold a thread for hours. Here every wait for the network is cut to what is left of the call.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import requests
import urllib3

MAX_INTERIM = 100
_ends: ContextVar[float] = ContextVar("ends")


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let every call that this thread makes inside end in so many seconds, however it crawls: ``TimeoutError``."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


class Adapter(requests.adapters.HTTPAdapter):
    """Keeps to the deadline, directly and through every kind of proxy."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        _keep_to_deadline(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.PoolManager:
        """Make the pools of a proxy, or return those there are."""
        known = proxy in self.proxy_manager
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **options)
        if not known:
            _keep_to_deadline(manager)
        return manager


def _keep_to_deadline(manager: Any) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _timely(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _timely(pool: Any) -> type:
    connection = type("TimelyConnection", (_TimelySending, pool.ConnectionCls), {"response_class": _Response})
    return type("TimelyPool", (pool,), {"ConnectionCls": connection})


@contextlib.contextmanager
def _what_is_left(sock: Any) -> Iterator[None]:
    """Let one wait of a socket take no longer than is left of the call."""
    patience: float | None = sock.gettimeout()
    left = _ends.get(math.inf) - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call has taken all of its time")
    sock.settimeout(patience if left == math.inf else min(left, patience or left))
    yield
    sock.settimeout(patience)


class _TimelySending:
    """Goes before the connection class of a pool, which sends a body piece by piece."""

    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        with _what_is_left(self.sock):
            super().send(data)  # type: ignore[misc]


class _TimelyReader(io.RawIOBase):
    """What a socket receives; ``raw`` is its own file."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        with _what_is_left(self._sock):
            return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """The final answer to a request: ``http.client`` takes every interim one but 100 for it.

    The final answer would then be the one to the next request on the connection. Nothing asks for interim answers,
    so a connection that brought one is not used again.
    """

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._interim = 0
        self.fp: Any = io.BufferedReader(_TimelyReader(self.fp.detach(), sock))

    def begin(self) -> None:
        super().begin()
        self.will_close = self.will_close or self._interim > 0

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            self._interim += 1
            if status == http.client.SWITCHING_PROTOCOLS or self._interim > MAX_INTERIM:
                raise http.client.HTTPException("no final answer")
            http.client.parse_headers(self.fp)
