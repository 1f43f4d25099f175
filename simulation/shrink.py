"""Makes a failing history small: whatever can be left out so that it still fails in the same way is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from .plan import Plan

T = TypeVar("T")

# Without one of its parts, a history draws other orders and latencies: a few are tried.
_SEEDS = 3
_MOST_TRIALS = 400


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Return a smaller history for which ``fails`` holds, as it does for this one."""
    trials = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(plan):
            for seed in [plan.seed, *range(1, _SEEDS)]:
                trials += 1
                if trials > _MOST_TRIALS:
                    return plan
                if fails(reseeded := replace(candidate, seed=seed)):
                    plan, smaller = reseeded, True
                    break
            if smaller:
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Yield histories with less in them, those with much less first."""
    half = len(plan.actions) // 2
    if half > 1:
        yield replace(plan, actions=plan.actions[:half])
        yield replace(plan, actions=plan.actions[half:])
    for faults in _without_one(plan.faults):
        yield replace(plan, faults=faults)
    for actions in _without_one(plan.actions):
        yield replace(plan, actions=actions)
    for place, action in enumerate(plan.actions):
        for nodes in _without_one(action.nodes) if len(action.nodes) > 1 else ():
            changed = replace(action, nodes=nodes)
            yield replace(plan, actions=(*plan.actions[:place], changed, *plan.actions[place + 1 :]))
    for place, fault in enumerate(plan.faults):
        if fault.times > 1:
            changed_fault = replace(fault, times=1)
            yield replace(plan, faults=(*plan.faults[:place], changed_fault, *plan.faults[place + 1 :]))
    yield from _simpler(plan)


def _simpler(plan: Plan) -> Iterator[Plan]:
    if len(plan.processes) > 1:
        yield replace(plan, processes=plan.processes[:-1])
    if plan.accounts > 1:
        yield replace(plan, accounts=plan.accounts - 1, processes=tuple(0 for _ in plan.processes))
    used = max((node for action in plan.actions for node in action.nodes), default=0) + 1
    if used < len(plan.nodes):
        yield replace(plan, nodes=plan.nodes[:used])
    if plan.budget is not None:
        yield replace(plan, budget=None)
    if not plan.kept:
        yield replace(plan, kept=True)
    if plan.hour != 10.0:
        yield replace(plan, hour=10.0)


def _without_one(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for place in range(len(items)):
        yield (*items[:place], *items[place + 1 :])
