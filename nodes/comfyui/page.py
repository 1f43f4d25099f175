"""What the page asks of the server, without HTTP: a dictionary in, a JSON value out. Blocking."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..app.host import Host
from ..core.config.settings import state_folder
from ..core.config.token_file import StoredToken
from ..core.docs.glossary import ENGLISH, languages
from ..core.errors import ConfigError, InvalidInput
from ..core.schema.registry import load_models
from ..core.texts import messages
from .collect import COLLECT
from .node_status import NodeStatusStore

if TYPE_CHECKING:
    from ..app.service import Service

Asked: TypeAlias = Mapping[str, object]
Answer: TypeAlias = dict[str, object]


MAX_CLIENT_LENGTH = 100


class Page:
    """The server's side of the page.

    ``running`` returns the ids of the prompts that the host runs now, ``connection`` that of a page to the host.
    """

    def __init__(
        self,
        host: Host,
        live: NodeStatusStore,
        running: Callable[[], frozenset[str]],
        connection: Callable[[str], object],
    ) -> None:
        self._host = host
        self._live = live
        self._running = running
        self._connection = connection

    def account(self, _: Asked) -> Answer:
        """Return which token is used, masked."""
        from ..app.account import account_view

        return account_view(os.environ, Path.home(), self._host.state_folder())

    def store_token(self, asked: Asked) -> Answer:
        """Store ``token``. Nothing returns it again.

        Raises:
            ConfigError: it can be no token, or the folder cannot be written.
        """
        given = asked.get("token")
        text = given.strip().removeprefix("Bearer ").strip() if isinstance(given, str) else given
        self._stored().write(text)
        return self.account({})

    def forget_token(self, _: Asked) -> Answer:
        """Forget the stored token; one of the environment is used again."""
        self._stored().forget()
        return self.account({})

    def test(self, _: Asked) -> Answer:
        """Test the connection and the token, without generating anything.

        Raises:
            ConfigError: there is no usable token.
        """
        from ..app.account import try_connection

        return try_connection(self._service())

    def prices(self, asked: Asked) -> Answer:
        """Return what ``prices_view`` tells of ``nodes``, node ids with commas between them.

        No price is told without a usable token.
        """
        from ..app.account import prices_view

        try:
            service = self._service()
        except ConfigError:
            service = None
        # One call is made for each of them, so it is not all models.
        wanted = set(str(asked.get("nodes", "")).split(","))
        return {"prices": prices_view(service, [spec for spec in load_models() if spec.node_id in wanted])}

    def jobs(self, asked: Asked) -> Answer:
        """Return the recent jobs of the model whose node id is ``node``.

        Raises:
            ConfigError: there is no usable token. InvalidInput: there is no such node.
        """
        from ..app.account import jobs_view

        models = {spec.node_id: spec for spec in load_models()}
        spec = models.get(str(asked.get("node", "")))
        if spec is None:
            raise InvalidInput("node", "no_such_node")
        return {"jobs": jobs_view(self._service(), spec)}

    def retry_job(self, asked: Asked) -> Answer:
        """Let a new job be paid for in place of the one whose id is ``request_id``.

        Raises:
            ConfigError: there is no usable token. PackError: there is no such job, or it needs no permission.
        """
        from ..app.account import allow_retry

        return allow_retry(self._service(), asked.get("request_id"))

    def messages(self, asked: Asked) -> Answer:
        """Return the texts of the language nearest to ``locale``."""
        language, texts = messages(str(asked.get("locale", "")))
        return {"locale": language, "messages": texts}

    def help(self, asked: Asked) -> str | None:
        """Return the help page of ``node`` in ``language``, in Markdown; None where there is none such."""
        from ..core.docs.help_page import help_page

        node = next((node for node in (*load_models(), COLLECT) if node.node_id == asked.get("node")), None)
        language = str(asked.get("language", ENGLISH))
        return help_page(node, language) if node and language in languages() else None

    def progress(self, asked: Asked) -> Answer:
        """Return the last state of each node. ``client`` is a page that shows them from now on."""
        if isinstance(client := asked.get("client"), str) and 0 < len(client) <= MAX_CLIENT_LENGTH:
            self._live.subscribe(client, self._connection(client))
        running = self._running()
        return {"nodes": [{**state.payload(), "live": state.place.prompt in running} for state in self._live.all()]}

    def _stored(self) -> StoredToken:
        return StoredToken(state_folder(os.environ, Path.home(), self._host.state_folder()))

    def _service(self) -> Service:
        from ..app.run import current_settings
        from ..app.service import open_service

        return open_service(current_settings(self._host))
