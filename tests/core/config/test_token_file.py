"""The stored token: who can read it, what outranks what, and that it is told to nobody."""

from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path

import pytest

from nodes.core.config.settings import STORED_SOURCE, find_token, read_settings
from nodes.core.config.token_file import MAX_TOKEN_LENGTH, StoredToken, masked
from nodes.core.errors import ConfigError, NoToken

TOKEN = "a-secret-token-5678"


@pytest.fixture
def stored(tmp_path: Path) -> StoredToken:
    return StoredToken(tmp_path / "state")


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"RUNCOMFY_STATE_DIR": str(tmp_path / "state"), **more}


def test_token_is_stored_replaced_and_forgotten(stored: StoredToken) -> None:
    assert stored.read() is None
    stored.write("first")
    stored.write(TOKEN)
    assert stored.read() == TOKEN
    stored.forget()
    assert stored.read() is None
    stored.forget()


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_only_the_owner_can_read_it_whatever_the_umask(stored: StoredToken, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        stored.write(TOKEN)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "token.json").stat().st_mode) == 0o600


def test_write_that_fails_leaves_the_old_token_and_no_draft(
    stored: StoredToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.write("first")

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ConfigError, match="cannot be written"):
        stored.write(TOKEN)
    assert stored.read() == "first"
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["token.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"token": 7}', '{"token": ""}', '{"token": "a b"}', "\0"])
def test_damaged_file_is_told_and_not_taken_for_no_token(stored: StoredToken, tmp_path: Path, content: str) -> None:
    stored.write(TOKEN)
    (tmp_path / "state" / "token.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        stored.read()
    assert not isinstance(told.value, NoToken)


@pytest.mark.parametrize("token", ["", " ", "a b", "a\n", "\u00e9", "x" * (MAX_TOKEN_LENGTH + 1), None, 7])
def test_what_is_no_token_is_refused_without_quoting_it(stored: StoredToken, token: object) -> None:
    with pytest.raises(ConfigError) as told:
        stored.write(token)
    assert not token or len(str(token)) < 3 or str(token) not in str(told.value)
    assert stored.read() is None


def test_mask_shows_four_characters_of_a_long_token_and_none_of_a_short_one() -> None:
    assert masked("x" * 12 + "1234") == "\u2022" * 4 + "1234"
    assert masked("short-1234") == "\u2022" * 4


def test_stored_token_outranks_the_environment_and_leaves_it_as_it_was(stored: StoredToken, tmp_path: Path) -> None:
    given = environ(tmp_path, RUNCOMFY_API_TOKEN="from-the-environment")
    stored.write(TOKEN)
    assert find_token(given, tmp_path) == (TOKEN, STORED_SOURCE)
    assert read_settings(given, tmp_path).token_source == STORED_SOURCE
    stored.forget()
    assert find_token(given, tmp_path) == ("from-the-environment", "RUNCOMFY_API_TOKEN")


def test_stored_token_of_the_hosts_folder_is_found(tmp_path: Path) -> None:
    StoredToken(tmp_path / "user" / "__pack").write(TOKEN)
    assert find_token({}, tmp_path, tmp_path / "user" / "__pack")[0] == TOKEN


def test_no_token_says_where_to_enter_one(tmp_path: Path) -> None:
    with pytest.raises(NoToken, match="Settings > RunComfy"):
        find_token(environ(tmp_path), tmp_path)


def test_token_is_neither_in_the_settings_text_nor_in_a_log(
    stored: StoredToken, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        stored.write(TOKEN)
        settings = read_settings(environ(tmp_path), tmp_path)
    assert TOKEN not in repr(settings)
    assert TOKEN not in caplog.text
