"""Encodes each reference once: twins wait for the same encoding, and a later run finds its copy on the disk."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from concurrent.futures import Future
from dataclasses import asdict, dataclass

from .. import threads
from ..media.encode import Encoded
from ..media.inputs import Content
from ..schema.media import NO_RULES, FileRules
from ..store.file_cache import FileCache

# Smaller ones are encoded as fast as they are found.
MIN_BYTES = 2**17

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """One thing that came over a socket: the property that it is sent in, the socket, and a hash of it.

    ``rules`` are what the schema asks of the file.
    """

    field: str
    socket: str
    content: Content
    hash: str
    medium: str = "image"
    rules: FileRules = NO_RULES


class Encoder:
    """Encodes in the threads for coding, and keeps in ``cache`` what came of it. Thread-safe."""

    def __init__(self, cache: FileCache) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Encoded]] = {}

    def start(self, reference: Reference, limit: int, too_large: Encoded | None = None) -> Future[Encoded]:
        """Begin the best encoding of at most ``limit`` bytes, as ``encode`` makes it, where it is not under way.

        A file that may be sent as it is, is.

        Raises (the future): DoesNotFit.
        """
        original = reference.content.original(limit)
        if original is not None:
            found: Future[Encoded] = Future()
            found.set_result(original)
            return found
        name = f"{reference.hash}-{limit}"
        with self._lock:
            encoding = self._under_way.get(name)
            if encoding is None:
                encoding = threads.CODING.submit(self._run, name, reference.content, limit, too_large)
                self._under_way[name] = encoding
        return encoding

    def _run(self, name: str, content: Content, limit: int, too_large: Encoded | None) -> Encoded:
        try:
            copy = self._kept_copy(name)
            encoded = copy or content.encode(limit, too_large)
        except BaseException:
            self._forget(name)
            raise
        if copy is not None or len(encoded.data) < MIN_BYTES:
            self._forget(name)
        else:
            threads.start(self._keep, name, encoded)
        return encoded

    def _forget(self, name: str) -> None:
        with self._lock:
            del self._under_way[name]

    def _kept_copy(self, name: str) -> Encoded | None:
        """Return an earlier encoding, unharmed and of this name: a job with another one would be paid for."""
        try:
            digest, about, data = (file.read_bytes() for file in self._cache.get(name).values())
            if digest == _digest(name, about, data):
                return Encoded(data=data, **json.loads(about))
        except (OSError, ValueError, TypeError):
            log.debug("There is no whole copy of the encoding %s.", name)
            return None
        log.warning("A kept encoding is damaged, and it is made again.")
        return None

    def _keep(self, name: str, encoded: Encoded) -> None:
        """Keep an encoding, and only then forget that it was under way: a twin finds the one or the other."""
        writer = self._cache.writer(name)
        try:
            known = asdict(encoded)
            data = known.pop("data")
            about = json.dumps(known).encode()
            for index, content in enumerate((_digest(name, about, data), about, data)):
                writer.add(index, content)
            writer.commit()
        finally:
            self._forget(name)
        writer.close()


def _digest(name: str, about: bytes, data: bytes) -> bytes:
    digest = hashlib.sha256(f"{name} {len(about)} {len(data)} ".encode())
    digest.update(about)
    digest.update(data)
    return digest.hexdigest().encode()
