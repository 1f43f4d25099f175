"""Plays histories: a seed and a number make one, and it is always the same."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .drafting import draw_base
from .invariants import Record, Violation, check
from .people import People
from .plan import Plan
from .rows import ROWS
from .world.edges import Edges
from .world.scheduler import Stuck
from .world.world import Event, World

_ONE_ROW_IN = 32


@dataclass(frozen=True)
class Ended:
    """A history that was played: what did not hold, its story, and how much happened in it."""

    violations: tuple[Violation, ...]
    story: tuple[Event, ...]
    seconds: float
    calls: int
    jobs: int
    runs: int
    deaths: int


def draw(seed: int, number: int, rows: frozenset[str], always: bool = False) -> Plan:
    """Draw a history. Each of the rows joins one in thirty-two, or every one."""
    source = Random(f"{seed}/{number}")
    draft = draw_base(source)
    joined = frozenset(name for name in sorted(rows) if always or source.random() * _ONE_ROW_IN < 1)
    for name in sorted(joined):
        ROWS[name].add(draft, source)
    return draft.plan(source.getrandbits(48), joined)


class Stage:
    """Where histories are played, one after the other, in this real process; what they write is in ``folder``."""

    def __init__(self, folder: Path, server: str = "") -> None:
        self.edges = Edges(server)
        self._folder = folder

    def play(self, plan: Plan) -> Ended:
        """Play a history, and judge it."""
        random.seed(plan.seed)
        with _without_collection():
            world = World(plan, self.edges, self._folder / "state")
            self.edges.world = world
            people = People(world)
            stuck = None
            try:
                world.scheduler.spawn(people.live, None, "people")
                try:
                    world.scheduler.run()
                except Stuck as error:
                    stuck = error
                world.close()
                violations = check(Record(world, people.prompts, stuck))
            finally:
                world.close()
                world.disk.forget()
                self.edges.leave()
                sys.set_asyncgen_hooks(None, None)
        return Ended(
            tuple(violations), tuple(world.events), world.scheduler.now, len(world.network.calls),
            len(world.provider.jobs), len(world.runs), world.deaths,
        )  # fmt: skip


@contextmanager
def _without_collection() -> Iterator[None]:
    """Collect what a history leaves behind after it, and not in the midst of the next."""
    gc.disable()
    environ = os.environ
    try:
        yield
    finally:
        setattr(os, "environ", environ)  # noqa: B010
        gc.enable()
