"""The live catalogue: models found, added, shared, and kept up with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...app.catalogue.here import HERE
from ...core.config.settings import base_url
from ...core.docs.node_texts import NodeTexts
from ...core.errors import ConfigError, Failure, InvalidInput, JournalError, PackError
from ...core.texts import nearest
from ..added import publish
from .asked import Answer, Answers, Asked

if TYPE_CHECKING:
    from ...app.catalogue.changing import Outcomes
    from ...app.catalogue.door import CatalogueDoor

_MAX_ID = 128


class ModelAnswers(Answers):
    """What the page asks of the catalogue. To look at what is kept needs no token; to read it anew does."""

    def search_models(self, asked: Asked) -> Answer:
        """Return models of the catalogue, and those that are here."""
        return self._door().search(asked)

    def add_models(self, asked: Asked) -> Answer:
        """Add ``model_ids``; their nodes are there for the next prompt.

        Raises:
            InvalidInput: no list of ids. PackError: too many. ConfigError: the state folder cannot be written.
        """
        return self._told(self._door().add(_ids(asked)), "added")

    def remove_models(self, asked: Asked) -> Answer:
        """Remove ``model_ids``; raises as above."""
        return self._told(self._door().remove(_ids(asked)), "removed")

    def named_models(self, asked: Asked) -> Answer:
        """Return what is known of the ``models`` that a workflow names."""
        return self._door().named(asked.get("models"))

    def check_models(self, asked: Asked) -> Answer:
        """Return whether the models here are still what the catalogue tells of them.

        It is read anew; with ``refresh`` false, what was read within a day tells.
        """
        door = self._door()
        checked, read_at, failure = door.check(refresh=asked.get("refresh") is not False)
        return {
            "models": [one.view() for one in checked],
            "read_at": read_at,
            "as_it_is": door.as_it_is,
            "failure": failure.payload() if failure else None,
            "left_out": [one.payload() for one in HERE.failures],
        }

    def update_model(self, asked: Asked) -> Answer:
        """Make a new version of ``model_id``, under the same node id.

        Raises:
            PackError: it is not here, or there is nothing to make it of.
        """
        made = self._door().update(str(asked.get("model_id", ""))[:_MAX_ID])
        publish(self._host)
        return made

    def send_as_it_is(self, asked: Asked) -> Answer:
        """Let bodies of ``model_id`` be sent whatever its live schema says; without ``allow``, no longer.

        Raises:
            PackError: it is not here.
        """
        self._door().send_as_it_is(asked.get("model_id"), allow=asked.get("allow") is True)
        return {}

    def model_texts(self, asked: Asked) -> Answer:
        """Return the labels and tooltips of ``node_id`` in the language nearest to ``locale``.

        Raises:
            InvalidInput: there is no such node.
        """
        spec = HERE.node(str(asked.get("node_id", "")))
        if spec is None:
            raise InvalidInput("node_id", "no_such_node")
        return NodeTexts(spec, nearest(str(asked.get("locale", "")))).node_definition()

    def _door(self) -> CatalogueDoor:
        from ...app.catalogue.door import CatalogueDoor

        service, failure = None, None
        try:
            service = self._service()
        except (ConfigError, JournalError) as error:
            failure = error.failure
        door = CatalogueDoor(self._folder(), base_url(os.environ), service, failure)
        # Another process may have added some, or the person may have laid a file there.
        publish(self._host)
        return door

    def _told(self, outcomes: Outcomes, done: str) -> Answer:
        publish(self._host)
        failed: dict[str, Failure] = {
            model_id: one.failure for model_id, one in outcomes.items() if isinstance(one, PackError)
        }
        return {
            done: [
                {"model_id": one.model_id, "node_id": one.node_id, "name": one.display_name}
                for one in outcomes.values()
                if not isinstance(one, PackError)
            ],
            "refused": [{"model_id": model_id, "failure": one.payload()} for model_id, one in failed.items()],
        }


def _ids(asked: Mapping[str, object]) -> list[str]:
    found = asked.get("model_ids")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidInput("model_ids", "not_a_list_of_ids")
    return found
