"""What all answers to the page share: the host, and the account and the record of the moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ...app.host import Host
from ...core.config.settings import state_folder
from ...core.errors import ConfigError
from ..node_status import NodeStatusStore

if TYPE_CHECKING:
    from ...app.record import Record
    from ...app.service import Service

Asked: TypeAlias = Mapping[str, object]
Answer: TypeAlias = dict[str, object]


class Answers:
    """Answers to the page.

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

    def _folder(self) -> Path:
        return state_folder(os.environ, Path.home(), self._host.state_folder())

    def _service(self) -> Service:
        """Raises: ConfigError: there is no usable token."""
        from ...app.run import current_settings
        from ...app.service import open_service

        return open_service(current_settings(self._host))

    def _service_if_any(self) -> Service | None:
        try:
            return self._service()
        except ConfigError:
            return None

    def _record(self) -> Record:
        from ...app.service import open_record

        return open_record(self._folder())
