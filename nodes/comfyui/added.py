"""The nodes of added models, in a host that runs: the next prompt has what was added or brought up to date."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any, cast

from ..app.catalogue.here import HERE
from ..app.host import Host
from ..core.config.settings import state_folder
from ..core.errors import ConfigError
from .collect import COLLECT
from .factory import ModelNode, NodeHost, attributes, node_class
from .runtime import host_nodes

log = logging.getLogger(__name__)

_MODULE = "RELATIVE_PYTHON_MODULE"
# By node id: those of models that were removed, too. The host keeps what it has made of a class for a node of its
# cache, so that a model has one class for ever, whichever version of it is the newest.
_classes: dict[str, type[ModelNode]] = {}
_lock = threading.Lock()


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
    made = classes(cast("NodeHost", host))
    module = getattr(nodes.NODE_CLASS_MAPPINGS[COLLECT.node_id], _MODULE, None)
    for node_id in _classes.keys() - made.keys():
        nodes.NODE_CLASS_MAPPINGS.pop(node_id, None)
        nodes.NODE_DISPLAY_NAME_MAPPINGS.pop(node_id, None)
    for node_id, one in made.items():
        if module is not None:
            # What the host sets as it loads a pack: its page asks for help pages by it.
            setattr(one, _MODULE, module)
        nodes.NODE_CLASS_MAPPINGS[node_id] = one
        nodes.NODE_DISPLAY_NAME_MAPPINGS[node_id] = one.SPEC.display_name


def _class_of(spec: Any, host: NodeHost) -> type[ModelNode]:
    known = _classes.get(spec.node_id)
    if known is None:
        known = _classes[spec.node_id] = node_class(spec, host)
    elif known.SPEC is not spec:
        for name, value in attributes(spec, host).items():
            setattr(known, name, value)
    return known
