"""Fibers under virtual time: everything that runs in a history, one at a time, in an order drawn from its seed.

A fiber stands for a thread. It runs until it waits; then another one is drawn from those that can go on. Where none
can, the time jumps to the next timer: half an hour takes no time, and a seed gives the same history again.
"""

from __future__ import annotations

import contextvars
from asyncio import AbstractEventLoop, events
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Protocol

import greenlet

Dying = greenlet.GreenletExit


class Owner(Protocol):
    """What fibers belong to, and die with."""

    @property
    def alive(self) -> bool:
        """Whether its fibers may still run."""


class Stuck(Exception):
    """A history did not come to an end."""


class Fiber:
    """One thread of control. ``turn`` counts its waits, so that a timer of an earlier one wakes nobody."""

    __slots__ = ("body", "loop", "name", "owner", "parked", "turn", "woken")

    def __init__(self, name: str, owner: Owner | None) -> None:
        self.name = name
        self.owner = owner
        self.body: greenlet.greenlet
        self.loop: AbstractEventLoop | None = None
        self.parked = False
        self.woken = False
        self.turn = 0


class Scheduler:
    """Draws who runs next, and keeps the time, in seconds since the history's begin."""

    def __init__(self, random: Random, enter: Callable[[Owner | None], None], most_steps: int) -> None:
        self.now = 0.0
        self.steps = 0
        self.current: Fiber | None = None
        self.crashes: list[tuple[str, BaseException]] = []
        self._random = random
        self._enter = enter
        self._most_steps = most_steps
        self._ready: list[Fiber] = []
        self._urgent: list[Callable[[], None]] = []
        self._fibers: dict[Fiber, None] = {}
        self._timers: list[tuple[float, int, Fiber | Callable[[], None], int]] = []
        self._numbers = count()
        self._hub = greenlet.getcurrent()

    @property
    def owner(self) -> Owner | None:
        """Who the running fiber belongs to."""
        return self.current.owner if self.current else None

    def spawn(self, function: Callable[[], object], owner: Owner | None, name: str) -> Fiber:
        """Start a fiber, in a copy of the caller's context."""
        fiber = Fiber(name, owner)
        fiber.body = greenlet.greenlet(lambda: self._live(fiber, function), self._hub)
        fiber.body.gr_context = contextvars.copy_context()
        self._fibers[fiber] = None
        self._ready.append(fiber)
        return fiber

    def call_at(self, when: float, function: Callable[[], None]) -> None:
        """Call a function at a time, beside all fibers; it must not wait."""
        heappush(self._timers, (when, next(self._numbers), function, 0))

    def outside(self, function: Callable[[], None]) -> None:
        """Call a function beside all fibers, before anything else runs."""
        if self.current is None:
            function()
        else:
            self._urgent.append(function)
            self.pause()

    def pause(self) -> None:
        """Let others go first, perhaps."""
        fiber = self._running()
        self.steps += 1
        if not self._ready and not self._urgent and self.steps <= self._most_steps:
            return
        self._ready.append(fiber)
        self._switch(fiber)

    def sleep(self, seconds: float) -> None:
        """Wait for a time."""
        if seconds <= 0:
            self.pause()
        else:
            self.park(seconds)

    def park(self, timeout: float | None = None) -> bool:
        """Wait for ``wake``, and return whether it came in time."""
        fiber = self._running()
        fiber.parked, fiber.woken = True, False
        fiber.turn += 1
        if timeout is not None:
            heappush(self._timers, (self.now + timeout, next(self._numbers), fiber, fiber.turn))
        self._switch(fiber)
        return fiber.woken

    def wake(self, fiber: Fiber) -> None:
        """Let a parked fiber go on."""
        if fiber.parked:
            fiber.parked, fiber.woken = False, True
            self._ready.append(fiber)

    def run(self) -> None:
        """Run until nothing is left to do.

        Raises:
            Stuck: too many steps, or fibers that nobody will wake.
        """
        while self._ready or self._fall_due():
            while self._urgent:
                self._urgent.pop(0)()
            self.steps += 1
            if self.steps > self._most_steps:
                raise Stuck(f"no end after {self._most_steps} steps, at {self.now:.0f} s")
            if self._ready:
                place = int(self._random.random() * len(self._ready))
                self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
                self._resume(self._ready.pop())
        if self._fibers:
            raise Stuck(f"waits for ever: {', '.join(fiber.name for fiber in self._fibers)}")

    def kill(self, owner: Owner) -> None:
        """End the fibers of a dead owner where they are. Not to be called in a fiber."""
        doomed = [fiber for fiber in self._fibers if fiber.owner is owner]
        self._ready = [fiber for fiber in self._ready if fiber.owner is not owner]
        for fiber in doomed:
            fiber.parked = False
            self._resume(fiber, Dying)
            # One that never ran has nothing that would take it out.
            self._fibers.pop(fiber, None)

    def _live(self, fiber: Fiber, function: Callable[[], object]) -> None:
        try:
            function()
        except Dying:
            return
        except BaseException as error:  # noqa: BLE001 (it is told, as a thread's error would be)
            if fiber.owner is None or fiber.owner.alive:
                self.crashes.append((fiber.name, error))
        finally:
            self._fibers.pop(fiber, None)

    def _running(self) -> Fiber:
        fiber = self.current
        if fiber is None:
            raise RuntimeError("only a fiber can wait")
        if fiber.owner is not None and not fiber.owner.alive:
            raise Dying
        return fiber

    def _switch(self, fiber: Fiber) -> None:
        fiber.loop = events._get_running_loop()
        self._hub.switch()

    def _resume(self, fiber: Fiber, error: type[BaseException] | None = None) -> None:
        before, self.current = self.current, fiber
        self._enter(fiber.owner)
        if fiber.loop is not None:
            events._set_running_loop(fiber.loop)
        if error is None:
            fiber.body.switch()
        else:
            fiber.body.throw(error)
        if fiber.loop is not None:
            events._set_running_loop(None)
        self.current = before

    def _fall_due(self) -> bool:
        """Move the time on to the next timer that still matters; False where there is none."""
        while self._timers:
            when, _, due, turn = heappop(self._timers)
            if isinstance(due, Fiber):
                if not (due.parked and due.turn == turn):
                    continue
                due.parked = False
                self._ready.append(due)
            self.now = max(self.now, when)
            if not isinstance(due, Fiber):
                due()
            return True
        return False
