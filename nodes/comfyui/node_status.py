"""The last report of each node that ran, for a page that is opened or reloaded in between. Bounded, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, TypeVar

from ..core.jobs.progress import Progress

K = TypeVar("K")
V = TypeVar("V")

MAX_STATES = 200
MAX_PAGES = 100


class UpdateMode(Enum):
    """What a page understands: the host's text only, the states, or nothing yet, since it is being loaded."""

    TEXT = "text"
    STATES = "states"
    LATER = "later"


@dataclass(frozen=True)
class NodeLocation:
    """Where a node runs. ``node`` is its id in the prompt, as ``12:5`` within a subgraph; '' where not known.

    ``inputs`` are the values of its widgets: what comes over links is not among them. ``shown_next``: a node that
    follows shows its files.
    """

    node: str
    node_type: str = ""
    prompt: str = ""
    workflow: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict, compare=False)
    shown_next: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What one state is kept for."""
        return self.workflow, self.node


@dataclass(frozen=True)
class NodeStatus:
    """What was last heard from a node."""

    place: NodeLocation
    progress: Progress
    stopped: bool = False

    @property
    def waits(self) -> bool:
        """Whether its job goes on."""
        return bool(self.progress.request_id) and not (self.stopped or self.progress.ended)

    def payload(self) -> dict[str, object]:
        """Return it as a JSON value."""
        place = self.place
        return {
            "node": place.node,
            "type": place.node_type,
            "prompt": place.prompt,
            "workflow": place.workflow,
            "inputs": dict(place.inputs),
            "stopped": self.stopped,
            **self.progress.payload(),
        }


class Left(Protocol):
    """What is known of nodes beyond the life of a process."""

    def before(self) -> list[NodeStatus]:
        """Return what waited when an earlier process ended. Blocking."""

    def keep(self, waiting: Sequence[NodeStatus], heard: Collection[tuple[str, str]]) -> None:
        """Keep what waits now; ``heard`` are the places of all nodes that ran in this process."""


class NodeStatusStore:
    """The last states, and which pages show them by themselves. Safe to use from several threads."""

    def __init__(self, left: Left | None = None) -> None:
        self._left = left
        self._kept: list[tuple[tuple[str, str], str | None]] = []
        self._heard = 0
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[str, str], NodeStatus] = OrderedDict()
        self._pages: OrderedDict[str, object] = OrderedDict()

    def put(self, place: NodeLocation, progress: Progress) -> NodeStatus:
        """Keep a report in place of the node's one before, and return what the page is told."""
        state = NodeStatus(place, progress)
        with self._lock:
            _put(self._states, place.key, state, MAX_STATES)
            self._keep()
        return state

    def stop(self, place: NodeLocation) -> NodeStatus | None:
        """Note that a node was stopped before its job ended; None where nothing was heard of it."""
        with self._lock:
            known = self._states.get(place.key)
            if known is None or known.place != place or known.progress.ended:
                return None
            self._states[place.key] = stopped = replace(known, stopped=True)
            self._keep()
            return stopped

    def all(self) -> list[NodeStatus]:
        """Return the states, the newest last; those that an earlier process left come first. Blocking."""
        before = self._left.before() if self._left else []
        with self._lock:
            return [*(state for state in before if state.place.key not in self._states), *self._states.values()]

    def _keep(self) -> None:
        """Keep which nodes wait, where that has changed."""
        waiting = [state for state in self._states.values() if state.waits]
        now = [(state.place.key, state.progress.request_id) for state in waiting]
        # The first report of a node counts as well: it takes the place of what was left.
        if self._left and (now != self._kept or len(self._states) != self._heard):
            self._kept, self._heard = now, len(self._states)
            self._left.keep(waiting, self._states.keys())

    def subscribe(self, page: str, connection: object) -> None:
        """Note that a page, at this connection of its, shows the states on its nodes."""
        with self._lock:
            _put(self._pages, page, connection, MAX_PAGES)

    def update_mode(self, page: str | None, connection: object) -> UpdateMode:
        """Return what a page understands. One that is loaded anew comes with another connection, and asks later."""
        with self._lock:
            if page is None or page not in self._pages:
                return UpdateMode.TEXT
            return UpdateMode.STATES if self._pages[page] is connection else UpdateMode.LATER


def _put(entries: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > most:
        entries.popitem(last=False)
