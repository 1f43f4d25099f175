"""Plays many histories in several real processes, and shrinks and tells what fails."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from .history import Ended, Stage, draw
from .invariants import Violation
from .plan import Plan
from .planted import PLANTED
from .real.histories import RealPlan, RealStage
from .real.histories import draw as draw_real
from .shrink import shrink

_REPORT_EVERY = 20
_REAL_WORKERS = 4
_IN_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Order:
    """What is to be played: ``numbers`` of a seed's histories, with these rows in some or in ``always`` all.

    ``server`` is the address of a PostgreSQL server for the record; '' for the state folder's own. ``real`` is how
    many histories are played by real processes, beside the simulated ones.
    """

    seed: int
    rows: frozenset[str]
    always: bool = False
    plant: str = ""
    stop_at_first: bool = False
    shrinks: int = 3
    server: str = ""
    real: int = 0


@dataclass(frozen=True)
class Failure:
    """A history that failed: as it was found, and as small as it could be made, with its story.

    One of real processes is told as it was played: it is not played in the same way again.
    """

    number: int
    violations: tuple[Violation, ...]
    plan: Plan | RealPlan | None = None
    story: str = ""


@dataclass
class Tally:
    """What was played."""

    histories: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another process has played."""
        self.histories += other.histories
        self.counts += other.counts
        self.kinds += other.kinds
        self.failures += other.failures


def play_all(order: Order, numbers: range, workers: int) -> Iterator[Tally]:
    """Play the histories in so many processes; yield the tally so far now and then, and at last."""
    with tempfile.TemporaryDirectory(
        dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None, prefix="histories-"
    ) as folder:
        yield from _play_in(Path(folder), order, numbers, workers)


def _play_in(folder: Path, order: Order, numbers: range, workers: int) -> Iterator[Tally]:
    # Forked where that is possible: what a worker needs is loaded once.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context: Any = multiprocessing.get_context(method)
    total, open_ends, processes = Tally(), [], []
    # They wait most of the time, and take turns with the others.
    real = min(_REAL_WORKERS, order.real)
    parts = [(_work_real, range(worker, order.real, real)) for worker in range(real)]
    parts += [(_work, numbers[worker::workers]) for worker in range(workers)]
    for worker, (work, part) in enumerate(parts):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(order, part, there, folder / str(worker)), daemon=True)
        process.start()
        there.close()
        open_ends.append(here)
        processes.append(process)
    while open_ends:
        for ready in wait(open_ends):
            assert isinstance(ready, Connection)
            try:
                total.add(ready.recv())
            except EOFError:
                open_ends.remove(ready)
                continue
            yield total
            if order.stop_at_first and total.failures:
                for process in processes:
                    process.terminate()
                    process.join()
                return
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a worker of the simulation ended with {process.exitcode}")


def _work(order: Order, numbers: range, results: Connection, folder: Path) -> None:
    torch.set_num_threads(1)
    time.tzset()
    folder.mkdir()
    stage = Stage(folder, order.server)
    if order.plant:
        PLANTED[order.plant].plant()
    tally = Tally()
    told: Counter[str] = Counter()
    for number in numbers:
        ended = stage.play(draw(order.seed, number, order.rows, order.always))
        tally.histories += 1
        tally.counts.update(
            calls=ended.calls, jobs=ended.jobs, runs=ended.runs, deaths=ended.deaths, seconds=int(ended.seconds)
        )
        if ended.violations:
            kind = ended.violations[0].kind
            tally.kinds[kind] += 1
            told[kind] += 1
            failure = Failure(number, ended.violations)
            if told[kind] == 1 and len(told) <= order.shrinks:
                failure = told_small(stage, order, number, ended)
            tally.failures.append(failure)
        if tally.histories == _REPORT_EVERY or ended.violations:
            results.send(tally)
            tally = Tally()
    results.send(tally)


def _work_real(order: Order, numbers: range, results: Connection, folder: Path) -> None:
    torch.set_num_threads(1)
    if order.plant:
        PLANTED[order.plant].plant()
    stage = RealStage(folder)
    for number in numbers:
        plan = draw_real(order.seed, number)
        played = stage.play(plan)
        tally = Tally()
        tally.counts.update(real=1, real_kills=played.kills, real_jobs=played.jobs)
        if played.violations:
            tally.kinds[played.violations[0].kind] += 1
            story = "\n".join(map(str, played.story))
            tally.failures.append(Failure(number, tuple(played.violations), plan, story))
        results.send(tally)
    stage.close()


def told_small(stage: Stage, order: Order, number: int, ended: Ended) -> Failure:
    """Shrink a failing history, and tell its story."""
    kind = ended.violations[0].kind
    plan = draw(order.seed, number, order.rows, order.always)

    def fails(candidate: Plan) -> bool:
        return any(violation.kind == kind for violation in stage.play(candidate).violations)

    small = shrink(plan, fails)
    again = stage.play(small)
    story = "\n".join(f"{event.at:9.2f} s  {event.text}" for event in again.story)
    return Failure(number, again.violations, small, story)
