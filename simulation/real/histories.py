"""Plays histories of real processes, and judges them by the emulator's books."""

from __future__ import annotations

import contextlib
import io
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from emulator import Emulator, Fault, Job, parse_fault
from nodes.core.store.engines.sqlite import FILE_NAME

from ..invariants import Violation
from .nursery import MOST_SECONDS, Child, Nursery, Order, Take, digest

PROMPTS = ("a fox", "an owl", "a hare")
FAULTS = (
    "submit:lost", "submit:lost*2", "submit:reset", "submit:503", "submit:429", "submit:garbage",
    "submit:hang_after=30", "submit:truncated", "status:503*2", "status:reset", "status:garbage", "result:503",
    "result:lost", "file:503", "file:cut=0.5", "file:reset*2", "file:truncated", "file:404", "cancel:503",
    "cancel:lost", "job:fails=not today", "job:blocked", "job:late_cost=1", "job:images=1",
)  # fmt: skip
CALLS = ("submit", "status", "result", "file")
SETTLE_ATTEMPTS = 8
LOOK_SECONDS = 0.004


@dataclass(frozen=True)
class Life:
    """One process: what it runs, and what ends it: a signal so many seconds after a call, or after its start."""

    takes: tuple[Take, ...]
    end: signal.Signals | None = None
    call: str = ""
    number: int = 1
    after: float = 0.0

    def __str__(self) -> str:
        prompts = ", ".join(repr(take.prompt) for take in self.takes)
        if self.end is None:
            return f"a process runs {prompts}"
        since = f"{self.call} number {self.number}" if self.call else "its start"
        return f"a process runs {prompts}; {self.end.name} {self.after:.3f} s after {since}"


@dataclass(frozen=True)
class RealPlan:
    """A history: the provider's pace, what fails, and rounds of processes that live at a time."""

    takes: tuple[Take, ...]
    queue_seconds: float
    run_seconds: float
    faults: tuple[str, ...]
    rounds: tuple[tuple[Life, ...], ...]

    def __str__(self) -> str:
        lines = [f"{self.queue_seconds} s in the queue, {self.run_seconds} s at work; faults: {self.faults}"]
        lines += [str(life) for lives in self.rounds for life in lives]
        return "\n  ".join(lines)


@dataclass
class Played:
    """A history that was played: what did not hold, and what its processes told."""

    violations: list[Violation] = field(default_factory=list)
    story: list[dict[str, Any]] = field(default_factory=list)
    jobs: int = 0
    kills: int = 0


def draw(seed: int, number: int) -> RealPlan:
    """Draw a history."""
    random = Random(f"real {seed}/{number}")
    takes = tuple(Take(prompt, random.choice((1, 1, 2, 3))) for prompt in PROMPTS[: random.randrange(1, 4)])
    faults = tuple(f"{random.choice(FAULTS)}@{random.randrange(3)}" for _ in range(random.choice((0, 1, 1, 2, 3))))
    lives = [
        tuple(_draw_life(random, takes) for _ in range(random.choice((1, 1, 2))))
        for _ in range(random.randrange(1, 4))
    ]
    return RealPlan(takes, random.choice((0.0, 0.0, 0.3)), random.choice((0.0, 0.0, 0.4)), faults, tuple(lives))


def _draw_life(random: Random, takes: tuple[Take, ...]) -> Life:
    some = tuple(take for take in takes if random.random() < 0.8) or takes[:1]
    end = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGUSR1, None))
    if random.random() < 0.3:
        return Life(some, end, after=random.random() * 0.6)
    return Life(some, end, random.choice(CALLS), random.randrange(1, 4), random.random() ** 2 * 0.05)


class RealStage:
    """Where such histories are played, one after the other, in this process."""

    def __init__(self, folder: Path) -> None:
        self._nursery = Nursery()
        self._folder = folder

    def play(self, plan: RealPlan) -> Played:
        """Play a history, and judge it."""
        played = Played()
        state = self._folder / "state"
        with Emulator(plan.queue_seconds, plan.run_seconds) as api:
            for fault in plan.faults:
                api.fault(parse_fault(fault))
            small_images(api, plan.takes)
            for lives in plan.rounds:
                self._live(api, lives, played)
            api.clear_faults()
            small_images(api, plan.takes)
            self._wait(api, [(Life(plan.takes), self._start(api, plan.takes, SETTLE_ATTEMPTS))], played)
            played.jobs = len(api.jobs)
            played.violations += check(api, plan, played.story, rows(state))
            played.violations += find_token(api.token, state)
        shutil.rmtree(self._folder, ignore_errors=True)
        return played

    def close(self) -> None:
        """End the nursery."""
        self._nursery.close()

    def _start(self, api: Emulator, takes: tuple[Take, ...], attempts: int = 1) -> Child:
        self._folder.mkdir(exist_ok=True)
        environ = {
            "HOME": str(self._folder),
            "RUNCOMFY_STATE_DIR": str(self._folder / "state"),
            "RUNCOMFY_API_TOKEN": api.token,
            "RUNCOMFY_MODEL_API_BASE": api.base_url,
        }
        log = self._folder / f"{len(list(self._folder.glob('*.log')))}.log"
        log.touch()
        return self._nursery.start(Order(environ, log, takes, attempts))

    def _live(self, api: Emulator, lives: tuple[Life, ...], played: Played) -> None:
        self._wait(api, [(life, self._start(api, life.takes)) for life in lives], played)

    def _wait(self, api: Emulator, children: list[tuple[Life, Child]], played: Played) -> None:
        """Wait until all have ended, and send each its signal when that is due."""
        endings = [_Ending(api, life, child) for life, child in children if life.end is not None]
        began = time.monotonic()
        while any(child.lives() for _, child in children):
            played.kills += sum(ending.look() for ending in endings)
            if time.monotonic() - began > MOST_SECONDS - 5:
                played.violations.append(Violation("stuck", f"no end after {MOST_SECONDS} s"))
                for _, child in children:
                    child.send(signal.SIGKILL)
                break
            time.sleep(LOOK_SECONDS)
        for _, child in children:
            played.story += child.told()


class _Ending:
    """The signal that a process gets as soon as it is due."""

    def __init__(self, api: Emulator, life: Life, child: Child) -> None:
        self._api = api
        self._life = life
        self._child = child
        self._calls = api.count(life.call) + life.number if life.call else 0
        self._due: float | None = None
        self._sent = False

    def look(self) -> bool:
        """Send it if it is due; return whether it was sent now."""
        if self._sent:
            return False
        if self._due is None:
            if self._calls and self._api.count(self._life.call) < self._calls:
                return False
            self._due = time.monotonic() + self._life.after
        if time.monotonic() < self._due or self._life.end is None:
            return False
        self._sent = True
        self._child.send(self._life.end)
        return True


def small_images(api: Emulator, takes: tuple[Take, ...]) -> None:
    """Let every job make small images: drawing larger ones would take most of the time."""
    for take in takes:
        api.fault(Fault("job", only=take.prompt, times=None, sizes=[(24 + take.count, 16)] * take.count))


def rows(state: Path) -> list[sqlite3.Row]:
    """Return the rows of the journal, oldest first."""
    with contextlib.closing(sqlite3.connect(state / FILE_NAME)) as db:
        db.row_factory = sqlite3.Row
        return list(db.execute("SELECT * FROM jobs ORDER BY id"))


def find_token(token: str, state: Path) -> Iterator[Violation]:
    """The token is in nothing that was written."""
    for file in state.rglob("*"):
        if file.is_file() and token.encode() in file.read_bytes():
            yield Violation("token written", file.name)


def check(
    api: Emulator, plan: RealPlan, story: list[dict[str, Any]], rows: list[sqlite3.Row]
) -> Iterator[Violation]:
    """Yield what does not hold."""
    for take in plan.takes:
        jobs = [job for job in api.jobs if job.body["prompt"] == take.prompt]
        told = [line for line in story if line["prompt"] == take.prompt]
        yield from _one_bill(jobs, told)
        yield from _delivered(api, take, jobs, told)
        yield from _true_words(jobs, told)
    states = {job.request_id: job for job in api.jobs}
    for row in rows:
        job = states.get(row["request_id"] or "")
        if row["state"] in ("preparing", "submitting"):
            yield Violation("claimed by the dead", f"row {row['id']} is left {row['state']}")
        if job is not None and row["cost"] is not None and abs(row["cost"] - job.cost) > 1e-4:
            yield Violation("untrue journal", f"{job.request_id} costs {row['cost']}, in the books {job.cost}")


def _one_bill(jobs: list[Job], told: list[dict[str, Any]]) -> Iterator[Violation]:
    billed = [job for job in jobs if job.billed]
    for earlier, later in pairwise(billed):
        if not any(_excuses(line, earlier) for line in told if line["at"] <= later._accepted):
            yield Violation("billed twice", f"{earlier.request_id} and {later.request_id} are one take")


def _excuses(line: dict[str, Any], job: Job) -> bool:
    """Whether a person was told that a job may be lost, or permitted another one in its place."""
    if line["what"] == "permitted":
        return bool(line["request_id"] == job.request_id)
    return line["what"] == "failed" and line["charge"] == "unknown" and line["request_id"] in (None, job.request_id)


def _delivered(api: Emulator, take: Take, jobs: list[Job], told: list[dict[str, Any]]) -> Iterator[Violation]:
    delivered = [line for line in told if line["what"] == "delivered"]
    by_id = {job.request_id: job for job in jobs}
    if not delivered or delivered[-1]["missing"]:
        yield Violation("not delivered", f"{take.prompt!r} in the end: {told[-1:]}")
    for line in delivered:
        job = by_id.get(line["request_id"])
        if job is None:
            yield Violation("wrong images", f"{take.prompt!r} was handed {line['request_id']}, another take")
        elif line["images"] != images_of(api, job) and not line["missing"]:
            yield Violation("wrong images", f"those of {job.request_id} are not its own")
    for job in jobs:
        had = any(line["request_id"] == job.request_id for line in delivered)
        if job.billed and not had and not any(_excuses(line, job) for line in told):
            yield Violation("lost", f"{job.request_id} is billed, and neither delivered nor told")


def _true_words(jobs: list[Job], told: list[dict[str, Any]]) -> Iterator[Violation]:
    by_id = {job.request_id: job for job in jobs}
    for line in told:
        job = by_id.get(line.get("request_id") or "")
        if line["what"] == "broken":
            yield Violation("crash", line["error"])
        if line["what"] == "failed" and job is not None and line["charge"] == ("no" if job.billed else "yes"):
            yield Violation("untrue", f"{line} and billed: {job.billed}")
        if line["what"] == "delivered" and job is not None and line["cost"] not in (None, job.cost):
            yield Violation("untrue", f"{line} and the cost is {job.cost}")


def images_of(api: Emulator, job: Job) -> list[str]:
    """Return hashes of the images that the provider made for a job."""
    found = []
    for uri in api.files.uris(job):
        file = api.files.find(uri.removeprefix(api.origin))
        assert file is not None
        with Image.open(io.BytesIO(api.files.read(*file))) as image:
            pixels = np.asarray(image.convert("RGB"))
        found.append(digest(pixels.shape, pixels.tobytes()))
    return found
