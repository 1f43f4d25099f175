"""Flags made from a model's inputs, and the inputs of its node made from flags."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.docs.node_texts import NodeTexts
from ..core.errors import INPUT_PARAMS, InvalidInput
from ..core.schema.inputs import Flag
from ..core.schema.model import ModelSpec


def add_flags(parser: argparse.ArgumentParser, spec: ModelSpec) -> None:
    """Add the flags of a model's inputs."""
    texts = NodeTexts(spec)
    tooltips = {one.name: texts.tooltip(one) for one in spec.inputs}
    for flag in spec.flags:
        text = f"{tooltips[flag.inputs[0]]}{' Repeatable.' if flag.repeated else ''}"
        parser.add_argument(_name(flag), dest=_place(flag), help=text.replace("%", "%%"), **_options(flag))


def node_inputs(spec: ModelSpec, options: argparse.Namespace) -> dict[str, object]:
    """Return the node's inputs as ComfyUI would pass them.

    Raises:
        InvalidInput: a file cannot be read, or there are more than sockets for them.
    """
    given: Mapping[str, Any] = vars(options)
    values: dict[str, object] = {}
    for flag in spec.flags:
        values.update(_filled(flag, given[_place(flag)]))
    return values


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
    return f"{_name(flag)}{number}"


def _options(flag: Flag) -> dict[str, Any]:
    """Return a flag as argparse has it."""
    if flag.value is bool:
        return {"action": argparse.BooleanOptionalAction, "default": flag.default}
    if flag.repeated:
        how: dict[str, Any] = {"action": "append", "default": []}
    else:
        how = {"default": flag.default, "required": flag.required}
    return {
        **how,
        "type": Path if flag.medium else flag.value,
        "metavar": flag.metavar,
        "choices": flag.choices,
    }


def _filled(flag: Flag, given: Any) -> dict[str, object]:
    """Return the inputs that a flag fills: with files one after the other, with texts line by line."""
    if not flag.medium:
        return {flag.inputs[0]: "\n".join(given) if flag.repeated else given}
    from ..core.media.inputs import input_medium

    paths: list[Path] = given if flag.repeated else [given] if given is not None else []
    if len(paths) > len(flag.inputs):
        raise InvalidInput(_name(flag), "too_many_files", limit=len(flag.inputs), found=len(paths))
    medium = input_medium(flag.medium)
    return {name: medium.load(_name(flag), path) for name, path in zip(flag.inputs, paths, strict=False)}


def _name(flag: Flag) -> str:
    return "--" + flag.name.replace("_", "-")


def _place(flag: Flag) -> str:
    # Beside the command line's own options, whatever a property is called.
    return f"input.{flag.name}"
