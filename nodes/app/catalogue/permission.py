"""For which models a body is sent as it is, whatever the live schema says: published schemas have faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...core.config.private_file import write_private

FILE_NAME = "as_it_is.json"
VARIABLE = "RUNCOMFY_AS_IT_IS"


def is_sent_as_it_is(environ: Mapping[str, str], folder: Path, model_id: str) -> bool:
    """Whether a person has allowed it for a model, on the page or in the environment. Blocking."""
    return model_id in sent_as_they_are(environ, folder)


def sent_as_they_are(environ: Mapping[str, str], folder: Path) -> frozenset[str]:
    """Return the models for which a person has allowed it. Blocking."""
    return _read(folder).union(environ.get(VARIABLE, "").replace(",", " ").split())


def allow_as_it_is(folder: Path, model_id: str, *, allow: bool) -> None:
    """Allow it for a model from now on, or no longer. Blocking.

    Raises:
        ConfigError: the folder cannot be written.
    """
    known = _read(folder)
    kept = known | {model_id} if allow else known - {model_id}
    if kept != known:
        write_private(folder / FILE_NAME, json.dumps(sorted(kept)))


def _read(folder: Path) -> frozenset[str]:
    """Return the models that it is allowed for: none, where that cannot be read."""
    try:
        found = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return frozenset(one for one in found if isinstance(one, str))
    except (OSError, ValueError, TypeError, RecursionError):
        return frozenset()
