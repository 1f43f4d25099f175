"""What is kept of a run's inputs beside its job: no file's content, no token, and nothing that opens an address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..redact import text_without
from ..schema.inputs import Widget
from ..schema.kind import Field
from ..schema.own import RERUN_SEED
from ..store.job import JobInputs
from .encode_once import Reference
from .validate import Arguments

# No address holds these characters, so that one which is used again is refused before anything is sent.
REMOVED = "<removed>"
MAX_TEXT = 2**16
_INLINE = re.compile(r"data:[^\s,]*,[^\s\"']*", re.IGNORECASE)
_LOGIN = re.compile(r"(https?://)[^\s/?#@]*@", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?#]*[?#])[^\s<]\S*", re.IGNORECASE)

Scalar = str | int | float | bool


def recorded_inputs(arguments: Arguments, references: Sequence[Reference], token: str) -> JobInputs:
    """Return the values of the widgets without secrets, and the hashes of what came over the sockets."""
    scalars = {name: without_secrets(value, token) for name, value in _scalars(arguments)}
    prompt = scalars.get(_name(arguments.spec.role("prompt")), "")
    seed = scalars.get(_name(arguments.spec.role("seed")) or RERUN_SEED)
    return JobInputs(
        prompt=prompt if isinstance(prompt, str) else "",
        seed=seed if isinstance(seed, int) else None,
        scalars=scalars,
        media=tuple((reference.socket, reference.hash) for reference in references),
    )


def without_secrets(value: Scalar, token: str) -> Scalar:
    """Return a value without the token, without data URIs, and without what opens an address: login and query."""
    if not isinstance(value, str):
        return value
    text = _LOGIN.sub(rf"\1{REMOVED}@", _INLINE.sub(REMOVED, text_without(token, value)))
    return _QUERY.sub(rf"\1{REMOVED}", text)


def _scalars(arguments: Arguments) -> Iterator[tuple[str, Scalar]]:
    """Return the widgets that were given: the checked value where one property has one widget.

    A text that is too long to be a person's is left out: half of it would be another one.
    """
    checked = {**arguments.values, **arguments.own}
    for one in arguments.spec.inputs:
        if not isinstance(one, Widget) or one.name not in arguments.widgets:
            continue
        accepted, value = checked.get(one.name), arguments.widgets[one.name]
        # A text as it was written: a switch that may be left unsent is a word.
        value = accepted if isinstance(accepted, Scalar) and not isinstance(value, str) else value
        if isinstance(value, Scalar) and not (isinstance(value, str) and len(value) > MAX_TEXT):
            yield one.name, value


def _name(field: Field | None) -> str:
    return field.name if field else ""
