"""The model files that a person has added: in the state folder, readable by its owner only.

Several versions of a model stand side by side as ``<node id>.<number>.json``, the same files as the pack's own. An
index tells the host's start what it needs of them; a file that is not as it was when the index was written is read
whole. A wrong file is left out and told, and everything else loads.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from ...core.config.private_file import unwritable, write_private
from ...core.errors import ConfigError, Failure, PackError
from ...core.schema.document import JSON, Document, SchemaError
from ...core.schema.model import ModelSpec
from ...core.schema.names import node_id_of
from ...core.schema.parse import head_of, indexed_model, parse_model
from ...core.schema.registry import MAX_FILE_BYTES, read_json, read_model

FOLDER = "models"
INDEX = "index.json"
MOST_FILES = 2000
_NAME = re.compile(r"(RunComfy[A-Za-z0-9_]+)\.([1-9]\d{0,5})\.json")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """One file: the model as it was at a time; the highest ``number`` is the newest."""

    spec: ModelSpec
    number: int
    path: Path


class AddedFiles:
    """The folder of added models. ``shipped`` are the node ids of the pack's own models. All methods block."""

    def __init__(self, state_folder: Path, shipped: Mapping[str, str]) -> None:
        self._folder = state_folder / FOLDER
        self._shipped = shipped

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Return what changes when a file does: name, size and time of each."""
        try:
            found = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
            return tuple(sorted(chain.from_iterable(map(_stamped, found))))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            log.warning("The added models cannot be read (%s).", type(error).__name__)
            return ()

    def read(self, stamp: tuple[tuple[str, int, int], ...]) -> tuple[list[Version], list[Failure]]:
        """Return the versions of all models, the newest first, and what is wrong with the files left out."""
        heads = self._heads() if stamp else {}
        versions, failures = [], []
        if len(stamp) > MOST_FILES:
            log.warning("More than %d model files: the others are left out.", MOST_FILES)
            failures.append(PackError("too_many_model_files", limit=MOST_FILES).failure)
        for name, size, time in stamp[:MOST_FILES]:
            path = self._folder / name
            known = heads.get((name, size, time))
            try:
                versions.append(self._version(path, known))
            except SchemaError as error:
                log.warning("A model file is left out: %s", error)
                told = PackError("model_file_wrong", path=str(path), reason=str(error))
                failures.append(told.failure)
        return sorted(versions, key=lambda one: (one.spec.node_id, -one.number)), failures

    def write(self, document: Mapping[str, JSON], number: int) -> None:
        """Keep a version of a model, once it is known that it can be read again.

        Raises:
            SchemaError: it cannot be a node. ConfigError: the folder cannot be written, or has as many as are read.
        """
        if len(self.stamp()) >= MOST_FILES:
            raise ConfigError("too_many_model_files", limit=MOST_FILES)
        text = json.dumps(document, indent=1)
        if len(text) > MAX_FILE_BYTES:
            raise SchemaError(f"more than {MAX_FILE_BYTES} bytes")
        spec = parse_model(json.loads(text))
        self._require_own_names(spec)
        path = self._folder / f"{spec.node_id}.{number}.json"
        write_private(path, text)
        self._index(path, head_of(document))

    def remove(self, version: Version) -> None:
        """Forget a version.

        Raises:
            ConfigError: the folder cannot be written.
        """
        try:
            version.path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._folder, error) from None

    def _version(self, path: Path, head: dict[str, Any] | None) -> Version:
        found = _NAME.fullmatch(path.name)
        assert found
        spec = _known(path, head) or read_model(path)
        try:
            self._require_own_names(spec)
        except SchemaError as error:
            raise SchemaError(f"{path.name}: {error}") from None
        if spec.node_id != found[1]:
            raise SchemaError(f"{path.name}: the node is called {spec.node_id}")
        return Version(spec, int(found[2]), path)

    def _require_own_names(self, spec: ModelSpec) -> None:
        """Refuse a file that takes a name of another model."""
        if spec.node_id != self._shipped.get(spec.model_id, node_id_of(spec.model_id)):
            raise SchemaError(f"/node_id: {spec.node_id} is not the node of {spec.model_id}")
        if spec.command and spec.model_id not in self._shipped:
            raise SchemaError("/command: an added model has none of its own")

    def _heads(self) -> dict[tuple[str, int, int], dict[str, Any]]:
        try:
            rows = json.loads((self._folder / INDEX).read_text(encoding="utf-8"))
            return {(row["file"], row["size"], row["time"]): row["head"] for row in rows}
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            # It is made of the files, which are read in its place.
            return {}

    def _index(self, path: Path, head: Mapping[str, JSON]) -> None:
        known = set(self.stamp())
        heads = {key: one for key, one in self._heads().items() if key in known}
        heads.update({key: dict(head) for key in _stamped(path)})
        rows = [{"file": key[0], "size": key[1], "time": key[2], "head": one} for key, one in heads.items()]
        write_private(self._folder / INDEX, json.dumps(rows))


def _known(path: Path, head: dict[str, Any] | None) -> ModelSpec | None:
    try:
        return indexed_model(head, cache(lambda: _document(path))) if head else None
    except (TypeError, KeyError):
        return None


def _document(path: Path) -> Document:
    """Read a file when its inputs are first asked for.

    Raises:
        PackError: another process has removed it since it was found.
    """
    try:
        return Document(read_json(path))
    except (OSError, ValueError, RecursionError, SchemaError) as error:
        raise PackError("model_file_wrong", path=str(path), reason=str(error)) from None


def _stamped(path: Path) -> list[tuple[str, int, int]]:
    """Return the stamp of a file; none of one that somebody has just removed, which takes no other with it."""
    try:
        return [(path.name, *_size_and_time(path))]
    except FileNotFoundError:
        return []


def _size_and_time(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
