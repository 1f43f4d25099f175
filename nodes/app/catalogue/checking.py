"""Whether the models that are here are still what the catalogue tells of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...core.schema.live.allowed import changes
from ...core.schema.live.structure import read_structure
from ...core.schema.model import ModelSpec
from ...core.texts import Note
from .here import HERE
from .listing import Catalogue
from .search import JSONObject

State: TypeAlias = Literal["same", "changed", "vanished", "superseded", "unread"]
_SIGNS = re.compile(r"[-._]")


@dataclass(frozen=True)
class Checked:
    """What became of a model: ``changes`` of its inputs, and ``by`` which id it is superseded."""

    spec: ModelSpec
    state: State
    changes: tuple[Note, ...] = ()
    by: str = ""

    def view(self) -> JSONObject:
        """Return it as a JSON value."""
        return {
            "model_id": self.spec.model_id,
            "name": self.spec.display_name,
            "node_id": self.spec.node_id,
            "state": self.state,
            "changes": [one.payload() for one in self.changes],
            "by": self.by,
        }


def check_all(catalogue: Catalogue, *, is_now: bool) -> list[Checked]:
    """Return what became of every model that is here; ``is_now``: the catalogue was read just now."""
    spelled = {_spelled(model_id): model_id for model_id in catalogue.entries}
    return [_checked(spec, catalogue, spelled, is_now) for spec in HERE.models()]


def _checked(spec: ModelSpec, catalogue: Catalogue, spelled: Mapping[str, str], is_now: bool) -> Checked:
    entry = catalogue.entries.get(spec.model_id)
    if entry is None:
        by = spelled.get(_spelled(spec.model_id), "")
        if by:
            return Checked(spec, "superseded", by=by)
        return Checked(spec, "vanished" if is_now and catalogue.whole else "unread")
    live, own = read_structure(entry.get("input_schema")), spec.structure
    if live is None or own is None:
        return Checked(spec, "unread")
    return Checked(spec, "same") if live.hash == own.hash else Checked(spec, "changed", changes(own, live))


def _spelled(model_id: str) -> str:
    """Return what ids have in common in which a dash has become a dot."""
    return _SIGNS.sub("", model_id)
