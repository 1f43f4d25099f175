"""Settings of the page: stored for their owner alone, after the environment, all or nothing."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from nodes.core.config.preferences import FILE_NAME, read_preferences, store_preferences
from nodes.core.config.settings import read_settings
from nodes.core.errors import ConfigError


def told(folder: Path, **environ: str) -> dict[str, tuple[object, str]]:
    return {name: (one.value, one.source) for name, one in read_preferences(environ, folder).items()}


DEFAULTS = {
    "daily_budget_usd": (None, "default"),
    "keep_mb": (2048.0, "default"),
    "keep_inputs": (True, "default"),
    "max_cost_usd": (None, "default"),
}


def test_defaults_then_the_page_then_the_environment(tmp_path: Path) -> None:
    assert told(tmp_path) == DEFAULTS
    store_preferences({}, tmp_path, {"daily_budget_usd": 5, "keep_inputs": False})
    set_on_page = {**DEFAULTS, "daily_budget_usd": (5, "page"), "keep_inputs": (False, "page")}
    assert told(tmp_path) == set_on_page
    environ = {"RUNCOMFY_DAILY_BUDGET_USD": "2.5", "RUNCOMFY_KEEP_INPUTS": "On", "RUNCOMFY_KEEP_MB": " "}
    assert told(tmp_path, **environ) == {
        **DEFAULTS,
        "daily_budget_usd": (2.5, "environment"),
        "keep_inputs": (True, "environment"),
    }
    store_preferences({}, tmp_path, {"daily_budget_usd": None})
    assert told(tmp_path) == {**set_on_page, "daily_budget_usd": (None, "default")}


def test_a_run_follows_them(tmp_path: Path) -> None:
    environ = {"RUNCOMFY_API_TOKEN": "token", "RUNCOMFY_STATE_DIR": str(tmp_path)}
    changes = {"daily_budget_usd": 5, "keep_mb": 0.5, "keep_inputs": False, "max_cost_usd": 0.25}
    store_preferences(environ, tmp_path, changes)
    found = read_settings(environ, tmp_path)
    assert (found.daily_budget_usd, found.keep_bytes, found.keep_inputs, found.max_cost_usd) == (
        5.0,
        2**19,
        False,
        0.25,
    )


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("daily_budget_usd", -1, "not_a_number"),
        ("daily_budget_usd", float("nan"), "not_a_number"),
        ("daily_budget_usd", "5", "not_a_number"),
        ("keep_mb", True, "not_a_number"),
        ("keep_mb", 1e9, "not_a_number"),
        ("keep_inputs", 1, "not_a_switch"),
        ("token", "x", "no_such_setting"),
    ],
)
def test_what_is_no_setting_changes_nothing(tmp_path: Path, name: str, value: object, kind: str) -> None:
    with pytest.raises(ConfigError) as raised:
        store_preferences({}, tmp_path, {"max_cost_usd": 1, name: value})
    assert raised.value.failure.kind == kind
    assert told(tmp_path) == DEFAULTS


def test_a_variable_of_the_environment_is_not_overruled(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="RUNCOMFY_KEEP_MB sets it") as raised:
        store_preferences({"RUNCOMFY_KEEP_MB": "1"}, tmp_path, {"keep_mb": 5})
    assert raised.value.failure.kind == "set_by_variable"


@pytest.mark.parametrize("text", ["{", "[]", '{"keep_mb": "much"}', '{"daily_budget_usd": true}'])
def test_what_cannot_be_read_stops_a_run_until_it_is_set_again(tmp_path: Path, text: str) -> None:
    # It may have held a budget.
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match="set them again"):
        read_preferences({}, tmp_path)
    store_preferences({}, tmp_path, {"daily_budget_usd": 1})
    assert told(tmp_path) == {**DEFAULTS, "daily_budget_usd": (1, "page")}


def test_settings_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({"keep_mb": 7, "later": [1]}))
    assert told(tmp_path)["keep_mb"] == (7, "page")


@pytest.mark.parametrize("text", ["much", "-1", "nan"])
def test_a_variable_that_is_no_number_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="RUNCOMFY_KEEP_MB"):
        read_preferences({"RUNCOMFY_KEEP_MB": text}, tmp_path)
    with pytest.raises(ConfigError, match="RUNCOMFY_KEEP_INPUTS is neither on"):
        read_preferences({"RUNCOMFY_KEEP_INPUTS": text}, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    store_preferences({}, tmp_path / "state", {"keep_mb": 1})
    assert stat.S_IMODE((tmp_path / "state" / FILE_NAME).stat().st_mode) == 0o600
