"""The account's token in the state folder: readable by its owner only, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import PROFILE_PAGE, ConfigError, step
from ..texts import Note, note
from .private_file import unwritable, write_private

FILE_NAME = "token.json"
MAX_TOKEN_LENGTH = 8192
_MASK = "\u2022" * 4
_SHOWN = 4


class StoredToken:
    """The one file that holds the token. Every method is blocking.

    Raises (all methods):
        ConfigError: the file cannot be read or written, or the text is not a token. The message never quotes it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def read(self) -> str | None:
        """Return the stored token, or None where there is none."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            return check_token(document["token"], note("source.stored"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                "stored_token_unreadable", error=type(error).__name__, next=(step("enter_token_again"),)
            ) from None

    def write(self, token: object) -> None:
        """Store what was entered in place of the token before it, if it can be one."""
        write_private(self._path, json.dumps({"token": check_token(token, note("source.entered"))}))

    def forget(self) -> None:
        """Remove the stored token, if there is one."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._path.parent, error) from None


def check_token(token: object, source: str | Note) -> str:
    """Return what can be a token: printable ASCII without spaces.

    Raises:
        ConfigError: ``source`` does not hold one. The message never quotes it.
    """
    text = token if isinstance(token, str) else ""
    if not 0 < len(text) <= MAX_TOKEN_LENGTH or not all("!" <= letter <= "~" for letter in text):
        raise ConfigError(
            "not_a_token", source=source, limit=MAX_TOKEN_LENGTH, next=(step("copy_token", url=PROFILE_PAGE),)
        )
    return text


def masked(token: str) -> str:
    """Return what may be shown of a token: its last four characters, or nothing of a short one."""
    return _MASK + (token[-_SHOWN:] if len(token) >= 4 * _SHOWN else "")
