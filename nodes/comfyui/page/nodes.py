"""What is shown on the nodes: their states, prices, estimates and takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...app.catalogue.here import HERE
from ...core.config.settings import base_url
from ...core.jobs.progress import Items, Progress, Stage
from ...core.schema.model import ModelSpec
from ..node_status import NodeLocation, NodeStatus
from .asked import Answer, Answers, Asked

if TYPE_CHECKING:
    from ...core.store.history import Entry, Place

MAX_CLIENT_LENGTH = 100


class NodeAnswers(Answers):
    """What the nodes of a page ask for."""

    def progress(self, asked: Asked) -> Answer:
        """Return the last state of each node. ``client`` is a page that shows them from now on.

        Those of a server that was killed are states without ``live``: their jobs go on and can be collected.
        """
        if isinstance(client := asked.get("client"), str) and 0 < len(client) <= MAX_CLIENT_LENGTH:
            self._live.subscribe(client, self._connection(client))
        running = self._running()
        states = [(state, state.place.prompt in running) for state in self._left_behind() + self._live.all()]
        return {"nodes": [{**state.payload(), "live": live} for state, live in states]}

    def prices(self, asked: Asked) -> Answer:
        """Return what ``prices_view`` tells of ``nodes``, node ids with commas between them.

        No price is told without a usable token.
        """
        from ...app.account import prices_view

        # One call is made for each of them, so it is not all models.
        wanted = set(str(asked.get("nodes", "")).split(","))
        specs = [spec for spec in HERE.models() if spec.node_id in wanted]
        return {"prices": prices_view(self._service_if_any(), specs)}

    def estimate(self, asked: Asked) -> Answer:
        """Return what one job of each of ``nodes`` would cost: ``node``, ``node_id`` and ``values`` of each."""
        from ...app.before_run import MOST_NODES, estimates

        nodes = asked.get("nodes")
        given = [one for one in nodes if isinstance(one, Mapping)] if isinstance(nodes, list) else []
        known = [(one.get("node"), _model(one.get("node_id")), _values(one)) for one in given[:MOST_NODES]]
        models = [(node, spec, values) for node, spec, values in known if spec]
        return {"nodes": estimates(self._record(), self._service_if_any(), models)}

    def takes(self, asked: Asked) -> Answer:
        """Return the delivered jobs of the same inputs but the seed: of ``job``, or of ``values`` of a ``node_id``.

        Raises:
            InvalidInput: there is no such job or node, or a value cannot be sent.
        """
        from ...app.before_run import takes

        spec = _model(asked.get("node_id"))
        return {"takes": takes(self._record(), base_url(os.environ), spec, _values(asked), asked.get("job"))}

    def _left_behind(self) -> list[NodeStatus]:
        """Return the states of nodes that this server has heard nothing of, and whose jobs nobody waits for."""
        from ...core.store.journal import FILE_NAME

        if not (self._folder() / FILE_NAME).exists():
            return []
        record = self._record()
        heard = {(state.place.workflow, state.place.node) for state in self._live.all()}
        return [
            _state(place, entries, record.journal.now())
            for place, entries in record.left_behind().items()
            if (place.workflow, place.node) not in heard
        ]


def _state(place: Place, entries: Sequence[Entry], now: float) -> NodeStatus:
    where = NodeLocation(place.node, place.node_type, workflow=place.workflow)
    seconds = max(entry.job.age(now) for entry in entries)
    jobs = tuple(entry.job.request_id for entry in entries if entry.job.request_id)
    if place.items > 1:
        items = Items(place.items - len(jobs), place.items, jobs)
        return NodeStatus(where, Progress(Stage.RUNNING, seconds=seconds, items=items))
    return NodeStatus(where, Progress(Stage.RUNNING, request_id=jobs[0], seconds=seconds))


def _model(node_id: object) -> ModelSpec | None:
    return HERE.node(node_id) if isinstance(node_id, str) else None


def _values(asked: Asked) -> Mapping[str, object]:
    values = asked.get("values")
    return values if isinstance(values, Mapping) else {}
