"""What a person may set on the page, in the state folder. An environment variable comes before it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import ConfigError, step
from .private_file import write_private

FILE_NAME = "settings.json"
MOST = 1e9
MAX_COST = "RUNCOMFY_MAX_COST_USD"
_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}

Value: TypeAlias = float | bool | None
Source: TypeAlias = Literal["environment", "page", "default"]


@dataclass(frozen=True)
class Preference:
    """One setting: its environment variable, its default, and how each is read.

    ``parse`` reads the variable and returns None for what it cannot be; ``accepts`` tells what the page may store.
    """

    variable: str
    default: Value
    parse: Callable[[str], Value]
    accepts: Callable[[object], bool]
    fault: str


@dataclass(frozen=True)
class Chosen:
    """The value of a setting, and what it comes from."""

    value: Value
    source: Source

    def payload(self) -> dict[str, object]:
        """Return it as a JSON value."""
        return {"value": self.value, "source": self.source}


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    return found if 0 <= found < MOST else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST


def _number_setting(variable: str, default: float | None) -> Preference:
    return Preference(variable, default, _number, _is_number, "not_a_number")


PREFERENCES: Mapping[str, Preference] = {
    "daily_budget_usd": _number_setting("RUNCOMFY_DAILY_BUDGET_USD", None),
    "keep_mb": _number_setting("RUNCOMFY_KEEP_MB", 2048.0),
    "keep_inputs": Preference(
        "RUNCOMFY_KEEP_INPUTS",
        True,
        lambda text: _WORDS.get(text.lower()),
        lambda value: isinstance(value, bool),
        "not_a_switch",
    ),
    "max_cost_usd": _number_setting(MAX_COST, None),
}


def read_preferences(environ: Mapping[str, str], folder: Path) -> dict[str, Chosen]:
    """Return every setting: from its variable, else from the page, else its default. Blocking.

    Raises:
        ConfigError: naming the variable; or what the page stored cannot be read, which may hold a budget.
    """
    stored = _read(folder / FILE_NAME)
    return {name: _chosen(name, one, environ, stored) for name, one in PREFERENCES.items()}


def store_preferences(environ: Mapping[str, str], folder: Path, changes: Mapping[str, object]) -> None:
    """Store what the page has set; None takes a setting back to its default. All of it or nothing. Blocking.

    Raises:
        ConfigError: no such setting or value, its variable is set, or the folder cannot be written.
    """
    for name, value in changes.items():
        one = PREFERENCES.get(name)
        if one is None:
            raise ConfigError("no_such_setting", field=name)
        if environ.get(one.variable, "").strip():
            steps = (step("unset_variable", variable=one.variable),)
            raise ConfigError("set_by_variable", field=name, variable=one.variable, next=steps)
        if value is not None and not one.accepts(value):
            raise ConfigError(one.fault, variable=name)
    try:
        stored = _read(folder / FILE_NAME)
    except ConfigError:
        # What is set now takes the place of what cannot be read, and the page shows all of it.
        stored = {}
    kept = {name: value for name, value in {**stored, **changes}.items() if value is not None}
    write_private(folder / FILE_NAME, json.dumps(kept))


def _chosen(name: str, one: Preference, environ: Mapping[str, str], stored: Mapping[str, Value]) -> Chosen:
    if text := environ.get(one.variable, "").strip():
        value = one.parse(text)
        if value is None:
            steps = (step("correct_variable", variable=one.variable),)
            raise ConfigError(one.fault, variable=one.variable, next=steps)
        return Chosen(value, "environment")
    return Chosen(stored[name], "page") if name in stored else Chosen(one.default, "default")


def _read(path: Path) -> dict[str, Value]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or not all(
            PREFERENCES[name].accepts(document[name]) for name in document if name in PREFERENCES
        ):
            raise ValueError("not the value of a setting")
        return {name: document[name] for name in PREFERENCES if name in document}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        found = type(error).__name__
        raise ConfigError("settings_unreadable", error=found, next=(step("set_again"),)) from None
