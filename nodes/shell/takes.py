"""The runs that one command line asks for: one for each prompt, or for each row of a file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InvalidInput
from ..core.schema.inputs import Flag
from ..core.schema.model import ModelSpec
from .flags import flag_name, flag_place

STDIN = "-"
_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}


class Misused(Exception):
    """A command line that cannot be read. ``usage`` is the one of its command."""

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True)
class Take:
    """One run: the options of its own, and where they come from; '' where there is one run alone."""

    place: str
    options: argparse.Namespace

    def has(self, flag: Flag) -> bool:
        """Whether a flag was given, or has a default."""
        return vars(self.options)[flag_place(flag.name)] not in (None, [])

    def of_role(self, spec: ModelSpec, role: str) -> str:
        """Return the value of the property that has a role, as a text; '' where there is none."""
        field = spec.role(role)
        value = vars(self.options).get(flag_place(field.name)) if field else None
        return "" if value is None else str(value)


def add_prompt_flags(parser: argparse.ArgumentParser, spec: ModelSpec) -> None:
    """Add what makes several runs of one command line."""
    if spec.role("prompt"):
        parser.add_argument(
            "prompts",
            nargs="*",
            metavar="PROMPT",
            help="a prompt, in place of its flag: several are a job each; - is what comes on stdin, @FILE what a "
            "file holds, @@ a prompt that begins with @",
        )
    parser.add_argument(
        "--prompts",
        dest="rows",
        metavar="FILE",
        help="a job for each line of a text file or, of a .csv, for each row; columns are called as the flags are",
    )


def takes_of(parser: argparse.ArgumentParser, spec: ModelSpec, options: argparse.Namespace) -> list[Take]:
    """Return each run, in order.

    Raises:
        Misused: a row cannot be read, or something required is missing. InvalidInput: a file cannot be read.
    """
    rows = [*_prompts(spec, options), *_rows(spec, options)]
    takes = [Take(place, _take(parser, spec, options, row, place)) for place, row in rows]
    if len(takes) < 2:
        takes = [Take("", takes[0].options if takes else options)]
    for take in takes:
        missing = [flag_name(flag) for flag in spec.flags if flag.required and not take.has(flag)]
        if missing:
            told = f"the following arguments are required: {', '.join(missing)}"
            raise Misused(f"{take.place}: {told}" if take.place else told, parser.format_usage())
    return takes


def _prompts(spec: ModelSpec, options: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, str]]]:
    prompt = spec.role("prompt")
    texts: Sequence[str] = getattr(options, "prompts", [])
    if prompt is None or not texts:
        return
    (flag,) = prompt.flags
    if vars(options)[flag_place(flag.name)] != flag.default:
        raise Misused(f"--{prompt.name.replace('_', '-')} and a PROMPT beside it: which one is meant?")
    for number, text in enumerate(texts, 1):
        yield f"prompt {number}", {prompt.name: _text(text)}


def _text(text: str) -> str:
    if text == STDIN:
        return sys.stdin.read().strip()
    if text.startswith("@@"):
        return text[1:]
    return _read("PROMPT", text[1:]).strip() if text.startswith("@") else text


def _rows(spec: ModelSpec, options: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, str]]]:
    path: str | None = options.rows
    if path is None:
        return
    text = sys.stdin.read() if path == STDIN else _read("--prompts", path)
    if Path(path).suffix.lower() == ".csv":
        yield from _csv_rows(spec, path, text)
        return
    prompt = spec.role("prompt")
    if prompt is None:
        raise Misused(f"--prompts: {spec.display_name} has no prompt; give its inputs as the columns of a .csv")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise Misused(f"--prompts: there is no prompt in {path}")
    for number, line in lines:
        yield f"{path}, line {number}", {prompt.name: line}


def _csv_rows(spec: ModelSpec, path: str, text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    known = {flag.name for flag in spec.flags}
    columns = [_column(name) for name in reader.fieldnames or []]
    if strange := [name for name in columns if name not in known]:
        names = ", ".join(sorted(known))
        raise Misused(f"--prompts: {path} has a column {strange[0]!r}; the inputs are {names}")
    reader.fieldnames = columns
    rows = [(reader.line_num, row) for row in reader if any(row.values())]
    if not rows:
        raise Misused(f"--prompts: there is no row in {path}")
    for number, row in rows:
        if "" in row:
            raise Misused(f"--prompts: {path}, line {number} has more cells than there are columns")
        yield f"{path}, line {number}", {name: cell for name, cell in row.items() if cell}


def _column(header: str) -> str:
    return header.strip().lstrip("\ufeff").lower().replace("-", "_").replace(" ", "_")


def _read(flag: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidInput(flag, "file_unreadable", path=path, error=reason) from None


def _take(
    parser: argparse.ArgumentParser,
    spec: ModelSpec,
    options: argparse.Namespace,
    row: Mapping[str, str],
    place: str,
) -> argparse.Namespace:
    """Return the options of a row: its cells are read as flags are, and come before those of the command line."""
    flags = {flag.name: flag for flag in spec.flags}
    take = copy(options)
    for name in row:
        if flags[name].repeated:
            setattr(take, flag_place(name), [])
    arguments = [argument for name, cell in row.items() for argument in _arguments(flags[name], cell, place)]
    try:
        parsed: argparse.Namespace = parser.parse_args(arguments, take)
    except Misused as error:
        raise Misused(f"{place}: {error}", error.usage) from None
    return parsed


def _arguments(flag: Flag, cell: str, place: str) -> list[str]:
    name, word = flag_name(flag), cell.strip().lower()
    if flag.value is bool:
        if word not in _YES | _NO:
            raise Misused(f"{place}: {flag.name} is {cell!r}; write true or false")
        return [name if word in _YES else f"--no-{name[2:]}"]
    cells: Callable[[str], list[str]] = _several if flag.repeated else _one
    return [f"{name}={value}" for value in cells(cell)]


def _several(cell: str) -> list[str]:
    """Return the values of a cell, which stand on lines of their own or between semicolons."""
    return [value.strip() for line in cell.splitlines() for value in line.split(";") if value.strip()]


def _one(cell: str) -> list[str]:
    return [cell]
