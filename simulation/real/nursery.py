"""Real processes of the pack's host: one that has loaded everything forks them, so that each starts at once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nodes.app import run as app_run
from nodes.app.service import close_services, open_service
from nodes.core.config.settings import read_settings
from nodes.core.errors import PackError
from nodes.core.jobs.progress import Progress, Stage
from nodes.core.schema.registry import load_models
from nodes.core.store.job import Author

MODEL_ID = "google/nano-banana-2/text-to-image"
PAUSE_SECONDS = 0.5
MOST_SECONDS = 90


@dataclass(frozen=True)
class Take:
    """What a node is asked for."""

    prompt: str
    count: int


@dataclass(frozen=True)
class Order:
    """What a process does: so many times the same prompt of some nodes, until all of them have delivered."""

    environ: Mapping[str, str]
    log: Path
    takes: tuple[Take, ...]
    attempts: int = 1


class Child:
    """One process. What it tells is a line of JSON each."""

    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self._log = log

    def told(self) -> list[dict[str, Any]]:
        """Return what it has told; a line that it was killed in is left out."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def lives(self) -> bool:
        """Whether it is still there."""
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True


class Nursery:
    """Starts processes. It is to be made before its own process has threads."""

    def __init__(self) -> None:
        self._orders, there = Pipe()
        if os.fork() == 0:
            self._orders.close()
            _serve(there)
            os._exit(0)
        there.close()

    def start(self, order: Order) -> Child:
        """Start a process."""
        self._orders.send(order)
        return Child(self._orders.recv(), order.log)

    def close(self) -> None:
        """End it."""
        self._orders.close()


def digest(shape: Sequence[int], pixels: bytes) -> str:
    """Return a hash of one image, uint8 ``[H,W,3]``."""
    return hashlib.sha256(repr(tuple(shape)).encode() + pixels).hexdigest()


def _serve(orders: Connection) -> None:
    # Nobody asks how they ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            order = orders.recv()
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            orders.close()
            try:
                _live(order)
            finally:
                os._exit(0)
        orders.send(pid)


class _Host:
    """The host of one run; Stop is a signal."""

    stop = False

    def __init__(self, tell: Any, take: Take) -> None:
        self._tell = tell
        self._take = take

    def run_host(self) -> _Host:
        return self

    def interrupt(self) -> BaseException:
        return asyncio.CancelledError()

    def media_host(self) -> None:
        return None

    def state_folder(self) -> Path | None:
        return None

    def author(self) -> Author:
        return Author()

    def stopped(self) -> bool:
        return _Host.stop

    def report(self, progress: Progress) -> None:
        if progress.stage is Stage.FAILED and progress.failure is not None:
            failure = progress.failure
            self._tell(
                self._take, "failed", charge=failure.charge.value, request_id=failure.request_id,
                failure=failure.kind, retry=any(step.kind == "next.allow_retry" for step in failure.next),
            )  # fmt: skip


def _live(order: Order) -> None:
    for name in [name for name in os.environ if name.startswith("RUNCOMFY_")]:
        del os.environ[name]
    os.environ.update(order.environ)
    _Host.stop = False
    # Where whoever started it has gone, it does not wait for a provider that has gone as well.
    signal.alarm(MOST_SECONDS)
    signal.signal(signal.SIGUSR1, lambda *_: setattr(_Host, "stop", True))
    log = os.open(order.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def tell(take: Take, what: str, **values: object) -> None:
        line = {"at": time.monotonic(), "prompt": take.prompt, "what": what, **values}
        os.write(log, (json.dumps(line) + "\n").encode())

    left = order.takes
    for attempt in range(order.attempts):
        if attempt:
            _permit(Path(order.log), tell)
            time.sleep(PAUSE_SECONDS)
        left = asyncio.run(_prompt(left, tell))
        if not left:
            break
    close_services()


async def _prompt(takes: tuple[Take, ...], tell: Any) -> tuple[Take, ...]:
    """Run nodes at a time; the first that fails ends the others. Return those that did not deliver."""
    tasks = {asyncio.create_task(_run(take, tell)): take for take in takes}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(take for task, take in tasks.items() if task.cancelled() or task.exception() is not None)


async def _run(take: Take, tell: Any) -> None:
    spec = next(spec for spec in load_models() if spec.model_id == MODEL_ID)
    values = {"prompt": take.prompt, "num_images": take.count, "resolution": "0.5K"}
    try:
        delivery = await app_run.run_model(spec, values, _Host(tell, take))
    except (PackError, asyncio.CancelledError):
        raise
    except BaseException as error:
        tell(take, "broken", error=f"{type(error).__name__}: {error}")
        raise
    images = [image for batch in delivery.batches for image in batch]
    hashes = [digest(image.shape, (image * 255).round().byte().numpy().tobytes()) for image in images]
    cost = delivery.progress.cost
    tell(take, "delivered", request_id=delivery.request_id, images=hashes, missing=delivery.missing, cost=cost)


def _permit(log: Path, tell: Any) -> None:
    """Let what was paid for in vain be paid for anew, where its receipt says so."""
    told = Child(0, log).told()
    journal = open_service(read_settings(os.environ, Path.home())).journal
    for line in told:
        if line["what"] == "failed" and line["retry"]:
            with contextlib.suppress(PackError):
                journal.allow_retry(line["request_id"])
                tell(Take(line["prompt"], 0), "permitted", request_id=line["request_id"])
