"""What a kind of input says of itself, as data: its widgets and sockets for a page, its flags for a shell.

Whoever shows an input reads these and asks of no kind what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .media import NO_RULES, FileRules


@dataclass(frozen=True)
class Phrase:
    """A sentence of the glossary by its key, and what stands in it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Widget:
    """An input with a value of its own: ``type`` is the host's, or the entries to choose from.

    ``options`` are the host's too. ``facts`` tell what may stand in it, ``hints`` follow its explanation.
    """

    name: str
    type: str | tuple[str | int, ...]
    options: Mapping[str, object]
    required: bool = False
    facts: tuple[Phrase, ...] = ()
    hints: tuple[Phrase, ...] = ()


@dataclass(frozen=True)
class Socket:
    """An input that only a link can fill: ``type`` is the host's.

    ``medium`` is what comes over it; the module of ``media/inputs`` that reads it is called so, or ``reader``. The
    page calls it by its stem and its number. ``hints`` are its whole explanation, where there are any. Each file
    keeps the ``rules``.
    """

    name: str
    type: str
    medium: str
    stem: str
    number: int | None = None
    required: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    facts: tuple[Phrase, ...] = ()
    hints: tuple[Phrase, ...] = ()
    rules: FileRules = NO_RULES
    reader: str = ""


def rule_phrases(rules: FileRules) -> tuple[Phrase, ...]:
    """Return the facts about a file: what is checked here, and what the provider alone checks."""
    checked, told = tuple(map(str, rules.rules)), []
    if checked:
        told.append(Phrase("file_rules", {"rules": checked}))
    if rules.unknown:
        told.append(Phrase("rules_of_the_provider", {"rules": rules.unknown}))
    return tuple(told)


@dataclass(frozen=True)
class Flag:
    """A flag of the shell, and the inputs that it fills.

    ``value`` is the type of what follows it; a ``bool`` is ``--name`` or ``--no-name``. With a ``medium`` it takes
    files, and an address in the place of one goes to the input ``address``. A repeated one fills its inputs one
    after the other; a single input gets a line for each.
    """

    name: str
    inputs: tuple[str, ...]
    value: type[str] | type[int] | type[float] | type[bool] = str
    default: str | int | float | bool | None = None
    metavar: str | None = None
    choices: tuple[str | int, ...] | None = None
    required: bool = False
    repeated: bool = False
    medium: str = ""
    address: str = ""
