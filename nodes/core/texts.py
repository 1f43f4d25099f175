"""What is said to people: as data, and the words for it in a table for each language.

``locales/<language>/messages.json`` holds the words; the folders are the list of languages. A key that ends in
``.one``, ``.few``, ``.many`` or ``.other`` is chosen by the number ``count``. The page reads its language's table
and says a note in it; the shell, the log and the text of an error are English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias, Union

from .money import money

ENGLISH = "en"
_LOCALES = Path(__file__).resolve().parents[2] / "locales"
_FILE = "messages.json"
_PLACE = re.compile(r"\{(\w+)\}")
_TRADITIONAL_CHINESE = re.compile(r"zh-(hant|tw|hk|mo)\b", re.IGNORECASE)

Param: TypeAlias = Union[str, int, float, bool, "Note", None]


@dataclass(frozen=True)
class Note:
    """Something that is said, as data: the key of a text, and the values in it.

    A value may be a note itself. A name that ends in ``usd`` stands for an amount, one in ``bytes`` for a size.
    """

    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in English."""
        return say(self.kind, **self.params)

    def payload(self) -> dict[str, object]:
        """Return it as a JSON value."""
        params = {
            name: value.payload() if isinstance(value, Note) else value for name, value in self.params.items()
        }
        return {"kind": self.kind, "params": params}


def note(kind: str, /, **params: Param) -> Note:
    """Return a note."""
    return Note(kind, params)


def parse_note(payload: object) -> Note:
    """Read what ``Note.payload`` has made.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(payload, dict) or set(payload) != {"kind", "params"}:
        raise ValueError("not a note")
    params = {
        name: parse_note(value) if isinstance(value, dict) else value for name, value in payload["params"].items()
    }
    return Note(str(payload["kind"]), params)


def say(key: str, /, **params: Param) -> str:
    """Return a text in English. An unknown key is its own text."""
    table = _table(ENGLISH)
    text = table.get(key)
    if text is None:
        text = table.get(f"{key}.{'one' if params.get('count') == 1 else 'other'}", key)
    return _PLACE.sub(lambda place: _written(place[1], params.get(place[1], place[0])), text)


def messages(wanted: str) -> tuple[str, dict[str, str]]:
    """Return the nearest language there is to ``wanted``, and its texts; English for those that it has not."""
    language = nearest(wanted)
    return language, {**_table(ENGLISH), **_table(language)}


def nearest(wanted: str) -> str:
    """Return the language nearest to a locale: "zh-Hant" and "zh-HK" read "zh-TW", "fr-CA" reads "fr"."""
    languages = {path.parent.name.lower(): path.parent.name for path in _LOCALES.glob(f"*/{_FILE}")}
    name = wanted.replace("_", "-").lower()
    base = "zh-tw" if _TRADITIONAL_CHINESE.match(name) else name.partition("-")[0]
    return languages.get(name) or languages.get(base) or ENGLISH


@cache
def _table(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((_LOCALES / language / _FILE).read_text(encoding="utf-8"))
    return texts


def _written(name: str, value: Param) -> str:
    if name.endswith("usd") and isinstance(value, int | float):
        return money(value)
    if name.endswith("bytes") and isinstance(value, int):
        return size(value)
    return str(value)


def size(length: int) -> str:
    """Write a number of bytes: "100 B", "12 KiB", "1.25 MiB". The page's ``format.js`` has the same rule."""
    # In whole numbers: half a unit is rounded up, and no float decides.
    if length < 2**10:
        return f"{length} B"
    if length < 2**20:
        return f"{(length + 2**9) // 2**10} KiB"
    hundredths = (length * 100 + 2**19) // 2**20
    return f"{hundredths // 100}.{hundredths % 100:02} MiB"
