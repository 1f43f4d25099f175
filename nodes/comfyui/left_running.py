"""Which nodes wait for a job: in a small file, so that a page is told of them after the process was killed."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from ..core import threads
from ..core.config.private_file import write_private
from ..core.errors import ConfigError
from ..core.jobs.progress import Progress, Stage
from .node_status import NodeLocation, NodeStatus

FILE_NAME = "left_running.json"

log = logging.getLogger(__name__)


class LeftRunning:
    """The states of nodes that wait for a job, without their inputs. Thread-safe.

    ``folder`` returns where the file lies. Nothing is raised: the jobs themselves are in the record.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._before: list[NodeStatus] | None = None
        self._waiting: Sequence[NodeStatus] = ()
        self._heard: Collection[tuple[str, str]] = ()

    def before(self) -> list[NodeStatus]:
        """Return what waited when an earlier process ended, and was not heard of since. Blocking."""
        with self._lock:
            if self._before is None:
                self._before = self._read()
            return [state for state in self._before if state.place.key not in self._heard]

    def keep(self, waiting: Sequence[NodeStatus], heard: Collection[tuple[str, str]]) -> None:
        """Write down what waits now, in a thread. ``heard``: the places of all nodes that ran in this process."""
        self._waiting, self._heard = tuple(waiting), frozenset(heard)
        threads.start(self._write)

    def _write(self) -> None:
        states = [*self.before(), *self._waiting]
        try:
            write_private(self._file, json.dumps([_written(state) for state in states]))
        except ConfigError as error:
            log.warning("It is not kept which nodes wait for a job: %s", error.message)

    def _read(self) -> list[NodeStatus]:
        try:
            return [_parsed(each) for each in json.loads(self._file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("It cannot be read which nodes waited for a job (%s)", type(error).__name__)
            return []

    @property
    def _file(self) -> Path:
        return self._folder() / FILE_NAME


def _written(state: NodeStatus) -> dict[str, object]:
    place = state.place
    return {
        "node": place.node,
        "type": place.node_type,
        "prompt": place.prompt,
        "workflow": place.workflow,
        "request_id": state.progress.request_id,
    }


def _parsed(told: Any) -> NodeStatus:
    node, node_type, prompt, workflow = (str(told[name]) for name in ("node", "type", "prompt", "workflow"))
    place = NodeLocation(node, node_type, prompt, workflow)
    return NodeStatus(place, Progress(Stage.RUNNING, request_id=str(told["request_id"])))
