"""Where the pack's modules meet the world: clock, randomness, threads, network, SQLite, names, files.

Once for each real process of the simulation, what the modules of the pack have imported of these is replaced by
what asks the history that is being played. A simulated process is the memory that a real one has for itself: the
module-level containers and locks of the pack, which are put in place as something of the process is resumed.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import os
import pkgutil
import re
import secrets
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import Executor
from copy import copy
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Protocol, TypeAlias

import nodes
from nodes.core.jobs import waiting
from nodes.core.media.buffers import BufferPool

from .database import Database
from .disk import Disk
from .network import Network
from .scheduler import Scheduler
from .threading import FiberExecutor, FiberLock, Threading, wait

Place: TypeAlias = tuple[ModuleType, str]

BOOTED = 1000.0
_SPARE_MEMORY = 2**20
# Every wait looks for Stop so often, and looks took most of the time: where nobody stops, hardly ever.
_LOOK_SECONDS = 0.4
_SELDOM_SECONDS = 20.0
_PUBLIC_ADDRESS = "104.18.0.1"
_USUAL_THREADS = 32
_IS_PRIVATE = re.compile("_[A-Za-z]")
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
# ComfyUI's room needs ComfyUI, and the entry of the shell runs it.
_LEFT_OUT = ("nodes.comfyui", "nodes.__main__")


class World(Protocol):
    """The world of the history that is being played."""

    network: Network
    disk: Disk

    @property
    def scheduler(self) -> Scheduler:
        """Its scheduler."""

    def wall(self) -> float:
        """What the computer's clock shows, in seconds since the epoch."""

    def token_hex(self, size: int) -> str:
        """Random hexadecimal digits."""

    def hear(self, record: logging.LogRecord) -> None:
        """Take what the pack logs."""


class Memory:
    """What one simulated process has for itself."""

    def __init__(self, values: dict[Place, object], environ: MutableMapping[str, str]) -> None:
        self.values = values
        self.environ = environ


class Edges:
    """Replaces the edges; ``world`` is the world they lead to. With a ``server``, the record lies there."""

    def __init__(self, server: str = "") -> None:
        self.world: World
        self._executors: list[FiberExecutor] = []
        self._own: dict[Place, Callable[[], object]] = {}
        self._inside: Memory | None = None
        _load_all()
        standins: dict[int, object] = {
            id(time): Time(self),
            id(threading): Threading(self),
            id(secrets): Secrets(self),
            id(sqlite3): SQLite(self),
            id(socket): Names(),
        }
        for module in _modules():
            self._replace_in(module, standins)
        _replace_files(self)
        # Memory for large results, got ready in advance, would take most of the time here.
        BufferPool.__init__.__defaults__ = (_SPARE_MEMORY,)
        self._listen()
        self.database = Database(self, server) if server else None

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of the history that is being played."""
        return self.world.scheduler

    def new_memory(self, environ: MutableMapping[str, str]) -> Memory:
        """Return the memory of a process that has just started."""
        return Memory({place: make() for place, make in self._own.items()}, environ)

    def enter(self, memory: Memory) -> None:
        """Put the memory of a process in place."""
        if memory is self._inside:
            return
        if self._inside is not None:
            for module, name in self._own:
                self._inside.values[module, name] = getattr(module, name)
        self._inside = memory
        # Each process has its own, and none is this one's.
        setattr(os, "environ", memory.environ)  # noqa: B010
        for (module, name), value in memory.values.items():
            setattr(module, name, value)

    def look_for_stop(self, *, is_due: bool) -> None:
        """Let every wait look for Stop as often as its bound demands; or hardly ever, as long as nobody stops."""
        waiting.LOOK_SECONDS = _LOOK_SECONDS if is_due else _SELDOM_SECONDS

    def leave(self) -> None:
        """Forget the last history."""
        self._inside = None
        for executor in self._executors:
            executor.forget()

    def _replace_in(self, module: ModuleType, standins: dict[int, object]) -> None:
        for name, value in list(vars(module).items()):
            if isinstance(value, ModuleType) and id(value) in standins:
                setattr(module, name, standins[id(value)])
            elif isinstance(value, Executor):
                setattr(module, name, self._executor(value))
            elif type(value).__module__.startswith("nodes."):
                self._replace_pools_of(value)
            elif isinstance(value, (dict, list, set, *_LOCKS)) and _IS_PRIVATE.match(name):
                self._own[module, name] = partial(self._fresh, self._fresh(value))
            elif value is concurrent.futures.wait:
                setattr(module, name, wait)
            elif name == "new_session":
                setattr(module, name, lambda agent: self.world.network.session(agent))
        for function in _functions(module):
            _replace_defaults(function, standins)

    def _replace_pools_of(self, owner: object) -> None:
        for name, value in list(getattr(owner, "__dict__", {}).items()):
            if isinstance(value, Executor):
                setattr(owner, name, self._executor(value))

    def _executor(self, pool: Executor) -> FiberExecutor:
        if isinstance(pool, FiberExecutor):
            return pool
        size: int = getattr(pool, "_max_workers", 0) or getattr(pool, "_size", _USUAL_THREADS)
        executor = FiberExecutor(self, size, "worker")
        self._executors.append(executor)
        return executor

    def _fresh(self, value: Any) -> Any:
        """Return a container as a new process has it: a copy, with locks of its own."""
        if isinstance(value, _LOCKS):
            return FiberLock(self, reentrant=isinstance(value, _LOCKS[1]))
        if isinstance(value, FiberLock):
            return value.another()
        if isinstance(value, dict):
            return {key: self._fresh(item) for key, item in value.items()}
        return copy(value)

    def _listen(self) -> None:
        edges = self

        class Ear(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                edges.world.hear(record)

        log = logging.getLogger("nodes")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.handlers[:] = [Ear()]
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)


class Time:
    """Stands for the module ``time``: the world's monotonic seconds, and the computer's clock."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return BOOTED + self._edges.scheduler.now

    perf_counter = monotonic

    def time(self) -> float:
        """Return what the computer's clock shows."""
        return self._edges.world.wall()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self._edges.scheduler.sleep(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class Secrets:
    """Stands for the module ``secrets``."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def token_hex(self, size: int = 32) -> str:
        """Return hexadecimal digits."""
        return self._edges.world.token_hex(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(secrets, name)


class SQLite:
    """Stands for the module ``sqlite3``."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def connect(self, path: str | Path, **options: Any) -> sqlite3.Connection:
        """Open a file."""
        return self._edges.world.disk.connect(path, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)


class Names:
    """Stands for the module ``socket`` where names are looked up: every one leads to a public address."""

    def getaddrinfo(self, host: str, port: int, **_options: object) -> list[tuple[Any, ...]]:
        """Look a name up."""
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, host, (_PUBLIC_ADDRESS, port))]

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)


def _load_all() -> None:
    """Import every module of the pack that a run may import later."""
    for found in pkgutil.walk_packages(nodes.__path__, "nodes."):
        if not found.name.startswith(_LEFT_OUT):
            import_module(found.name)


def _modules() -> list[ModuleType]:
    return [sys.modules[name] for name in sorted(sys.modules) if name == "nodes" or name.startswith("nodes.")]


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in list(vars(module).values()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            yield from (one for one in vars(value).values() if isinstance(one, FunctionType))


def _replace_defaults(function: FunctionType, standins: dict[int, object]) -> None:
    """Replace clocks that are a function's defaults: those were bound when the module was loaded."""
    clocks = {time.time: "time", time.monotonic: "monotonic", time.sleep: "sleep"}

    def replaced(value: object) -> object:
        with contextlib.suppress(TypeError):
            if value in clocks:
                return getattr(standins[id(time)], clocks[value])
        return value

    if function.__defaults__:
        function.__defaults__ = tuple(map(replaced, function.__defaults__))
    if function.__kwdefaults__:
        function.__kwdefaults__ = {name: replaced(value) for name, value in function.__kwdefaults__.items()}


def _replace_files(edges: Edges) -> None:
    """Let what is written below the state folder ask the disk first."""

    def asking(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Path, *values: Any, **options: Any) -> Any:
            world: World | None = getattr(edges, "world", None)
            if world is not None and world.scheduler.current is not None and world.disk.folder in path.parents:
                world.disk.before_write("kept")
            return method(path, *values, **options)

        return call

    for name in ("write_bytes", "mkdir", "rename"):
        setattr(Path, name, asking(getattr(Path, name)))
