"""The emulator as a whole: a real HTTP server on loopback, on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from .account import Account
from .answers import Answers
from .jobs import Pace
from .server import Api

_GRACE = 0.1
"""Seconds that calls under way have to end by themselves when the emulator stops."""


class Emulator(Account):
    """The model API on 127.0.0.1. Use it as a context manager, or call `start` and `stop`.

    With `port=0` a free port is chosen at the first start. A later start takes the same port again and knows the
    same jobs, as a service does that was away for a while.
    """

    def __init__(
        self,
        queue_seconds: Pace = 0.0,
        run_seconds: Pace = 0.0,
        answers: str | dict[str, Any] | Answers = "documented",
        validation: str = "strict",
        token: str | None = None,
        *,
        port: int = 0,
        models: Path | None = None,
    ) -> None:
        super().__init__(queue_seconds, run_seconds, answers, validation, token, models)
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`. Raises: RuntimeError before the first start."""
        if not self._port:
            raise RuntimeError("the emulator has no port before it is started")
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def start(self) -> None:
        """Serve until `stop`. Raises: OSError if the port is taken; RuntimeError if it runs already."""
        if self._thread is not None:
            raise RuntimeError("the emulator is running already")
        listener = socket.socket()
        try:
            if os.name == "posix":  # elsewhere it would share a port that is in use
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name="emulator", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close every connection and end the thread. Does nothing if it does not run."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = self._loop = self._stopping = None

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_default_executor(ThreadPoolExecutor(4, "emulator-work"))
        runner = web.AppRunner(
            Api(self, self.origin).application(), access_log=None, handle_signals=False,
            handler_cancellation=True, shutdown_timeout=_GRACE,
        )  # fmt: skip
        await runner.setup()
        await web.SockSite(runner, listener).start()
        ready.set()
        await self._stopping.wait()
        await runner.cleanup()
