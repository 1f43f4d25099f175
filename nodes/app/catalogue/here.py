"""The models that are here: the pack's own, and those that a person has added."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from ...core.errors import Failure
from ...core.schema.model import ModelSpec
from ...core.schema.registry import load_models
from .added import AddedFiles, Version

Source: TypeAlias = Literal["", "pack", "added"]


class ModelsHere:
    """All models of this process. Until ``load`` has been called, they are the pack's own. Thread-safe.

    Of several versions of a model, the newest defines the node: of an added and a shipped one, that of the later
    day, and of the same day the added one, which is an update.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: object = None
        self._failures: tuple[Failure, ...] = ()
        self._take(())

    def load(self, state_folder: Path) -> bool:
        """Read the added models of a folder, where they are not as they were; return whether. Blocking."""
        with self._lock:
            files = self.files(state_folder)
            stamp = files.stamp()
            if self._stamp == (state_folder, stamp):
                return False
            versions, failures = files.read(stamp)
            self._failures = tuple(failures)
            self._take(versions)
            self._stamp = (state_folder, stamp)
            return True

    def files(self, state_folder: Path) -> AddedFiles:
        """Return the folder of added models."""
        return AddedFiles(state_folder, {spec.model_id: spec.node_id for spec in load_models()})

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is wrong with the files that were left out."""
        return self._failures

    def models(self) -> tuple[ModelSpec, ...]:
        """Return all models, the pack's own first; of each, the newest version."""
        return self._models

    def model(self, model_id: str) -> ModelSpec | None:
        """Return the model with an id."""
        return self._by_id.get(model_id)

    def node(self, node_id: str) -> ModelSpec | None:
        """Return the model of a node."""
        return next((spec for spec in self._models if spec.node_id == node_id), None)

    def source(self, model_id: str) -> Source:
        """Return where a model comes from; '' where it is not here."""
        if model_id in self._shipped:
            return "pack"
        return "added" if model_id in self._by_id else ""

    def added(self, model_id: str) -> list[Version]:
        """Return the added versions of a model, the newest first."""
        return [one for one in self._versions if one.spec.model_id == model_id]

    def versions(self, model_id: str) -> list[ModelSpec]:
        """Return every version of a model, that which defines the node first."""
        shipped = self._shipped.get(model_id)
        all_of_it = [*(one.spec for one in self.added(model_id)), *([shipped] if shipped else [])]
        newest = self._by_id.get(model_id)
        return sorted(all_of_it, key=lambda spec: spec is not newest)

    def _take(self, versions: Sequence[Version]) -> None:
        self._versions = tuple(versions)
        self._shipped = {spec.model_id: spec for spec in load_models()}
        newest = dict(self._shipped)
        # The newest of each comes last.
        for one in reversed(self._versions):
            shipped = self._shipped.get(one.spec.model_id)
            if shipped is None or one.spec.read_on >= shipped.read_on:
                newest[one.spec.model_id] = one.spec
        self._by_id = newest
        self._models = tuple(newest.values())


HERE = ModelsHere()
