"""What a person does with models: add them, remove them, bring them up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from ...core.errors import ConfigError, Failure, PackError
from ...core.schema.document import JSON, SchemaError, schema_hash
from ...core.schema.entry import model_document
from ...core.schema.live.update import updated_document
from ...core.schema.model import ModelSpec
from ...core.schema.names import MAX_ID, MODEL_ID
from .here import HERE
from .listing import Catalogue, Entry
from .live import LiveEntries, LiveEntry
from .permission import allow_as_it_is
from .search import cannot_be_a_node

MOST_AT_ONCE = 50

# What became of each model that was asked for: the model, or why not.
Outcomes = dict[str, ModelSpec | PackError]


def add(folder: Path, live: LiveEntries | None, catalogue: Catalogue, model_ids: Sequence[str]) -> Outcomes:
    """Add models by their ids; one that is here stays as it is. What one meets with leaves the others alone.

    ``live`` is asked for the newest entries; without it, those of the ``catalogue`` are taken. Blocking.

    Raises:
        PackError: too many at once. ConfigError: the state folder cannot be written.
    """
    wanted = _different(model_ids)
    told = live.told(wanted) if live else {}
    found: Outcomes = {}
    for model_id in wanted:
        try:
            if HERE.model(model_id) is None:
                entry = entry_of(told, catalogue, model_id)
                _write(folder, model_id, partial(model_document, entry, _today()))
            found[model_id] = _here(model_id)
        except ConfigError:
            raise
        except PackError as error:
            found[model_id] = error
    return found


def update(folder: Path, live: LiveEntries | None, catalogue: Catalogue, model_id: str) -> ModelSpec:
    """Make a new version of a model that is here, of its entry in the catalogue as it is now. Blocking.

    Where that is what it was made of, there is nothing to be made.

    Raises:
        PackError: it is not here, or has no entry that a node can be made of.
    """
    old = _here(model_id)
    if live:
        live.forget(model_id)
    entry = entry_of(live.told([model_id]) if live else {}, catalogue, model_id)
    if not _is_made_of(old, entry):
        _write(folder, model_id, partial(updated_document, old, entry, max(_today(), old.read_on)))
    # What was sent as it is went to the schema of before; the next change is to be told again.
    allow_as_it_is(folder, model_id, allow=False)
    return _here(model_id)


def remove(folder: Path, model_ids: Sequence[str]) -> Outcomes:
    """Remove added models, or what was added to one of the pack's own. Blocking.

    Raises:
        PackError: too many at once. ConfigError: the state folder cannot be written.
    """
    found: Outcomes = {}
    for model_id in _different(model_ids):
        spec, added = HERE.model(model_id), HERE.added(model_id)
        for version in added:
            HERE.files(folder).remove(version)
        if spec and added:
            allow_as_it_is(folder, model_id, allow=False)
            found[model_id] = spec
        else:
            found[model_id] = PackError("model_of_the_pack" if spec else "model_not_here", model_id=model_id)
    HERE.load(folder)
    return found


def entry_of(live: Mapping[str, LiveEntry], catalogue: Catalogue, model_id: str) -> Entry:
    """Return the entry of a model: as it is told now, else as it is kept.

    Raises:
        PackError: there is none.
    """
    told = live.get(model_id)
    entry = (told.entry if told else None) or catalogue.entries.get(model_id)
    if entry:
        return entry
    raise _no_entry(model_id, told.failure if told else None)


def _is_made_of(spec: ModelSpec, entry: Entry) -> bool:
    try:
        return schema_hash(entry.get("input_schema")) == spec.schema_sha256
    except (ValueError, RecursionError) as error:
        raise cannot_be_a_node(spec.model_id, error) from None


def _no_entry(model_id: str, failure: Failure | None) -> PackError:
    if failure is None or failure.kind == "model_unknown":
        return PackError("not_in_catalogue", model_id=model_id)
    return PackError(failure.note, reason=failure.reason, next=failure.next)


def _write(folder: Path, model_id: str, made: Callable[[], Mapping[str, JSON]]) -> None:
    number = max((version.number for version in HERE.added(model_id)), default=0) + 1
    try:
        document = made()
        if document["model_id"] != model_id:
            raise SchemaError("/model_id: another model's")
        HERE.files(folder).write(document, number)
    except (SchemaError, ValueError, RecursionError) as error:
        raise cannot_be_a_node(model_id, error) from None
    HERE.load(folder)


def _here(model_id: str) -> ModelSpec:
    spec = HERE.model(model_id)
    if spec is None:
        raise PackError("model_not_here", model_id=model_id)
    return spec


def _different(model_ids: Sequence[str]) -> list[str]:
    """Return the ids, each once.

    Raises:
        PackError: too many, or one that no model can have.
    """
    wanted = list(dict.fromkeys(model_ids))
    if len(wanted) > MOST_AT_ONCE:
        raise PackError("too_many_models", limit=MOST_AT_ONCE, found=len(wanted))
    for model_id in wanted:
        if len(model_id) > MAX_ID or not MODEL_ID.fullmatch(model_id):
            raise PackError("not_a_model_id", model_id=model_id[:MAX_ID])
    return wanted


def _today() -> str:
    return time.strftime("%Y-%m-%d")
