"""A simulated process of the pack's host: its memory, its prompts one after the other, and its death."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from nodes.app import run as app_run
from nodes.app import service
from nodes.core.errors import PackError
from nodes.core.jobs.context import Delivery
from nodes.core.jobs.progress import Progress
from nodes.core.schema.model import ModelSpec
from nodes.core.store.job import Author

from . import loop
from .disk import Connection
from .edges import Edges, Memory
from .scheduler import Dying, Fiber, Scheduler

TOKEN = "RUNCOMFY_API_TOKEN"
STATE_DIR = "RUNCOMFY_STATE_DIR"

_DEFAULTS = (("num_images", 1), ("sync_mode", False))

RUN: ContextVar[Run | None] = ContextVar("run", default=None)


class Interrupted(BaseException):
    """The host's own interrupt."""


@dataclass(frozen=True)
class Take:
    """What one node is asked for, by one account: the same take is to be paid for once."""

    account: int
    node: int
    spec: ModelSpec
    values: Mapping[str, object]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells takes apart; an input that has its default is as good as none."""
        values = ((name, str(value)) for name, value in self.values.items() if (name, value) not in _DEFAULTS)
        return (self.account, self.spec.node_id, *sorted(values))


@dataclass(eq=False)
class Run:
    """One run of a node, and how it ended: at most one of ``delivery``, ``error`` and ``interrupted``.

    Without a ``take``, it collects ``request_id``. ``shown`` is every text that a person could read.
    """

    number: int
    process: int
    token: str
    take: Take | None
    request_id: str | None = None
    began: float = 0.0
    ended: float | None = None
    delivery: Delivery | None = None
    images: list[list[bytes]] = field(default_factory=list)
    error: PackError | None = None
    broken: BaseException | None = None
    interrupted: bool = False
    shown: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)

    @property
    def receipt(self) -> Any:
        """What its error says of the charge, the cost and the request."""
        return getattr(self.error, "failure", self.error)

    def report(self, progress: Progress) -> None:
        """Note what is shown."""
        self.shown.update(map(str, progress.notes))
        if progress.request_id and progress.request_id not in self.ids:
            self.ids.append(progress.request_id)
        if progress.stage.value == "stopped" and progress.request_id:
            self.claims += ((progress.request_id, str(note)) for note in progress.notes)


@dataclass(eq=False)
class Prompt:
    """What a host runs as one: several nodes at a time. Stop, or a node that fails, ends all of them."""

    runs: list[Run]
    stopped_at: float | None = None
    ended: float | None = None


class Environ(dict[str, str]):
    """A process's environment. Whose token a run reads there is whom it works for, whoever entered it when."""

    def __init__(self, values: Mapping[str, str], account_of: Callable[[str], int]) -> None:
        super().__init__(values)
        self._account_of = account_of

    def get(self, name: str, default: Any = None) -> Any:
        """Return a variable."""
        value = super().get(name, default)
        run = RUN.get()
        if name == TOKEN and run is not None and value:
            run.token = value
            if run.take is not None:
                run.take = replace(run.take, account=self._account_of(value))
        return value


class RunHost:
    """The host as one run sees it."""

    def __init__(self, prompt: Prompt, run: Run) -> None:
        self._prompt = prompt
        self._run = run

    def run_host(self) -> RunHost:
        """Return who watches."""
        return self

    def interrupt(self) -> BaseException:
        """Return what is raised after Stop."""
        return Interrupted()

    def media_host(self) -> None:
        """Return nobody: the images are enough."""

    def state_folder(self) -> Path | None:
        """Return no folder: the environment names one."""
        return None

    def author(self) -> Author:
        """Return nobody."""
        return Author()

    def stopped(self) -> bool:
        """Whether Stop was asked for."""
        return self._prompt.stopped_at is not None

    def report(self, progress: Progress) -> None:
        """Hear the progress."""
        self._run.report(progress)


class Surroundings(Protocol):
    """What a process asks the world for."""

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of fibers."""

    def tell(self, text: str) -> None:
        """Note an event of the story."""


class Process:
    """One process; ``number`` is its place at the computer, which its successor takes over."""

    def __init__(self, world: Surroundings, edges: Edges, number: int, environ: Environ) -> None:
        self.number = number
        self.alive = True
        self.environ = environ
        self.memory: Memory = edges.new_memory(environ)
        self.connections: list[Connection] = []
        self.current: Prompt | None = None
        self._world = world
        self._queue: deque[Prompt] = deque()
        self._worker: Fiber | None = None
        self._idle: list[Fiber] = []

    def enqueue(self, runs: Sequence[Run]) -> Prompt:
        """Run nodes as one prompt, after those before it."""
        prompt = Prompt(list(runs))
        self._queue.append(prompt)
        if self._worker is None:
            self._worker = self._world.scheduler.spawn(self._work, self, f"prompts of process {self.number}")
        return prompt

    def stop(self) -> None:
        """Ask for the end of what runs now."""
        if self.current is not None and self.current.stopped_at is None:
            self.current.stopped_at = self._world.scheduler.now

    def wait(self) -> None:
        """Wait until every prompt has ended, or the process is dead."""
        me = self._world.scheduler.current
        while self.alive and (self._queue or self.current) and me is not None:
            self._idle.append(me)
            self._world.scheduler.park()

    def quit(self) -> None:
        """End as a process does that is asked to."""
        if self.alive:
            self._world.scheduler.spawn(self._quit, self, f"end of process {self.number}")
            me = self._world.scheduler.current
            while self.alive and me is not None:
                self._idle.append(me)
                self._world.scheduler.park()

    def die(self) -> None:
        """End as after ``kill -9``: nothing more of it runs, and the system ends its locks."""
        self._world.scheduler.outside(self._die)

    def _die(self) -> None:
        if not self.alive:
            return
        self.alive = False
        self._queue.clear()
        for connection in self.connections:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        self._world.scheduler.kill(self)
        self.current = None
        self._wake()

    def _quit(self) -> None:
        service.close_services()
        self._world.scheduler.outside(self._die)

    def _work(self) -> None:
        while self._queue:
            self.current = prompt = self._queue.popleft()
            loop.run(self._world.scheduler, self._play(prompt))
            prompt.ended = self._world.scheduler.now
            self.current = None
        self._worker = None
        self._wake()

    def _wake(self) -> None:
        idle, self._idle = self._idle, []
        for fiber in idle:
            self._world.scheduler.wake(fiber)

    async def _play(self, prompt: Prompt) -> None:
        """Run the nodes of a prompt; the first that fails ends it, and the loop's end ends the others."""
        tasks = [asyncio.create_task(self._run(prompt, run)) for run in prompt.runs]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)

    async def _run(self, prompt: Prompt, run: Run) -> None:
        RUN.set(run)
        run.began = self._world.scheduler.now
        self._world.tell(f"process {self.number}: {named(run)}")
        host = RunHost(prompt, run)
        try:
            if run.take is None:
                run.delivery = await app_run.run_collect(run.request_id, host)
            else:
                run.delivery = await app_run.run_model(run.take.spec, run.take.values, host)
            run.images = _images(run.delivery)
        except PackError as error:
            run.error = error
            raise
        except (Interrupted, asyncio.CancelledError):
            run.interrupted = True
            raise
        except (Dying, GeneratorExit):
            raise
        except BaseException as error:
            run.broken = error
            raise
        finally:
            if self.alive:
                run.ended = self._world.scheduler.now
                self._world.tell(f"process {self.number}: run {run.number} ends: {outcome(run)}")


def _images(delivery: Delivery) -> list[list[bytes]]:
    """Return the pixels of each batch: the shape and the bytes of uint8 ``[H,W,3]``, image by image."""
    return [
        [repr(tuple(image.shape)).encode() + (image * 255).round().byte().numpy().tobytes() for image in batch]
        for batch in delivery.batches
    ]


def named(run: Run) -> str:
    """Name a run in a story."""
    if run.take is None:
        return f"run {run.number} collects {run.request_id}"
    return f"run {run.number} asks for {run.take.values['prompt']!r}"


def outcome(run: Run) -> str:
    """Say how a run ended, in one line."""
    if run.delivery is not None:
        kept = ", a kept copy" if run.delivery.progress.kept else ""
        return f"{run.delivery.request_id} is delivered{kept}"
    if run.error is not None:
        about = f"charged: {run.receipt.charge.value}, {run.receipt.request_id or 'no request id'}"
        return f"{type(run.error).__name__}, {about}: {run.error.message}"
    if run.broken is not None:
        return f"{type(run.broken).__name__}: {run.broken}"
    return "stopped" if run.interrupted else "dead"
