"""Flags made from a model's schema, and the inputs of its node made from flags."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..core.errors import InvalidInput
from ..core.schema.model import RERUN_SEED, Boolean, Choice, Field, Images, Integer, ModelSpec, Seed, Text

_IMAGE = "--image"


def add_flags(parser: argparse.ArgumentParser, spec: ModelSpec) -> None:
    """Add a flag for each property of a model's schema."""
    for field in spec.fields:
        _add_flag(parser, field)
    if not spec.has_seed:
        parser.add_argument(_flag(RERUN_SEED), type=int, default=0, metavar="INT", help="change it to pay anew")


def node_inputs(spec: ModelSpec, options: argparse.Namespace) -> dict[str, object]:
    """Return the node's inputs as ComfyUI would pass them."""
    given: Mapping[str, object] = vars(options)
    names = [field.name for field in spec.fields] + ([] if spec.has_seed else [RERUN_SEED])
    values = {name: given[name] for name in names}
    for field in spec.fields:
        if isinstance(field.kind, Images):
            values[field.name] = "\n".join(getattr(options, field.name))
            values.update(_sockets(field.kind, options.image))
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
    sockets = spec.images.sockets if spec.images else ()
    params = {
        name: _flag_of(str(value), sockets) if name in ("field", "first", "last") else value
        for name, value in error.failure.note.params.items()
    }
    return InvalidInput(str(params.pop("field")), error.failure.kind, **params)


def _flag_of(name: str, sockets: tuple[str, ...]) -> str:
    return f"{_IMAGE} number {sockets.index(name) + 1}" if name in sockets else _flag(name)


def _add_flag(parser: argparse.ArgumentParser, field: Field) -> None:
    flag = _flag(field.name)
    text = field.explanation.replace("%", "%%")
    match field.kind:
        case Text(default=default):
            parser.add_argument(flag, required=field.required, default=default, metavar="TEXT", help=text)
        case Choice(choices=choices, default=default):
            parser.add_argument(flag, choices=choices, default=default, help=text)
        case Integer(minimum=low, maximum=high, default=default):
            parser.add_argument(flag, type=int, default=default, metavar=f"{low}..{high}", help=text)
        case Seed(default=default):
            parser.add_argument(flag, type=int, default=default, metavar="INT", help=text)
        case Boolean(default=default):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
        case Images(minimum=low, maximum=high):
            counts = f"{low} to {high} images in all"
            parser.add_argument(
                _IMAGE,
                type=Path,
                action="append",
                default=[],
                metavar="FILE",
                help=f"reference, repeatable; {counts}",
            )
            parser.add_argument(flag, action="append", default=[], metavar="URL", help=f"{text} Repeatable.")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _sockets(kind: Images, paths: list[Path]) -> dict[str, object]:
    from .files import load

    if len(paths) > kind.maximum:
        raise InvalidInput(_IMAGE, "too_many_images", limit=kind.maximum, found=len(paths))
    return {socket: load(path) for socket, path in zip(kind.sockets, paths, strict=False)}
