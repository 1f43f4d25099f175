"""What makes fingerprints those of one record: its key. It is remembered for when a server cannot be reached."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from ..engines.engine import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """The key of a record, and the accounts that had jobs before 0.2."""

    key: bytes
    former_accounts: tuple[str, ...]


def read_identity(db: Session) -> Identity:
    """Return the identity of a record; a new one gets its own."""
    db.execute("INSERT INTO meta VALUES ('key', ?) ON CONFLICT DO NOTHING", (secrets.token_hex(32),))
    key = db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()[0]
    rows = db.execute("SELECT account FROM former_accounts ORDER BY account")
    return Identity(bytes.fromhex(key), tuple(str(row[0]) for row in rows))


class Remembered:
    """The identity of the record at ``place`` in a file of the state folder, its owner's alone."""

    def __init__(self, folder: Path, place: str) -> None:
        self._path = folder / f"record-{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"

    def read(self) -> Identity | None:
        """Return it, where it was written before."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            return Identity(bytes.fromhex(document["key"]), tuple(map(str, document["former_accounts"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, identity: Identity) -> None:
        """Write it, whole or not at all."""
        if identity == self.read():
            return
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        text = json.dumps({"key": identity.key.hex(), "former_accounts": identity.former_accounts})
        try:
            with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(self._path)
        except OSError as error:
            log.warning("The key of the record is not remembered: %s", error)
            with contextlib.suppress(OSError):
                draft.unlink()
