"""What each command of the catalogue does: it asks ``app/catalogue``, as the page does."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...app.catalogue.here import HERE
from ...core.config.settings import base_url, read_settings, state_folder
from ...core.errors import ConfigError, Failure, JournalError, PackError
from ...core.money import money
from ...core.schema.model import ModelSpec
from ..report import JSONObject, Report, Status, failed, gravest, status_of, table

if TYPE_CHECKING:
    from ...app.catalogue.changing import Outcomes
    from ...app.catalogue.door import CatalogueDoor
    from ...app.catalogue.search import Found

_MEANT = {"pack": "pack", "added": "added", "": "-"}


def search_models(options: argparse.Namespace) -> Report:
    """Look through the whole catalogue."""
    with _door() as door:
        found, failure = door.found(" ".join(options.words), refresh=options.refresh)
        views = [one.view() for one in found]
    rows = [_row(one) for one in found]
    header = ("MODEL", "OUTPUT", "PRICE", "HERE", "NAME")
    lines = table([header, *rows]) if rows else ["No model of the catalogue is like that."]
    payload = {"models": views, "failure": failure.payload() if failure else None}
    return Report(payload, lines, told=_why(failure))


def add_models(options: argparse.Namespace) -> Report:
    """Add models by their ids.

    Raises:
        PackError: no id, or the state folder cannot be written.
    """
    with _door() as door:
        return _report(door.add(options.model_ids), "added")


def remove_models(options: argparse.Namespace) -> Report:
    """Remove added models; raises as ``add_models`` does."""
    with _door() as door:
        return _report(door.remove(options.model_ids), "removed")


def update_models(options: argparse.Namespace) -> Report:
    """Bring models up to date; raises as ``add_models`` does."""
    outcomes: Outcomes = {}
    with _door() as door:
        for model_id in options.model_ids:
            try:
                door.update(model_id)
                outcomes[model_id] = _spec(model_id)
            except ConfigError:
                raise
            except PackError as error:
                outcomes[model_id] = error
    return _report(outcomes, "updated")


def check_models(options: argparse.Namespace) -> Report:  # noqa: ARG001
    """Tell which of the models that are here are not what they were."""
    with _door() as door:
        checked, read_at, failure = door.check()
    others = [one for one in checked if one.state != "same"]
    rows = [
        (one.state, one.spec.model_id, f"by {one.by}" if one.by else " ".join(map(str, one.changes)) or "-")
        for one in others
    ]
    lines = (
        table([("STATE", "MODEL", "WHAT"), *rows]) if rows else ["All models here are as the catalogue has them."]
    )
    payload: JSONObject = {
        "models": [
            {**one.view(), "changes": [{**each.payload(), "message": str(each)} for each in one.changes]}
            for one in checked
        ],
        "read_at": read_at,
        "failure": failure.payload() if failure else None,
    }
    return Report(payload, lines, told=[*_why(failure), *(str(one.note) for one in HERE.failures)])


@contextlib.contextmanager
def _door() -> Iterator[CatalogueDoor]:
    """Yield the catalogue; without a token, or a record, what is kept of it.

    Raises:
        ConfigError: the state folder is not known.
    """
    from ...app.catalogue.door import CatalogueDoor
    from ...app.service import close_services, open_service

    service, failure = None, None
    try:
        service = open_service(read_settings(os.environ, Path.home()))
    except (ConfigError, JournalError) as error:
        failure = error.failure
    try:
        yield CatalogueDoor(state_folder(os.environ, Path.home()), base_url(os.environ), service, failure)
    finally:
        close_services()


def _report(outcomes: Outcomes, done: str) -> Report:
    refused = {model_id: one for model_id, one in outcomes.items() if isinstance(one, PackError)}
    specs = [one for one in outcomes.values() if isinstance(one, ModelSpec)]
    payload: JSONObject = {
        "state": "done" if not refused else "partial" if specs else "refused",
        done: [{"model_id": one.model_id, "node_id": one.node_id, "name": one.display_name} for one in specs],
        "refused": [
            {"model_id": model_id, "failure": {**error.failure.payload(), "message": error.message}}
            for model_id, error in refused.items()
        ],
    }
    told = [text for error in refused.values() for text in failed(error).told]
    statuses = [status_of(error) for error in refused.values()]
    return Report(
        payload, [f"{done}: {one.model_id}" for one in specs], gravest(statuses) if statuses else Status.DONE, told
    )


def _row(one: Found) -> tuple[str, ...]:
    usd, unit = one.price
    price = f"{money(usd)}/{unit}" if usd is not None and unit else money(usd) or "-"
    return one.model_id, one.kind or "-", price, _MEANT[HERE.source(one.model_id)], one.name


def _spec(model_id: str) -> ModelSpec:
    spec = HERE.model(model_id)
    if spec is None:
        raise PackError("model_not_here", model_id=model_id)
    return spec


def _why(failure: Failure | None) -> Sequence[str]:
    """Return the line about a catalogue that could not be read now."""
    return [" ".join(map(str, (failure.note, *failure.next)))] if failure else []
