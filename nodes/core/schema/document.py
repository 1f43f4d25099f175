"""Strict reading of a model file, which is hostile until proven otherwise: sizes are bounded, types are checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

MAX_CHARACTERS = 10_000
MAX_ITEMS = 200
# A page written in JavaScript holds larger integers inexactly.
MAX_INTEGER = 2**53 - 1
_MOST = float(MAX_INTEGER)


class SchemaError(Exception):
    """A model file cannot be used. The message begins with the JSON pointer of the fault."""


class Document:
    """One JSON object of a model file; ``at`` is the pointer to it. Every fault raises ``SchemaError``."""

    def __init__(self, value: JSON, at: str = "") -> None:
        if not isinstance(value, Mapping):
            raise SchemaError(f"{at or '/'}: not an object")
        if len(value) > MAX_ITEMS:
            raise SchemaError(f"{at or '/'}: more than {MAX_ITEMS} keys")
        self._value = value
        self.at = at

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def get(self, key: str) -> JSON:
        """Return what stands there, unchecked; None where nothing does."""
        return self._value.get(key)

    def only(self, keys: str) -> None:
        """Refuse every key that is not among ``keys``, which are divided by spaces."""
        for key in self._value:
            if key not in keys.split():
                raise self.fault(key, "not understood")

    def fault(self, key: str, problem: str) -> SchemaError:
        """Return the error that names the place of a key."""
        return SchemaError(f"{self.at}/{key:.80}: {problem}")

    def object(self, key: str, default: JSON = None) -> Document:
        """Return an object; ``default`` where there is none."""
        return Document(self._take(key, default), f"{self.at}/{key}")

    def text(self, key: str, default: str | None = None, most: int = MAX_CHARACTERS) -> str:
        """Return a string of at most ``most`` characters."""
        found = self._take(key, default)
        if not isinstance(found, str):
            raise self.fault(key, "not a string")
        if len(found) > most:
            raise self.fault(key, f"more than {most} characters")
        return found

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a list of different strings."""
        found = self._take(key, default)
        if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
            raise self.fault(key, "not a list of different strings")
        if len(found) > MAX_ITEMS or any(len(item) > MAX_CHARACTERS for item in found):
            raise self.fault(key, f"more than {MAX_ITEMS} strings, or one of more than {MAX_CHARACTERS} characters")
        if len(set(found)) != len(found):
            raise self.fault(key, "not a list of different strings")
        return tuple(found)

    def integer(
        self, key: str, default: int | None = None, *, low: int = -MAX_INTEGER, high: int = MAX_INTEGER
    ) -> int:
        """Return an integer within bounds, both included."""
        found = self._take(key, default)
        if type(found) is not int:
            raise self.fault(key, "not an integer")
        if not low <= found <= high:
            raise self.fault(key, "out of range")
        return found

    def number(self, key: str, default: float | None = None, *, low: float = -_MOST, high: float = _MOST) -> float:
        """Return a number within bounds, both included."""
        found = self._take(key, default)
        if type(found) not in (int, float):
            raise self.fault(key, "not a number")
        # Compared before it is converted: an integer of 400 digits is not a float. NaN is within no bounds.
        if not (isinstance(found, int | float) and low <= found <= high):
            raise self.fault(key, "out of range")
        return float(found)

    def list(self, key: str) -> Sequence[JSON]:
        """Return a list of at most ``MAX_ITEMS``."""
        found = self._take(key, None)
        if not isinstance(found, list | tuple):
            raise self.fault(key, "not a list")
        if len(found) > MAX_ITEMS:
            raise self.fault(key, f"more than {MAX_ITEMS}")
        return found

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        found = self._take(key, default)
        if not isinstance(found, bool):
            raise self.fault(key, "not a boolean")
        return found

    def _take(self, key: str, default: JSON) -> JSON:
        if key in self._value:
            return self._value[key]
        if default is None:
            raise self.fault(key, "missing")
        return default


def schema_hash(schema: JSON) -> str:
    """Return the SHA-256 of a schema, the same however its JSON is laid out, but not for another order of keys.

    The order of the properties is what the provider's page shows, so it is part of what was read.
    """
    written = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8")).hexdigest()
