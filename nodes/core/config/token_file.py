"""The account's token in the state folder: readable by its owner only, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

from ..errors import PROFILE_PAGE, ConfigError

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
            return check_token(document["token"], "The stored token's file")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"The stored token cannot be read ({type(error).__name__}).",
                advice="Enter it again in Settings > RunComfy, or forget it there.",
            ) from None

    def write(self, token: object) -> None:
        """Store the token that was entered; it replaces an older one."""
        text = json.dumps({"token": check_token(token, "What was entered")})
        draft = self._path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise self._unwritable(error) from None

    def forget(self) -> None:
        """Remove the stored token, if there is one."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"The folder {self._path.parent} cannot be written ({type(error).__name__}).",
            advice="Free the disk, correct the folder's permissions, or set RUNCOMFY_STATE_DIR to another folder.",
        )


def check_token(token: object, source: str) -> str:
    """Return the token if it can be one: printable ASCII without spaces.

    Raises:
        ConfigError: ``source`` does not hold one. The message never quotes it.
    """
    text = token if isinstance(token, str) else ""
    if not 0 < len(text) <= MAX_TOKEN_LENGTH or not all("!" <= letter <= "~" for letter in text):
        raise ConfigError(
            f"{source} does not hold a token: one is 1 to {MAX_TOKEN_LENGTH} printable ASCII characters "
            "without spaces.",
            advice=f"Copy the token again from {PROFILE_PAGE}.",
        )
    return text


def masked(token: str) -> str:
    """Return what may be shown of a token: its last four characters, or nothing of a short one."""
    return _MASK + (token[-_SHOWN:] if len(token) >= 4 * _SHOWN else "")
