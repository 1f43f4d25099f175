"""What a history is made of: everything that is drawn from its seed, so that it can be played, shrunk and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    """A node of the graph: which of the pack's models it runs, and its inputs but for the seed."""

    model: int
    values: Mapping[str, object]


@dataclass(frozen=True)
class Action:
    """What somebody does, ``after`` so many seconds."""

    after: float
    do: str
    process: int = 0
    nodes: tuple[int, ...] = ()
    value: float = 0.0

    def __str__(self) -> str:
        nodes = f" nodes {', '.join(map(str, self.nodes))}" if self.nodes else ""
        value = f" {self.value:g}" if self.value else ""
        return f"after {self.after:.2f} s: {self.do} in process {self.process}{nodes}{value}"


@dataclass(frozen=True)
class Fault:
    """What fails. ``at`` is a kind of call, ``job``, ``journal``, ``kept`` or ``disk``; ``nth`` counts from 0.

    A fault of the disk begins at ``begins`` and lasts ``value`` seconds.
    """

    at: str
    kind: str
    nth: int = 0
    times: int = 1
    value: float = 0.0
    begins: float = 0.0

    def __str__(self) -> str:
        if self.at == "disk":
            return f"the disk is {self.kind} from {self.begins:.1f} s for {self.value:.1f} s"
        value = f" ({self.value:g})" if self.value else ""
        more = f" and {self.times - 1} more" if self.times > 1 else ""
        return f"{self.at} number {self.nth}{more}: {self.kind}{value}"


@dataclass(frozen=True)
class Plan:
    """A whole history. ``processes`` names the account of each; ``rows`` are the names in ``rows`` that it plays.

    ``hour`` is the hour of the day at which it begins.
    """

    seed: int
    accounts: int
    processes: tuple[int, ...]
    nodes: tuple[Node, ...]
    actions: tuple[Action, ...]
    faults: tuple[Fault, ...]
    budget: float | None = None
    kept: bool = True
    hour: float = 10.0
    rows: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        budget = "no budget" if self.budget is None else f"a budget of ${self.budget:g} a day"
        lines = [
            f"{len(self.nodes)} nodes, {len(self.processes)} processes, {self.accounts} accounts, {budget}"
            f"{'' if self.kept else ', nothing is kept'}"
        ]
        lines += [f"  node {number}: {node.values}" for number, node in enumerate(self.nodes)]
        lines += [f"  {action}" for action in self.actions]
        lines += [f"  fault: {fault}" for fault in self.faults]
        return "\n".join(lines)
