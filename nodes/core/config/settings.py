"""Settings from environment variables, the page and files. They are read when a node runs, never at import."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import urls
from ..errors import PROFILE_PAGE, ConfigError, NoToken, step
from ..money import Limit
from ..texts import note
from .budgets import read_budgets
from .preferences import Chosen, read_preferences
from .sharing import host_name, journal_address, kept_folder, project
from .token_file import MAX_TOKEN_LENGTH, StoredToken, check_token

DEFAULT_BASE_URL = "https://model-api.runcomfy.net/v1"
DEVELOPMENT_BASE_URL = "https://model-api-int.runcomfy.net/v1"
DEFAULT_BALANCE_URL = "https://api.runcomfy.net/prod/v2/balance"
DEFAULT_HOSTS = ("runcomfy.net", ".runcomfy.net", "runcomfy.com", ".runcomfy.com")
TOKEN_VARIABLES = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "YOUR_API_TOKEN")
TOKEN_FILE_VARIABLE = "RUNCOMFY_API_TOKEN_FILE"
STORED_SOURCE = "Settings > RunComfy"
LOGIN_SOURCE = "the login file of the RunComfy CLI"
STATE_FOLDER_NAME = "runcomfy-models"
_BASE_URLS = {"production": DEFAULT_BASE_URL, "development": DEVELOPMENT_BASE_URL}
_HOST = re.compile(r"[a-z0-9.-]+")


@dataclass(frozen=True)
class Settings:
    """Everything a run needs to know. The token is left out of ``repr``.

    ``keep_bytes`` bounds the kept originals (0 keeps none, and no encoded references); ``daily_budget_usd`` is None
    without a budget, ``max_cost_usd`` is what a job counts of which nothing else is known; ``job_deadline`` is in
    seconds. ``keep_inputs``: the prompt and the other inputs are kept beside each job, on this machine.
    ``journal`` is the address of the record on a server, which may hold a password; '' for the state folder's own.
    """

    token: str = field(repr=False)
    token_source: str
    base_url: str
    state_folder: Path
    kept_folder: Path
    download_hosts: tuple[str, ...] = DEFAULT_HOSTS
    keep_bytes: int = 2 * 1024**3
    daily_budget_usd: float | None = None
    max_cost_usd: float | None = None
    job_deadline: float = 1800.0
    keep_inputs: bool = True
    journal: str = field(default="", repr=False)
    budgets: tuple[Limit, ...] = ()
    host_name: str = ""
    project: str = ""

    @property
    def has_budget(self) -> bool:
        """Whether spending is limited at all."""
        return self.daily_budget_usd is not None or bool(self.budgets)

    @property
    def local_origin(self) -> str | None:
        """The API's origin if it is on this machine (loopback), else None."""
        return local_origin(self.base_url)

    @property
    def balance_url(self) -> str | None:
        """The address of the account's balance: the vendor's own, or beside an API on this machine; else None."""
        if self.base_url == DEFAULT_BASE_URL:
            return DEFAULT_BALANCE_URL
        return f"{self.local_origin}/prod/v2/balance" if self.local_origin else None


def read_settings(environ: Mapping[str, str], home: Path, host_state_folder: Path | None = None) -> Settings:
    """Read the settings from the stored token, environment variables, the page and the vendor CLI's login file.

    ``host_state_folder`` is a protected folder that the host offers; ``RUNCOMFY_STATE_DIR`` comes before it.

    Raises:
        ConfigError: no token, or a variable that cannot be used; the message names it.
    """
    token, source = find_token(environ, home, host_state_folder)
    folder = state_folder(environ, home, host_state_folder)
    chosen = read_preferences(environ, folder)
    return Settings(
        token=token,
        token_source=source,
        base_url=base_url(environ),
        state_folder=folder,
        kept_folder=kept_folder(environ, folder),
        download_hosts=DEFAULT_HOSTS + _hosts(environ.get("RUNCOMFY_DOWNLOAD_HOSTS", "")),
        keep_bytes=int((_number(chosen["keep_mb"]) or 0.0) * 1024**2),
        daily_budget_usd=_number(chosen["daily_budget_usd"]),
        max_cost_usd=_number(chosen["max_cost_usd"]),
        keep_inputs=chosen["keep_inputs"].value is True,
        journal=journal_address(environ),
        budgets=read_budgets(environ),
        host_name=host_name(environ),
        project=project(environ),
    )


def local_origin(base_url: str) -> str | None:
    """Return the origin of an API on this machine (loopback), else None."""
    return urls.origin(base_url) if urls.is_loopback(base_url) else None


def find_token(environ: Mapping[str, str], home: Path, host_state_folder: Path | None = None) -> tuple[str, str]:
    """Return the account's token and where it was found: the stored one, a variable, or the CLI's login.

    On a managed machine, where ``RUNCOMFY_API_TOKEN_FILE`` is set, that file alone counts.

    Raises:
        NoToken: there is none.
        ConfigError: what was found cannot be a token. The message never quotes it.
    """
    if managed := environ.get(TOKEN_FILE_VARIABLE, "").strip():
        return _managed_token(managed), TOKEN_FILE_VARIABLE
    if stored := StoredToken(state_folder(environ, home, host_state_folder)).read():
        return stored, STORED_SOURCE
    for variable in TOKEN_VARIABLES:
        if value := environ.get(variable, "").strip():
            return check_token(value, variable), variable
    for folder in _login_folders(environ, home):
        path = folder / "token.json"
        if (login := _login_token(path)) is not None:
            return check_token(login, str(path)), LOGIN_SOURCE
    raise NoToken("token_missing", next=(step("enter_token", url=PROFILE_PAGE),))


def state_folder(environ: Mapping[str, str], home: Path, host_state_folder: Path | None = None) -> Path:
    """Return the folder of the pack's own files: ``RUNCOMFY_STATE_DIR``, the host's, or the platform's.

    Raises:
        ConfigError: the variable begins with ``~`` and the name of a user who does not exist.
    """
    if chosen := environ.get("RUNCOMFY_STATE_DIR", "").strip():
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError:
            raise ConfigError("state_folder_unknown", next=(step("set_state_folder"),)) from None
    if host_state_folder is not None:
        return host_state_folder
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / STATE_FOLDER_NAME


def _login_folders(environ: Mapping[str, str], home: Path) -> list[Path]:
    folders = [home / ".config" / "runcomfy"]
    if xdg := environ.get("XDG_CONFIG_HOME"):
        folders.insert(0, Path(xdg) / "runcomfy")
    if own := environ.get("RUNCOMFY_CONFIG_DIR"):
        folders.insert(0, Path(own))
    return folders


def _login_token(path: Path) -> str | None:
    """Return the token of a login file (empty if it is not a text), or None where there is no such file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        token = document["access_token"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            "login_unreadable", path=str(path), error=type(error).__name__, next=(step("log_in_again"),)
        ) from None
    return token.strip() if isinstance(token, str) else ""


def _managed_token(path: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            text = file.read(2 * MAX_TOKEN_LENGTH)
    except (OSError, ValueError) as error:
        raise ConfigError(
            "token_file_unreadable",
            path=path,
            error=type(error).__name__,
            next=(step("correct_variable", variable=TOKEN_FILE_VARIABLE),),
        ) from None
    return check_token(text.strip(), TOKEN_FILE_VARIABLE)


def base_url(environ: Mapping[str, str]) -> str:
    """Return the API's address. A token for development never goes to production.

    Raises:
        ConfigError: naming the variable.
    """
    variable = "RUNCOMFY_API_ENVIRONMENT"
    environment = environ.get(variable, "").strip().lower() or "production"
    if environment not in _BASE_URLS:
        raise ConfigError("environment_unknown", next=(step("correct_variable", variable=variable),))
    chosen = environ.get("RUNCOMFY_MODEL_API_BASE", "").strip()
    if not chosen:
        return _BASE_URLS[environment]
    base = _checked_base_url(chosen)
    if environment == "development" and urls.origin(base) == urls.origin(DEFAULT_BASE_URL):
        raise ConfigError("development_at_production", next=(step("correct_variable", variable=variable),))
    return base


def _checked_base_url(text: str) -> str:
    problem = note("address.not_https_or_local")
    try:
        usable = urls.origin(text).startswith("https://") or urls.is_loopback(text)
    except urls.BadUrl as error:
        usable, problem = False, error.note
    if not usable or "?" in text or "#" in text:
        raise ConfigError(
            "base_url_unusable", problem=problem, next=(step("correct_base_url", url=DEFAULT_BASE_URL),)
        )
    return text.rstrip("/")


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.lower().removeprefix("*") for name in text.replace(",", " ").split())
    if not all(_HOST.fullmatch(name) for name in names):
        raise ConfigError("hosts_unusable", next=(step("write_hosts"),))
    return names


def _number(chosen: Chosen) -> float | None:
    return None if chosen.value is None else float(chosen.value)
