"""What the pack reads from its surroundings: order, places, and refusals that never quote a token."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from properties import given, st

from nodes.core.config import settings
from nodes.core.config.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_HOSTS,
    STATE_FOLDER_NAME,
    TOKEN_VARIABLES,
    find_token,
    read_settings,
    state_folder,
)
from nodes.core.config.token_file import MAX_TOKEN_LENGTH, StoredToken
from nodes.core.errors import Charge, ConfigError
from nodes.core.urls import BadUrl, check_download

TOKEN = {"RUNCOMFY_API_TOKEN": "tok-123"}
BAD_TOKENS = [
    "two words",
    "line\nbreak",
    "t\u00f6ken",
    "\u200btoken",
    "tab\there",
    "\x7f",
    "x" * (MAX_TOKEN_LENGTH + 1),
]


def log_in(folder: Path, content: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "token.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_the_first_variable_that_is_set_gives_the_token(tmp_path: Path) -> None:
    log_in(tmp_path / ".config" / "runcomfy", {"access_token": "from-the-cli"})
    environ = {name: f"from-{name}" for name in TOKEN_VARIABLES}
    for name in ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN"):
        assert find_token(environ, tmp_path) == (f"from-{name}", name)
        environ[name] = " \t" if name == "RUNCOMFY_TOKEN" else ""
    assert find_token(environ, tmp_path)[0] == "from-the-cli"


def test_spaces_around_a_token_are_not_part_of_it(tmp_path: Path) -> None:
    assert find_token({"RUNCOMFY_TOKEN": " tok-123\n"}, tmp_path)[0] == "tok-123"


def test_the_token_of_the_page_outranks_the_surroundings(tmp_path: Path) -> None:
    StoredToken(tmp_path / "state").write("from-the-page")
    environ = {**TOKEN, "RUNCOMFY_STATE_DIR": str(tmp_path / "state")}
    assert find_token(environ, tmp_path)[0] == "from-the-page"
    assert find_token(TOKEN, tmp_path)[0] == "tok-123"


def test_the_login_file_of_the_cli_is_looked_for_where_the_cli_puts_it(tmp_path: Path) -> None:
    own, xdg, home = tmp_path / "own", tmp_path / "xdg", tmp_path / "home"
    environ = {"RUNCOMFY_CONFIG_DIR": str(own), "XDG_CONFIG_HOME": str(xdg)}
    for folder in (home / ".config" / "runcomfy", xdg / "runcomfy", own):
        log_in(folder, {"access_token": folder.name + "-" + folder.parent.name, "other": 1})
        assert find_token(environ, home)[0] == folder.name + "-" + folder.parent.name
    assert find_token({}, home)[0] == "runcomfy-.config"


def test_on_a_managed_machine_the_file_alone_gives_the_token(tmp_path: Path) -> None:
    file = tmp_path / "managed" / "token"
    file.parent.mkdir()
    file.write_text(" managed-token\n")
    StoredToken(tmp_path / "state").write("from-the-page")
    log_in(tmp_path / ".config" / "runcomfy", {"access_token": "from-the-cli"})
    others = {name: f"from-{name}" for name in TOKEN_VARIABLES} | {"RUNCOMFY_STATE_DIR": str(tmp_path / "state")}
    managed = others | {"RUNCOMFY_API_TOKEN_FILE": str(file)}
    assert find_token(managed, tmp_path) == ("managed-token", "RUNCOMFY_API_TOKEN_FILE")
    assert find_token(others | {"RUNCOMFY_API_TOKEN_FILE": " "}, tmp_path)[0] == "from-the-page"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"two secret-words", b"\xff\xfe\x00", b"secret" * 10**5])
def test_a_managed_file_without_a_token_is_refused_by_its_variable_and_nothing_takes_its_place(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="RUNCOMFY_API_TOKEN_FILE") as raised:
        find_token({**TOKEN, "RUNCOMFY_TOKEN": "tok-456", "RUNCOMFY_API_TOKEN_FILE": str(file)}, tmp_path)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        ("", DEFAULT_BASE_URL),
        ("production", DEFAULT_BASE_URL),
        ("development", "https://model-api-int.runcomfy.net/v1"),
        (" Development\n", "https://model-api-int.runcomfy.net/v1"),
    ],
)
def test_the_environment_chooses_the_api(tmp_path: Path, environment: str, base: str) -> None:
    found = read_settings({**TOKEN, "RUNCOMFY_API_ENVIRONMENT": environment}, tmp_path)
    assert found.base_url == base
    assert (found.balance_url is None) == (base != DEFAULT_BASE_URL), "the balance is one of production"


@pytest.mark.parametrize("base", [DEFAULT_BASE_URL, "https://MODEL-API.runcomfy.net:443/v2"])
def test_a_token_for_development_never_goes_to_production(tmp_path: Path, base: str) -> None:
    environ = {**TOKEN, "RUNCOMFY_API_ENVIRONMENT": "development"}
    with pytest.raises(ConfigError, match="RUNCOMFY_API_ENVIRONMENT"):
        read_settings({**environ, "RUNCOMFY_MODEL_API_BASE": base}, tmp_path)
    local = read_settings({**environ, "RUNCOMFY_MODEL_API_BASE": "http://127.0.0.1:8288/v1"}, tmp_path)
    assert local.base_url == "http://127.0.0.1:8288/v1"


@pytest.mark.parametrize("environment", ["dev", "developement", "staging", "prod"])
def test_an_environment_that_is_not_known_is_refused_by_its_variable(tmp_path: Path, environment: str) -> None:
    with pytest.raises(ConfigError, match="RUNCOMFY_API_ENVIRONMENT"):
        read_settings({**TOKEN, "RUNCOMFY_API_ENVIRONMENT": environment}, tmp_path)


def test_without_a_token_the_error_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({}, tmp_path)
    assert "RUNCOMFY_API_TOKEN" in str(raised.value)
    assert "https://www.runcomfy.com/profile" in str(raised.value)
    assert raised.value.failure.charge is Charge.NO


@pytest.mark.parametrize("bad", BAD_TOKENS)
@pytest.mark.parametrize("variable", TOKEN_VARIABLES)
def test_what_is_no_token_is_refused_and_never_quoted(tmp_path: Path, variable: str, bad: str) -> None:
    with pytest.raises(ConfigError) as raised:
        find_token({variable: bad}, tmp_path)
    text = str(raised.value) + repr(raised.value)
    assert variable in text
    assert bad not in text and bad.encode("unicode_escape").decode() not in text


@pytest.mark.parametrize("bad", [*BAD_TOKENS, "", " ", None, 7, ["tok"]])
def test_a_login_file_without_a_token_is_named_and_not_quoted(tmp_path: Path, bad: Any) -> None:
    path = log_in(tmp_path / ".config" / "runcomfy", {"access_token": bad, "refresh": "secret-refresh"})
    with pytest.raises(ConfigError) as raised:
        find_token({}, tmp_path)
    assert str(path) in str(raised.value)
    assert "secret-refresh" not in str(raised.value)
    assert not isinstance(bad, str) or not bad.strip() or bad not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "secret-token",
        '["secret-token"]',
        '"secret-token"',
        "{}",
        "null",
        '{"access_token": "secret-token"',
    ],
)
def test_a_damaged_login_file_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    path = log_in(tmp_path / ".config" / "runcomfy", content)
    with pytest.raises(ConfigError) as raised:
        find_token({}, tmp_path)
    assert str(path) in str(raised.value)
    assert "secret-token" not in str(raised.value)


def test_a_login_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = log_in(tmp_path / ".config" / "runcomfy", "")
    path.write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ConfigError, match="cannot be read"):
        find_token({}, tmp_path)


@pytest.mark.parametrize("step", ["stat", "read_text"])
def test_a_login_file_that_may_not_be_read_is_an_error_of_the_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = log_in(tmp_path / ".config" / "runcomfy", {"access_token": "tok-123"})
    allowed = getattr(Path, step)

    def forbid(self: Path, *args: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return allowed(self, *args, **options)

    monkeypatch.setattr(Path, step, forbid)
    try:
        found = find_token({}, tmp_path)
    except ConfigError as error:
        assert f"{path} cannot be read (PermissionError)" in error.message
    else:
        assert (step, found[0]) == ("stat", "tok-123")


def test_the_token_is_not_in_the_settings_repr(tmp_path: Path) -> None:
    assert "tok-123" not in repr(read_settings(TOKEN, tmp_path))


def test_the_defaults_are_the_vendors(tmp_path: Path) -> None:
    found = read_settings(TOKEN, tmp_path)
    assert found.base_url == DEFAULT_BASE_URL == "https://model-api.runcomfy.net/v1"
    assert found.download_hosts == DEFAULT_HOSTS
    for host in ("runcomfy.net", "files.runcomfy.net", "runcomfy.com", "a.b.runcomfy.com"):
        check_download(f"https://{host}/a.png", DEFAULT_HOSTS)
    for host in ("evilruncomfy.net", "runcomfy.net.example.com", "runcomfy.org"):
        with pytest.raises(BadUrl):
            check_download(f"https://{host}/a.png", DEFAULT_HOSTS)
    assert found.keep_bytes == 2 * 1024**3
    assert found.daily_budget_usd is None
    assert found.job_deadline == 1800
    assert found.local_origin is None
    assert found.balance_url == "https://api.runcomfy.net/prod/v2/balance"


@pytest.mark.parametrize(
    ("given", "base", "local", "balance"),
    [
        ("https://proxy.example.com/api/v1/", "https://proxy.example.com/api/v1", None, None),
        ("  https://proxy.example.com/v1//\n", "https://proxy.example.com/v1", None, None),
        (
            "http://127.0.0.1:8288/v1",
            "http://127.0.0.1:8288/v1",
            "http://127.0.0.1:8288",
            "http://127.0.0.1:8288/prod/v2/balance",
        ),
        (
            "http://localhost/v1",
            "http://localhost/v1",
            "http://localhost:80",
            "http://localhost:80/prod/v2/balance",
        ),
        ("http://[::1]:1/v1", "http://[::1]:1/v1", "http://[::1]:1", "http://[::1]:1/prod/v2/balance"),
        ("", DEFAULT_BASE_URL, None, "https://api.runcomfy.net/prod/v2/balance"),
        (f"{DEFAULT_BASE_URL}/", DEFAULT_BASE_URL, None, "https://api.runcomfy.net/prod/v2/balance"),
    ],
)
def test_the_base_url_may_be_another(
    tmp_path: Path, given: str, base: str, local: str | None, balance: str | None
) -> None:
    found = read_settings({**TOKEN, "RUNCOMFY_MODEL_API_BASE": given}, tmp_path)
    assert (found.base_url, found.local_origin, found.balance_url) == (base, local, balance)


@pytest.mark.parametrize(
    "given",
    [
        "http://model-api.runcomfy.net/v1",
        "http://192.168.1.5:8288/v1",
        "http://127.0.0.1.example.com/v1",
        "model-api.runcomfy.net/v1",
        "ftp://model-api.runcomfy.net/v1",
        "https://user:secret@model-api.runcomfy.net/v1",
        "https://model-api.runcomfy.net/v1?key=secret",
        "https://model-api.runcomfy.net/v1#secret",
        "https://model api.runcomfy.net/v1",
        "https://",
        "https://model-api.runcomfy.net:0/v1",
    ],
)
def test_the_token_is_never_sent_to_a_base_that_is_not_safe(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({**TOKEN, "RUNCOMFY_MODEL_API_BASE": given}, tmp_path)
    assert "RUNCOMFY_MODEL_API_BASE" in raised.value.message
    assert "secret" not in str(raised.value)


def test_more_download_hosts_are_added_to_the_vendors(tmp_path: Path) -> None:
    environ = {**TOKEN, "RUNCOMFY_DOWNLOAD_HOSTS": " Files.Example.com, *.cdn.example.com,,.other.example\n"}
    assert read_settings(environ, tmp_path).download_hosts == (
        *DEFAULT_HOSTS,
        "files.example.com",
        ".cdn.example.com",
        ".other.example",
    )


@pytest.mark.parametrize(
    ("text", "usd"), [("0", 0.0), ("2.5", 2.5), (" 10 ", 10.0), ("1e3", 1000.0), ("", None), (" ", None)]
)
def test_a_budget_is_a_number_of_usd(tmp_path: Path, text: str, usd: float | None) -> None:
    assert read_settings({**TOKEN, "RUNCOMFY_DAILY_BUDGET_USD": text}, tmp_path).daily_budget_usd == usd


@pytest.mark.parametrize(("text", "kept"), [("0", 0), ("1", 2**20), ("0.5", 2**19), ("", 2 * 2**30)])
def test_the_kept_originals_are_bounded_in_mebibytes(tmp_path: Path, text: str, kept: int) -> None:
    assert read_settings({**TOKEN, "RUNCOMFY_KEEP_MB": text}, tmp_path).keep_bytes == kept


@pytest.mark.parametrize("variable", ["RUNCOMFY_DAILY_BUDGET_USD", "RUNCOMFY_KEEP_MB"])
@pytest.mark.parametrize("text", ["-1", "five", "nan", "inf", "-inf", "1e400", "1,5", "$5", "1e9", "0x10"])
def test_a_number_that_is_none_is_refused_by_name(tmp_path: Path, variable: str, text: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        read_settings({**TOKEN, variable: text}, tmp_path)


@given(st.text(max_size=20))
def test_any_number_is_usable_or_refused(text: str) -> None:
    try:
        found = read_settings({**TOKEN, "RUNCOMFY_KEEP_MB": text}, Path("/home/of/nobody"))
    except ConfigError as error:
        assert "RUNCOMFY_KEEP_MB" in error.message
    else:
        assert found.keep_bytes >= 0


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "home/.local/state"),
        ("linux", {"XDG_STATE_HOME": "xdg"}, "xdg"),
        ("linux", {"LOCALAPPDATA": "local"}, "home/.local/state"),
        ("freebsd14", {}, "home/.local/state"),
        ("darwin", {"XDG_STATE_HOME": "xdg"}, "home/Library/Application Support"),
        ("win32", {"LOCALAPPDATA": "local"}, "local"),
        ("win32", {}, "home/AppData/Local"),
    ],
)
def test_the_state_folder_is_the_platforms(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(settings.sys, "platform", platform)
    assert state_folder(environ, Path("home")) == Path(expected) / STATE_FOLDER_NAME


def test_a_chosen_state_folder_outranks_the_hosts_and_the_hosts_the_platforms(tmp_path: Path) -> None:
    host = tmp_path / "host"
    assert state_folder({"RUNCOMFY_STATE_DIR": str(tmp_path / "chosen")}, tmp_path, host) == tmp_path / "chosen"
    assert state_folder({"RUNCOMFY_STATE_DIR": "  "}, tmp_path, host) == host
    assert state_folder({"XDG_STATE_HOME": str(tmp_path / "xdg")}, tmp_path, host) == host


def test_a_relative_state_folder_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_folder({"RUNCOMFY_STATE_DIR": "state"}, Path("/home")) == tmp_path / "state"


def test_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert state_folder({"RUNCOMFY_STATE_DIR": "~/state"}, Path("/home")) == tmp_path / "state"


def test_a_tilde_of_nobody_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="RUNCOMFY_STATE_DIR"):
        state_folder({"RUNCOMFY_STATE_DIR": "~nobody-of-this-name/state"}, tmp_path)


def test_reading_writes_nothing(tmp_path: Path) -> None:
    before = dict(os.environ)
    read_settings({**TOKEN, "RUNCOMFY_STATE_DIR": str(tmp_path / "state")}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before
