"""Encodes each picture once: twins wait for the same encoding, and a later run finds its copy on the disk."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from concurrent.futures import Future
from dataclasses import asdict, dataclass

from . import workers
from .encoding import Encoded, encode
from .images import Pixels
from .kept import Kept

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """One reference image from a socket: uint8 ``[H,W,3 or 4]``, and its ``content_hash``."""

    socket: str
    pixels: Pixels
    content: str


class Encoder:
    """Encodes in the threads for coding, and keeps in ``kept`` what came of it. Thread-safe."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Encoded]] = {}

    def start(self, reference: Reference, limit: int, too_large: Encoded | None = None) -> Future[Encoded]:
        """Begin the best encoding of at most ``limit`` bytes, as ``encode`` makes it, where it is not under way.

        Raises (the future): DoesNotFit.
        """
        name = f"{reference.content}-{limit}"
        with self._lock:
            encoding = self._under_way.get(name)
            if encoding is None:
                encoding = workers.CODING.submit(self._run, name, reference.pixels, limit, too_large)
                self._under_way[name] = encoding
        return encoding

    def _run(self, name: str, pixels: Pixels, limit: int, too_large: Encoded | None) -> Encoded:
        try:
            encoded = self._kept_copy(name)
            if encoded is None:
                encoded = encode(pixels, limit, too_large)
                self._keep(name, encoded)
            return encoded
        finally:
            with self._lock:
                del self._under_way[name]

    def _kept_copy(self, name: str) -> Encoded | None:
        """Return an earlier encoding, unharmed: a job with a damaged one would be paid for."""
        files = self._kept.get(name)
        if not files:
            return None
        try:
            about, data = (file.read_bytes() for file in files)
            known = json.loads(about)
            if known.pop("sha256") == hashlib.sha256(data).hexdigest():
                return Encoded(data=data, **known)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            log.debug("The kept encoding %s: %s", name, error)
        log.warning("A kept encoding is damaged, and its image is encoded again.")
        return None

    def _keep(self, name: str, encoded: Encoded) -> None:
        known = {**asdict(encoded), "sha256": hashlib.sha256(encoded.data).hexdigest()}
        data = known.pop("data")
        draft = self._kept.draft(name)
        draft.add(0, json.dumps(known).encode())
        draft.add(1, data)
        draft.keep()
