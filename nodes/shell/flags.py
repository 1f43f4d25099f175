"""Flags made from a model's inputs, and the inputs of its node made from flags."""

from __future__ import annotations

import argparse
import contextlib
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core.docs.node_texts import NodeTexts
from ..core.errors import INPUT_PARAMS, InvalidInput
from ..core.schema.inputs import Flag
from ..core.schema.model import ModelSpec

# By whether a flag takes files, and whether it takes several.
_MORE = {
    (True, True): " Several, or a pattern such as shots/*.png; addresses behind them.",
    (True, False): " Or its address.",
    (False, True): " Several, or repeated.",
    (False, False): "",
}


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
    given: dict[str, Any] = dict(vars(options))
    values: dict[str, object] = {}
    for field in (*spec.fields, *spec.own_fields):
        _sort_out_addresses(field.flags, given)
        for flag in field.flags:
            values.update(_filled(flag, given[flag_place(flag.name)]))
    return values


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
        name: _flag_of(str(value), spec) if name in INPUT_PARAMS else value
        for name, value in error.failure.note.params.items()
    }
    return InvalidInput(str(params.pop("field")), error.failure.kind, **params)


def _flag_of(name: str, spec: ModelSpec) -> str:
    """Return the flag that an input belongs to, and which of its values it is."""
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


def _sort_out_addresses(flags: Sequence[Flag], given: dict[str, Any]) -> None:
    """Take the addresses among the files of a field for what they are.

    Raises:
        InvalidInput: a file stands behind one: files are sent first, so that the order would be another.
    """
    files, addresses = ([flag for flag in flags if bool(flag.medium) is medium] for medium in (True, False))
    if not files or not addresses:
        return
    file, address = files[0], addresses[0]
    values = _listed(given[flag_place(file.name)])
    found = [value for value in values if _is_address(value)]
    if not found:
        return
    if values[-len(found) :] != found:
        raise InvalidInput(flag_name(file), "file_behind_address")
    place = flag_place(address.name)
    rest = values[: -len(found)]
    given[flag_place(file.name)] = rest if file.repeated else next(iter(rest), None)
    given[place] = [*found, *given[place]] if address.repeated else found[0]


def _filled(flag: Flag, given: Any) -> dict[str, object]:
    """Return the inputs that a flag fills: with files one after the other, with texts line by line."""
    if not flag.medium:
        return {flag.inputs[0]: "\n".join(given) if flag.repeated else given}
    from ..core.media.inputs import input_medium

    paths = [path for value in _listed(given) for path in _paths(value)]
    if len(paths) > len(flag.inputs):
        raise InvalidInput(flag_name(flag), "too_many_files", limit=len(flag.inputs), found=len(paths))
    medium = input_medium(flag.medium)
    return {name: medium.load(flag_name(flag), path) for name, path in zip(flag.inputs, paths, strict=False)}


def _listed(given: Any) -> list[str]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _is_address(value: str) -> bool:
    return value.lower().startswith(("https://", "http://"))


def _paths(value: str) -> list[Path]:
    """Return the files that a name stands for: not every shell looks for those of a pattern."""
    path = Path(value).expanduser()
    found = [] if path.exists() else sorted(glob.glob(str(path)))
    return [Path(name) for name in found] or [path]
