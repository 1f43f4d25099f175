"""The last report of each node that ran, for a page that is opened or reloaded in between. Bounded, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

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

    ``inputs`` are the values of its widgets: what comes over links is not among them. ``shown_next``: the
    media that a node which follows shows.
    """

    node: str
    node_type: str = ""
    prompt: str = ""
    workflow: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict, compare=False)
    shown_next: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NodeStatus:
    """What was last heard from a node."""

    place: NodeLocation
    progress: Progress
    stopped: bool = False

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


class NodeStatusStore:
    """The last states, and which pages show them by themselves. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[str, str], NodeStatus] = OrderedDict()
        self._pages: OrderedDict[str, object] = OrderedDict()

    def put(self, place: NodeLocation, progress: Progress) -> NodeStatus:
        """Keep a report in place of the node's one before, and return what the page is told."""
        state = NodeStatus(place, progress)
        with self._lock:
            _put(self._states, (place.workflow, place.node), state, MAX_STATES)
        return state

    def stop(self, place: NodeLocation) -> NodeStatus | None:
        """Note that a node was stopped before its job ended; None where nothing was heard of it."""
        key = (place.workflow, place.node)
        with self._lock:
            known = self._states.get(key)
            if known is None or known.place != place or known.progress.ended:
                return None
            self._states[key] = stopped = replace(known, stopped=True)
            return stopped

    def all(self) -> list[NodeStatus]:
        """Return the states, the newest last."""
        with self._lock:
            return list(self._states.values())

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
