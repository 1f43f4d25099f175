"""The models that a workflow of somebody else names: which are here, and what is known of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.errors import Failure, PackError
from ...core.schema.names import MAX_ID, MODEL_ID, model_id_of
from .here import HERE
from .listing import Catalogue
from .live import LiveEntries, LiveEntry
from .search import Found, JSONObject

MOST_NAMED = 200
# Each costs a call.
MOST_ASKED = 50


@dataclass(frozen=True)
class Named:
    """A model that a workflow names: by its id, or by its node alone."""

    model_id: str
    node_id: str


def named(catalogue: Catalogue, live: LiveEntries | None, failure: Failure | None, given: object) -> JSONObject:
    """Return what is known here of the ``models`` of a workflow; of more than 200, the first. Blocking.

    What is neither here nor in the catalogue that is kept is asked for. ``failure`` says why that cannot be done.
    """
    wanted = [one for one in map(_named, given[:MOST_NAMED]) if one] if isinstance(given, list) else []
    unknown = dict.fromkeys(
        one.model_id for one in wanted if not HERE.source(one.model_id) and one.model_id not in catalogue.entries
    )
    asked = live.told(list(unknown)[:MOST_ASKED]) if live else {}
    if len(unknown) > MOST_ASKED:
        failure = failure or PackError("too_many_models", limit=MOST_ASKED, found=len(unknown)).failure
    return {"models": [_view(one, catalogue, asked.get(one.model_id), failure) for one in wanted]}


def _named(given: object) -> Named | None:
    """Return the model that is named; None where nothing can be told of it."""
    if not isinstance(given, Mapping):
        return None
    node_id, model_id = _id(given.get("node_id")), _id(given.get("model_id"))
    here = HERE.node(node_id)
    # A workflow's word on the model counts only where no node is named: another model's node would stay missing.
    found = (here.model_id if here else model_id_of(node_id)) if node_id else model_id
    return Named(found, node_id) if found and MODEL_ID.fullmatch(found) else None


def _view(one: Named, catalogue: Catalogue, asked: LiveEntry | None, failure: Failure | None) -> JSONObject:
    told = asked or LiveEntry(catalogue.entries.get(one.model_id, {}), failure)
    found = Found(one.model_id, told.entry)
    view, spec = found.view(), found.here
    refused = None if spec or told.entry else _refused(one.model_id, told.failure)
    return {
        **{name: view[name] for name in ("model_id", "here", "name", "price", "unit")},
        # The page finds what it asked for by this; the node itself has the id that the model gives it.
        "node_id": one.node_id or view["node_id"],
        "hash": spec.schema_sha256 if spec else "",
        "widgets": list(spec.serialized) if spec else [],
        "versions": [
            {"hash": each.schema_sha256, "widgets": list(each.serialized)} for each in HERE.versions(one.model_id)
        ],
        "refused": refused.payload() if refused else view["refused"],
    }


def _refused(model_id: str, failure: Failure | None) -> Failure:
    if failure and failure.kind != "model_unknown":
        return failure
    return PackError("not_in_catalogue", model_id=model_id).failure


def _id(value: object) -> str:
    return value[:MAX_ID] if isinstance(value, str) else ""
