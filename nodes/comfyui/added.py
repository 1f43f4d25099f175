"""The nodes of added models, in a host that runs: the next prompt has what was added or brought up to date."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from ..app.catalogue.here import HERE
from ..app.host import Host
from ..core.config.settings import state_folder
from ..core.errors import ConfigError
from .collect import COLLECT
from .factory import ModelNode, NodeHost, attributes, node_class
from .runtime import host_nodes, in_server_thread

log = logging.getLogger(__name__)

_MODULE = "RELATIVE_PYTHON_MODULE"
# By node id: those of models that were removed, too. The host keeps what it has made of a class for a node of its
# cache, so that a model has one class for ever, whichever version of it is the newest.
_classes: dict[str, type[ModelNode]] = {}
_lock = threading.Lock()
_publishing = threading.Lock()


def classes_at_start(host: NodeHost) -> dict[str, type[ModelNode]]:
    """Return the class of every model that is here when the host starts, by node id."""
    if host_nodes() is not None:
        try:
            HERE.load(state_folder(os.environ, Path.home(), host.state_folder()))
        except ConfigError as error:
            log.warning("The added models are left out: %s", error.message)
    return classes(host)


def classes(host: NodeHost) -> dict[str, type[ModelNode]]:
    """Return the class of every model that is here, by node id."""
    with _lock:
        return {spec.node_id: _class_of(spec, host) for spec in HERE.models()}


def publish(host: Host) -> None:
    """Let the host have the models that are here now, and no others of the pack's."""
    nodes = host_nodes()
    if nodes is None or COLLECT.node_id not in nodes.NODE_CLASS_MAPPINGS:
        return
    with _publishing:
        made = classes(cast("NodeHost", host))
        names = {node_id: one.SPEC.display_name for node_id, one in made.items()}
        gone = _classes.keys() - made.keys()
        _mark(made.values(), getattr(nodes.NODE_CLASS_MAPPINGS[COLLECT.node_id], _MODULE, None))
        for table, ours in ((nodes.NODE_CLASS_MAPPINGS, made), (nodes.NODE_DISPLAY_NAME_MAPPINGS, names)):
            _bring_up_to_date(table, ours, gone)


def _mark(made: Iterable[type[ModelNode]], module: object) -> None:
    """Set what the host sets as it loads a pack: its page asks for help pages by it."""
    if module is not None:
        for one in made:
            setattr(one, _MODULE, module)


def _bring_up_to_date(table: dict[str, Any], ours: Mapping[str, object], gone: Collection[str]) -> None:
    def change() -> None:
        for node_id in gone:
            table.pop(node_id, None)
        table.update(ours)

    if not table.keys().isdisjoint(gone) or any(table.get(name) != one for name, one in ours.items()):
        in_server_thread(change)


def _class_of(spec: Any, host: NodeHost) -> type[ModelNode]:
    known = _classes.get(spec.node_id)
    if known is None:
        known = _classes[spec.node_id] = node_class(spec, host)
    elif known.SPEC is not spec:
        for name, value in attributes(spec, host).items():
            setattr(known, name, value)
    return known
