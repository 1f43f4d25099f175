"""The account: its token, and whether it works."""

from __future__ import annotations

import os
from pathlib import Path

from ...core.config.token_file import StoredToken
from .asked import Answer, Answers, Asked


class AccountAnswers(Answers):
    """What the panel asks for. No answer holds the token."""

    def account(self, _: Asked) -> Answer:
        """Return which token is used, masked."""
        from ...app.account import account_view

        return account_view(os.environ, Path.home(), self._host.state_folder())

    def store_token(self, asked: Asked) -> Answer:
        """Store ``token``. Nothing returns it again.

        Raises:
            ConfigError: it can be no token, or the folder cannot be written.
        """
        given = asked.get("token")
        text = given.strip().removeprefix("Bearer ").strip() if isinstance(given, str) else given
        StoredToken(self._folder()).write(text)
        return self.account({})

    def forget_token(self, _: Asked) -> Answer:
        """Forget the stored token; one of the environment is used again."""
        StoredToken(self._folder()).forget()
        return self.account({})

    def test(self, _: Asked) -> Answer:
        """Test the connection and the token, without generating anything.

        Raises:
            ConfigError: there is no usable token.
        """
        from ...app.account import try_connection

        return try_connection(self._service())
