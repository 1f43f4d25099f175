"""The names in a model file: which are allowed, and what the sockets and the address beside them are called."""

from __future__ import annotations

import keyword
import re

# At most three signs in a row: a node id writes them as underscores, four times as many for each further sign.
MODEL_ID = re.compile(
    r"(?!.*[-/._]{4})[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*(?:/[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*)+"
)
NODE_ID = re.compile(r"RunComfy[A-Za-z0-9_]+")
COMMAND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
CATEGORY = re.compile(r"RunComfy(?:/[A-Za-z0-9][A-Za-z0-9 ._-]*)+")
PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
MAX_ID = 128
MAX_NAME = 64

# The pack's own inputs, flags and commands, and what a method, an object of JavaScript or a form takes for its own.
_OWN_INPUTS = {"rerun_seed", "on_failure", "request_id", "control_after_generate"}
_OWN_FLAGS = {
    *("out", "offline", "help", "json", "quiet", "yes", "dry_run", "prompts"),
    *("at_once", "ask_above", "max_cost", "as_is"),
}
_OWN_COMMANDS = {"jobs", "collect", "run", "models", "account", "retry", "help", "cancel", "balance", "spend"}
_OF_PYTHON = {*keyword.kwlist, *keyword.softkwlist, "self", "cls", "values"} - {"type"}
_OF_JAVASCRIPT = {
    *("constructor", "prototype", "toString", "valueOf", "toLocaleString", "hasOwnProperty", "isPrototypeOf"),
    *("propertyIsEnumerable", "this", "arguments", "undefined"),
}
_RESERVED = _OWN_INPUTS | _OWN_FLAGS | _OF_PYTHON | _OF_JAVASCRIPT

_ADDRESS = re.compile(r"_url(?=_\d+$)|_urls?$")
# The signs of a model id that a node id cannot have, from the most usual.
_SIGNS = "-/._"
_RUN = re.compile(f"[{re.escape(_SIGNS)}]+")
_PREFIX = "RunComfy_"
_NUMBERED = re.compile(r"(.+)_(\d+)")


def is_property(name: str) -> bool:
    """Whether a property may be called so."""
    return len(name) <= MAX_NAME and bool(PROPERTY.fullmatch(name)) and name not in _RESERVED


def is_command(name: str) -> bool:
    """Whether a model's command of the shell may be called so."""
    return len(name) <= MAX_NAME and bool(COMMAND.fullmatch(name)) and name not in _OWN_COMMANDS


def node_id_of(model_id: str) -> str:
    """Return the node id of a model: another for every other id, also where case is ignored.

    A run of signs becomes as many underscores as its number in bijective base 4: ``-`` 1, ``/`` 2, ``.`` 3,
    ``_`` 4, ``--`` 5 .. Model ids are lower case. The vendor's own nodes have no underscore behind RunComfy.
    """
    return _PREFIX + _RUN.sub(lambda run: "_" * _number_of(run[0]), model_id)


def model_id_of(node_id: str) -> str | None:
    """Return the model whose node id this is; None where ``node_id_of`` makes it of none."""
    if len(node_id) > MAX_ID or not node_id.startswith(_PREFIX):
        return None
    model_id = re.sub("_+", lambda run: _run_of(len(run[0])), node_id.removeprefix(_PREFIX))
    return model_id if MODEL_ID.fullmatch(model_id) and node_id_of(model_id) == node_id else None


def _number_of(run: str) -> int:
    number = 0
    for sign in run:
        number = number * len(_SIGNS) + _SIGNS.index(sign) + 1
    return number


def _run_of(number: int) -> str:
    run = ""
    while number:
        number, place = divmod(number - 1, len(_SIGNS))
        run = _SIGNS[place] + run
    return run


def stem_of(name: str) -> str:
    """Return what the sockets of a property are called: without ``_url``, also before a number, ``_urls``, or an s.

    ``image_urls`` -> ``image``, ``image_url_3`` -> ``image_3``, ``reference_videos`` -> ``reference_video``.
    """
    short = _ADDRESS.sub("", name)
    return short if short != name or not name.endswith("s") else name[:-1]


def address_of(name: str, *, several: bool) -> str:
    """Return what the input for addresses is called: as the property, unless its socket is called so."""
    stem = stem_of(name)
    if stem != name:
        return name
    return f"{stem}_urls" if several else f"{stem}_url"


def without_number(stem: str) -> tuple[str, int | None]:
    """Divide ``image_3`` into ``image`` and 3; there is no number in ``image``."""
    found = _NUMBERED.fullmatch(stem)
    return (found[1], int(found[2])) if found else (stem, None)
