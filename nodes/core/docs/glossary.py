"""The words that nodes share, from ``locales/<language>/glossary.json``, and a node's own ones beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..schema.inputs import Phrase

LOCALES = Path(__file__).resolve().parents[3] / "locales"
ENGLISH = "en"
_FULL_STOP = "\u3002"

Texts = Mapping[str, Any]


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there is a glossary for, in the alphabet's order."""
    return tuple(sorted(path.parent.name for path in LOCALES.glob("*/glossary.json")))


@cache
def glossary(language: str) -> Texts:
    """Return the glossary of a language: ``inputs``, ``sockets``, ``own``, ``phrases``, ``help``."""
    return _read(LOCALES / language / "glossary.json")


@cache
def own_words(language: str, node_id: str) -> Texts:
    """Return what a node is called and how its inputs are explained where the glossary is not enough.

    ``display_name``, ``description``, and ``inputs`` with ``label`` and ``tooltip`` by input; all may be missing.
    """
    path = LOCALES / language / "nodes" / f"{node_id}.json"
    return _read(path) if path.exists() else {}


@cache
def help_text(language: str, name: str) -> str:
    """Return one part of the help pages, ``locales/<language>/help/<name>.md``; nothing where there is none."""
    path = LOCALES / language / "help" / f"{name}.md"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def sentence(language: str, phrase: Phrase, show: Callable[[object], str] = str) -> str:
    """Return a phrase of the glossary with its values filled in; ``show`` writes each of them."""
    values = {
        name: ", ".join(map(show, value)) if isinstance(value, tuple) else show(value)
        for name, value in phrase.values.items()
    }
    text: str = glossary(language)["phrases"][phrase.key]
    return text.format(**values)


def joined(*sentences: str) -> str:
    """Join sentences: with a space, unless the script has none."""
    text = ""
    for one in filter(None, sentences):
        text += one if not text or text.endswith(_FULL_STOP) else f" {one}"
    return text


def _read(path: Path) -> Texts:
    found: Texts = json.loads(path.read_text(encoding="utf-8"))
    return found
