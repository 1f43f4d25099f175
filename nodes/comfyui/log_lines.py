"""The pack's lines in the host's log begin with its name: the host itself writes the text alone."""

from __future__ import annotations

import copy
import logging

PREFIX = "[RunComfy] "


class PrefixedLines(logging.Handler):
    """Hands every line on to the host's handlers, with the prefix."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a line on; the record itself stays as it is."""
        line = copy.copy(record)
        line.msg = f"{PREFIX}{record.getMessage()}"
        line.args = None
        logging.getLogger().handle(line)


def prefix_lines(package: str) -> None:
    """Let the lines of a package begin with the prefix, however often it is loaded."""
    logger = logging.getLogger(package)
    logger.propagate = False
    logger.handlers = [PrefixedLines()]
