"""A body that is about to be sent is checked against the live schema of its model, where that has changed.

The catalogue holds up no run: what it does not tell in time, or not so that it can be read, is not looked at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.errors import ModelChanged, PackError, step
from ...core.request.encode_once import Reference
from ...core.request.request import EncodedRequest
from ...core.request.validate import Arguments
from ...core.schema.live.allowed import forbidden
from ...core.schema.live.structure import Structure
from ...core.schema.model import ModelSpec
from ...core.texts import Note, note
from ...core.version import SHELL
from .live import LiveEntries
from .permission import is_sent_as_it_is

# After that, the file is trusted: what the API does not take it refuses without a charge.
RUN_WAITS_SECONDS = 1.0


@dataclass(frozen=True)
class Asked:
    """What is about to be sent: the model, and its body with a placeholder for each file."""

    arguments: Arguments
    files: dict[str, list[str]]

    @property
    def spec(self) -> ModelSpec:
        """The model."""
        return self.arguments.spec


def asked_of(arguments: Arguments, references: Sequence[Reference]) -> Asked:
    """Return what a request would hold of checked inputs."""
    files: dict[str, list[str]] = {}
    for one in references:
        files.setdefault(one.field, []).append(one.hash)
    return Asked(arguments, files)


class KeepUp:
    """Tells of each change once. Thread-safe."""

    def __init__(self, entries: LiveEntries, state_folder: Path) -> None:
        self._entries = entries
        self._folder = state_folder
        self._lock = threading.Lock()
        self._told: set[tuple[str, ...]] = set()

    def prepared(self, asked: Asked, prepare: Callable[[], EncodedRequest]) -> EncodedRequest:
        """Encode a request, and check it meanwhile. Blocking.

        Raises:
            ModelChanged: the model does not take it any more; nothing was sent.
        """
        self._entries.for_run(asked.spec.model_id)
        encoded = prepare()
        live = self._entries.in_time(asked.spec.model_id, RUN_WAITS_SECONDS).structure
        told = self._compared(asked, live)
        return replace(encoded, notes=(*encoded.notes, *self._once(asked.spec, live, told)))

    def check(self, asked: Asked) -> Note | None:
        """Check a body, and return what is to be told of it. Blocking.

        Raises:
            ModelChanged: as above.
        """
        return self._compared(asked, self._entries.in_time(asked.spec.model_id).structure)

    def _compared(self, asked: Asked, live: Structure | None) -> Note | None:
        spec, own = asked.spec, asked.spec.structure
        if live is None or own is None or live.hash == own.hash:
            return None
        wrong = forbidden(live, asked.arguments.body(asked.files), asked.files.keys())
        if not wrong:
            return note("note.model_changed", model=spec.display_name)
        if is_sent_as_it_is(os.environ, self._folder, spec.model_id):
            return note("note.sent_as_it_is", model=spec.display_name)
        raise _refused(spec, wrong)

    def _once(self, spec: ModelSpec, live: Structure | None, told: Note | None) -> tuple[Note, ...]:
        if told is None or live is None:
            return ()
        key = (told.kind, spec.model_id, spec.schema_sha256, live.hash)
        with self._lock:
            known = key in self._told
            self._told.add(key)
        return () if known else (told,)


def _refused(spec: ModelSpec, wrong: tuple[Note, ...]) -> PackError:
    names = dict.fromkeys(str(one.params["field"]) for one in wrong)
    steps = (
        step("update_model", model_id=spec.model_id, shell=SHELL),
        step("send_as_is", model_id=spec.model_id),
    )
    error = ModelChanged(
        "model_changed",
        model=spec.display_name,
        model_id=spec.model_id,
        node_id=spec.node_id,
        properties=", ".join(names),
        next=steps,
    )
    return error.but(items=wrong)
