"""The catalogue for whoever asks: the page and the shell both come in here. Every method is blocking."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...core.errors import ConfigError, Failure, PackError
from ..service import Service
from . import changing, checking, permission, sharing
from .here import HERE
from .listing import Catalogue, Listing
from .live import LiveEntries
from .search import Found, JSONObject, all_of, search, search_view


class CatalogueDoor:
    """The catalogue and the added models of a state folder. ``base_url`` is the API's address.

    ``service`` is None where there is none, and ``why_not`` tells why.
    """

    def __init__(self, folder: Path, base_url: str, service: Service | None, why_not: Failure | None) -> None:
        self._folder = folder
        self._listing = _listing(folder, base_url)
        self._service = service
        self._why_not = why_not
        HERE.load(folder)

    def search(self, asked: Mapping[str, object]) -> JSONObject:
        """Return what is found, a part of it: ``offset`` and ``limit``. ``refresh`` reads the catalogue anew."""
        catalogue, failure = self._catalogue(refresh=asked.get("refresh") is True)
        return {**search_view(catalogue, failure, asked, time.time()), "as_it_is": self.as_it_is}

    def found(self, words: str, *, refresh: bool = False) -> tuple[list[Found], Failure | None]:
        """Return every model that has all words, and why the catalogue could not be read now."""
        catalogue, failure = self._catalogue(refresh=refresh)
        return search(all_of(catalogue), words), failure

    def add(self, model_ids: Sequence[str]) -> changing.Outcomes:
        """Add models.

        Raises:
            PackError: too many, or no id. ConfigError: the state folder cannot be written.
        """
        catalogue, failure = self._listing.get(None)[0], self._why_not
        found = changing.add(self._folder, self._entries, catalogue, model_ids)
        # Without an account nothing was asked: then that is the reason.
        return {
            model_id: ConfigError(failure.note, next=failure.next) if failure and _is_unknown(one) else one
            for model_id, one in found.items()
        }

    def remove(self, model_ids: Sequence[str]) -> changing.Outcomes:
        """Remove added models; raises as ``add`` does."""
        return changing.remove(self._folder, model_ids)

    def update(self, model_id: str) -> JSONObject:
        """Make a new version of a model.

        Raises:
            PackError: it cannot be had, or no node can be made of it.
        """
        if self._service is None and self._why_not:
            raise ConfigError(self._why_not.note, next=self._why_not.next)
        spec = changing.update(self._folder, self._entries, self._listing.get(None)[0], model_id)
        return {"node_id": spec.node_id, "hash": spec.schema_sha256, "widgets": list(spec.serialized)}

    def check(self, *, refresh: bool = True) -> tuple[list[checking.Checked], float | None, Failure | None]:
        """Return what became of the models here, when the catalogue was read, and why that was not now.

        Without ``refresh``, what was read within a day tells.
        """
        catalogue, failure = self._catalogue(refresh=refresh)
        return checking.check_all(catalogue, self._entries), catalogue.read_at, failure

    def named(self, models: object) -> JSONObject:
        """Return what is known of the models that a workflow names."""
        return sharing.named(self._listing.get(None)[0], self._entries, self._why_not, models)

    def send_as_it_is(self, model_id: object, *, allow: bool) -> None:
        """Let a model's bodies be sent as they are, or no longer.

        Raises:
            PackError: the model is not here. ConfigError: the state folder cannot be written.
        """
        if not isinstance(model_id, str) or HERE.model(model_id) is None:
            raise PackError("model_not_here", model_id=str(model_id)[:128])
        permission.allow_as_it_is(self._folder, model_id, allow=allow)

    @property
    def as_it_is(self) -> list[str]:
        """The models whose bodies are sent as they are by a choice on the page, where it can be taken back."""
        return sorted(permission.sent_as_they_are({}, self._folder))

    @property
    def _entries(self) -> LiveEntries | None:
        return self._service.entries if self._service else None

    def _catalogue(self, *, refresh: bool) -> tuple[Catalogue, Failure | None]:
        found, failure = self._listing.get(self._service.client if self._service else None, refresh=refresh)
        return found, failure or self._why_not


def _is_unknown(outcome: object) -> bool:
    return isinstance(outcome, PackError) and outcome.failure.kind == "not_in_catalogue"


_lock = threading.Lock()
_listings: dict[tuple[Path, str], Listing] = {}


def _listing(folder: Path, base_url: str) -> Listing:
    with _lock:
        return _listings.setdefault((folder, base_url), Listing(folder, base_url))
