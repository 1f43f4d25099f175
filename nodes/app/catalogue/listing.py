"""The whole catalogue: read in pages, kept a day in the state folder, and used from there without it.

It is hostile input: bounded in size and time, and an entry that cannot be used costs that entry alone.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...core.api.client import Client
from ...core.api.responses import CatalogPage
from ...core.config.private_file import write_private
from ...core.errors import ConfigError, Failure, PackError, ProtocolError
from ...core.schema.document import JSON
from ...core.schema.names import MAX_ID, MODEL_ID
from ...core.schema.registry import MAX_FILE_BYTES

FILE_NAME = "catalogue.json"
GOOD_SECONDS = 86400.0
# After a failure, one search after the other must not wait for the network.
FAILED_SECONDS = 30.0
PAGE = 50
MAX_PAGES = 100
MAX_ENTRIES = 3000
MAX_PAGE_BYTES = 16 * 2**20
MOST_PASSED_OVER = 2
_UNREADABLE = ("answer_unusable", "answer_unreadable")
MAX_KEPT_BYTES = 64 * 2**20
READ_SECONDS = 60.0
KIND = "model"
_KEYS = (
    *("model_id", "display_name", "description", "categories", "kind", "base_price_usd", "price_unit"),
    "input_schema",
)

Entry = Mapping[str, JSON]


@dataclass(frozen=True)
class Catalogue:
    """Entries by the models' ids, when they were read (in seconds since 1970), and whether these are all."""

    read_at: float | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    whole: bool = False

    def is_fresh(self, now: float) -> bool:
        """Whether it was read within a day."""
        return self.read_at is not None and 0 <= now - self.read_at < GOOD_SECONDS


def read_catalogue(client: Client, found: dict[str, Entry]) -> bool:
    """Read all pages into ``found``, the entries that can be used; return whether there are no more. Blocking.

    Raises:
        PackError: a page cannot be had, or the time is up; ``found`` has those before it.
    """
    seen: set[str] = set()
    pages = _Pages(client)
    offset, total_bytes = 0, 0
    for _ in range(MAX_PAGES):
        if len(found) >= MAX_ENTRIES or total_bytes > MAX_KEPT_BYTES:
            return False
        page = pages.read(offset)
        # A page may hold more than were asked for.
        entries = page.entries[: MAX_ENTRIES - len(found)]
        for entry, length in _usable(entries):
            found.setdefault(str(entry["model_id"]), entry)
            total_bytes += length
        offset += len(entries)
        ids = set(filter(None, map(_id_of, entries)))
        # Of a full page nobody knows whether its total is that of the catalogue, or its own.
        if page.total is not None and offset >= page.total and len(entries) < PAGE:
            return bool(found)
        # A server that does not know the offset answers with the same page for ever, and may have more.
        if not entries or (ids and not ids - seen):
            return bool(found) and len(entries) < PAGE
        seen |= ids
    return False


class _Pages:
    """The pages of the catalogue. One that cannot be read is asked for in halves, down to the entry at fault."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ends = time.monotonic() + READ_SECONDS
        self._passed_over = 0

    def read(self, offset: int) -> CatalogPage:
        """Return entries from number ``offset`` on; None in the place of one that cannot be read.

        Raises:
            PackError: they cannot be had, or the time for the whole catalogue is up.
        """
        limit = PAGE
        while True:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise PackError("answer_late")
            try:
                return self._client.entries(offset, limit, max_bytes=MAX_PAGE_BYTES, timeout=left)
            except ProtocolError as error:
                if error.failure.kind not in _UNREADABLE or self._passed_over == MOST_PASSED_OVER:
                    raise
            if limit == 1:
                self._passed_over += 1
                return CatalogPage([None])
            limit //= 2


class Listing:
    """The catalogue of one account, kept in the state folder. ``origin`` is the API's address. Thread-safe."""

    def __init__(self, state_folder: Path, origin: str) -> None:
        self._path = state_folder / FILE_NAME
        self._origin = origin
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept = Catalogue()
        self._stamp: object = None
        self._failure: Failure | None = None
        self._failed_at = -FAILED_SECONDS

    def get(self, client: Client | None, *, refresh: bool = False) -> tuple[Catalogue, Failure | None]:
        """Return the catalogue: what is kept, where that is of today or nothing newer can be had, and why not.

        Without a ``client``, what is kept: then nothing is waited for that reads it anew. Blocking.
        """
        if client is None:
            return self._read(), None
        asked_at = time.time()
        with self._reading:
            kept = self._read()
            # Whoever waited for another reader takes what that one brought.
            is_new = kept.read_at is not None and kept.read_at >= asked_at
            if is_new or (kept.is_fresh(asked_at) and not refresh):
                return kept, None
            if not refresh and time.monotonic() - self._failed_at < FAILED_SECONDS:
                return kept, self._failure
            entries: dict[str, Entry] = {}
            try:
                whole = read_catalogue(client, entries)
            except PackError as error:
                self._failure, self._failed_at = error.failure, time.monotonic()
                # What came is shown beside what is kept, until it is read again.
                self._kept = replace(kept, entries={**kept.entries, **entries})
                return self._kept, error.failure
            self._failed_at = -FAILED_SECONDS
            return self._keep(Catalogue(time.time(), entries, whole))

    def _keep(self, found: Catalogue) -> tuple[Catalogue, Failure | None]:
        document = {
            "origin": self._origin,
            "read_at": found.read_at,
            "whole": found.whole,
            "entries": list(found.entries.values()),
        }
        with self._lock:
            self._kept = found
            try:
                write_private(self._path, json.dumps(document))
                self._stamp = _stamp(self._path)
            except ConfigError as error:
                return found, error.failure
            return found, None

    def _read(self) -> Catalogue:
        """Return what is kept, which another process may have read."""
        with self._lock:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp, self._kept = stamp, _parsed(self._path, self._origin)
            return self._kept


def _parsed(path: Path, origin: str) -> Catalogue:
    """Return the catalogue of a file; an empty one where it is another account's, or cannot be read."""
    try:
        if path.stat().st_size > 2 * MAX_KEPT_BYTES:
            return Catalogue()
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        if found["origin"] != origin:
            return Catalogue()
        entries = {str(entry["model_id"]): entry for entry, _ in _usable(found["entries"])}
        return Catalogue(float(found["read_at"]), entries, found["whole"] is True)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Catalogue()


def _usable(entries: Sequence[object]) -> Iterator[tuple[Entry, int]]:
    """Yield the entries of models, with what is known of them here alone, and how long each is."""
    for entry in entries:
        if not isinstance(entry, Mapping) or entry.get("kind", KIND) != KIND:
            continue
        kept = {key: entry[key] for key in _KEYS if key in entry}
        try:
            length = len(json.dumps(kept))
        except (ValueError, RecursionError):
            continue
        if _id_of(entry) and length <= MAX_FILE_BYTES:
            yield kept, length


def _id_of(entry: object) -> str:
    """Return the id of an entry; '' where it has none that can be one."""
    found = entry.get("model_id") if isinstance(entry, Mapping) else None
    return found if isinstance(found, str) and len(found) <= MAX_ID and MODEL_ID.fullmatch(found) else ""


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
