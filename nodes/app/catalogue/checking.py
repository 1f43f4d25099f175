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
from .listing import Catalogue, Entry
from .live import LiveEntries, LiveEntry
from .search import JSONObject

State: TypeAlias = Literal["same", "changed", "vanished", "superseded", "unread"]
# Each costs a call.
MOST_ASKED = 50
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


def check_all(catalogue: Catalogue, live: LiveEntries | None) -> list[Checked]:
    """Return what became of every model that is here. Blocking.

    ``live`` is asked for those that the catalogue has not: it may have been cut, or an entry too large.
    """
    told = _asked(catalogue, live) if live and catalogue.whole else {}
    spelled = {_spelled(model_id): model_id for model_id in catalogue.entries}
    return [_checked(spec, catalogue, told.get(spec.model_id), spelled) for spec in HERE.models()]


def _asked(catalogue: Catalogue, live: LiveEntries) -> dict[str, LiveEntry]:
    missing = [spec.model_id for spec in HERE.models() if spec.model_id not in catalogue.entries][:MOST_ASKED]
    for model_id in missing:
        live.forget(model_id)
    return live.told(missing)


def _checked(spec: ModelSpec, catalogue: Catalogue, told: LiveEntry | None, spelled: Mapping[str, str]) -> Checked:
    if told and told.failure and told.failure.kind == "model_unknown":
        by = spelled.get(_spelled(spec.model_id), "")
        return Checked(spec, "superseded" if by else "vanished", by=by)
    return _compared(spec, catalogue.entries.get(spec.model_id) or (told.entry if told else {}))


def _compared(spec: ModelSpec, entry: Entry) -> Checked:
    live, own = read_structure(entry.get("input_schema")), spec.structure
    if live is None or own is None:
        return Checked(spec, "unread")
    return Checked(spec, "same") if live.hash == own.hash else Checked(spec, "changed", changes(own, live))


def _spelled(model_id: str) -> str:
    """Return what ids have in common in which a dash has become a dot."""
    return _SIGNS.sub("", model_id)
