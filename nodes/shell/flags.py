"""Flags made from a model's inputs, and the inputs of its node made from flags."""

from __future__ import annotations

import argparse
import contextlib
import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from ..core.docs.node_texts import NodeTexts
from ..core.errors import INPUT_PARAMS, InvalidInput
from ..core.schema.inputs import Flag
from ..core.schema.model import ModelSpec

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# By whether a flag takes files, and whether it takes several.
_MORE = {
    (True, True): " Several, or a pattern such as shots/*.png; addresses behind them.",
    (True, False): " Or its address.",
    (False, True): " Several, or repeated.",
    (False, False): "",
}
# Values of an error that list inputs, and what each is set to.
_LISTS = ("fields", "others")


def add_flags(parser: argparse.ArgumentParser, spec: ModelSpec) -> None:
    """Add the flags of a model's inputs."""
    texts = NodeTexts(spec)
    tooltips = {one.name: texts.tooltip(one) for one in spec.inputs}
    for flag in spec.flags:
        text = f"{tooltips[flag.inputs[0]]}{_MORE[bool(flag.medium), flag.repeated]}"
        parser.add_argument(
            flag_name(flag), dest=flag_place(flag.name), help=text.replace("%", "%%"), **_options(flag)
        )


def node_inputs(spec: ModelSpec, options: argparse.Namespace) -> dict[str, object]:
    """Return the node's inputs as ComfyUI would pass them.

    Raises:
        InvalidInput: a file cannot be read, or there are more than sockets for them.
    """
    given: Mapping[str, Any] = vars(options)
    values: dict[str, object] = {}
    lines: dict[str, list[str]] = {}
    for flag in spec.flags:
        value = given[flag_place(flag.name)]
        if flag.medium:
            files, addresses = _divided(flag, value if flag.repeated else [value] if value is not None else [])
            values.update(_loaded(flag, files))
            lines.setdefault(flag.address, []).extend(addresses)
        elif flag.inputs[0] in lines:
            lines[flag.inputs[0]] += value if flag.repeated else [value]
        else:
            values[flag.inputs[0]] = value
    return {**values, **{name: "\n".join(filter(None, each)) for name, each in lines.items()}}


def flag_name(flag: Flag) -> str:
    """Return a flag as it is written."""
    return "--" + flag.name.replace("_", "-")


def flag_place(name: str) -> str:
    """Return what the value of a flag is called among the options: apart from the command line's own."""
    return f"input.{name}"


@contextlib.contextmanager
def in_flags(spec: ModelSpec) -> Iterator[None]:
    """Tell what the model's node refuses with the names that its inputs have here.

    Raises:
        InvalidInput: in place of the node's own.
    """
    try:
        yield
    except InvalidInput as error:
        raise _in_flags(error, spec) from None


def _in_flags(error: InvalidInput, spec: ModelSpec) -> InvalidInput:
    params = {
        name: _flag_of(str(value), spec)
        if name in INPUT_PARAMS
        else _flags_of(str(value), spec)
        if name in _LISTS
        else value
        for name, value in error.failure.note.params.items()
    }
    return InvalidInput(str(params.pop("field")), error.failure.kind, **params)


def _flags_of(names: str, spec: ModelSpec) -> str:
    """Return a list of inputs as one of flags: ``sound, paper = none`` -> ``--sound, --paper none``."""
    each = (one.partition(" = ") for one in names.split(", "))
    return ", ".join(" ".join(filter(None, (_flag_of(name, spec), value))) for name, _, value in each)


def _flag_of(name: str, spec: ModelSpec) -> str:
    """Return the flag that an input belongs to, and which of its values it is; a flag as it is."""
    if name.startswith("--"):
        return name
    flags = (flag for field in (*spec.fields, *spec.own_fields) for flag in field.flags)
    flag = next((flag for flag in flags if name in flag.inputs), None)
    if flag is None:
        return "--" + name.replace("_", "-")
    number = f" number {flag.inputs.index(name) + 1}" if len(flag.inputs) > 1 else ""
    return f"{flag_name(flag)}{number}"


def _options(flag: Flag) -> dict[str, Any]:
    """Return a flag as argparse has it. Whether it is required is looked at when all that may give it is read."""
    if flag.value is bool:
        return {"action": argparse.BooleanOptionalAction, "default": flag.default}
    how: dict[str, Any] = {"default": flag.default}
    if flag.repeated:
        how = {"action": "extend", "nargs": "+", "default": []}
    return {**how, "type": flag.value, "metavar": flag.metavar, "choices": flag.choices}


def _divided(flag: Flag, given: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Divide what was given into files and addresses, which may stand in the place of files behind the last one.

    Raises:
        InvalidInput: an address stands before a file: sockets come before addresses in a request.
    """
    files = list(takewhile(lambda one: not _ADDRESS.match(one), given))
    addresses = list(given[len(files) :])
    late = next((one for one in addresses if not _ADDRESS.match(one)), None)
    if late is not None:
        raise InvalidInput(flag_name(flag), "file_after_address", path=late)
    return [path for one in files for path in _paths(one)], addresses


def _loaded(flag: Flag, paths: Sequence[Path]) -> dict[str, object]:
    """Return the sockets that a flag fills, one after the other."""
    if not paths:
        return {}
    from ..core.media.inputs import input_medium

    if len(paths) > len(flag.inputs):
        raise InvalidInput(flag_name(flag), "too_many_files", limit=len(flag.inputs), found=len(paths))
    medium = input_medium(flag.medium)
    return {name: medium.load(flag_name(flag), path) for name, path in zip(flag.inputs, paths, strict=False)}


def _paths(name: str) -> list[Path]:
    """Return the files that a name stands for: not every shell looks for those of a pattern."""
    path = Path(name).expanduser()
    found = [] if path.exists() else sorted(glob.glob(str(path)))
    return [Path(each) for each in found] or [path]
