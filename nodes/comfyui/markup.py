"""What the host shows, without markup: a page of a year ago reads a progress text as HTML, older ones errors too.

A provider's own words are in both. The pack's page needs none of this: it writes text, never HTML.
"""

from __future__ import annotations

from typing import TypeVar

from ..core.errors import PackError
from ..core.texts import Note, Param

E = TypeVar("E", bound=PackError)

# They look alike, mean nothing in HTML, and read well where nothing is read as HTML.
_LOOKALIKES = str.maketrans({"<": "\u2039", ">": "\u203a", "&": "\uff06"})


def without_markup(text: str) -> str:
    """Return a text that says the same as text and as HTML."""
    return text.translate(_LOOKALIKES)


def error_without_markup(error: E) -> E:
    """Return the error that the host may show; the same one where nothing in it is markup."""
    failure = error.failure
    if str(error) == without_markup(str(error)):
        return error
    reason = None if failure.reason is None else without_markup(failure.reason)
    lists = {"next": tuple(map(_note, failure.next)), "items": tuple(map(_note, failure.items))}
    return error.but(note=_note(failure.note), reason=reason, **lists)


def _note(note: Note) -> Note:
    return Note(note.kind, {name: _param(value) for name, value in note.params.items()})


def _param(value: Param) -> Param:
    return _note(value) if isinstance(value, Note) else without_markup(value) if isinstance(value, str) else value
