"""A terminal as the host of a run."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..core.jobs.progress import Progress, Stage
from ..core.jobs.waiting import RunHost

if TYPE_CHECKING:
    from ..core.media.host import MediaHost

_USUAL_COLUMNS = 80


class ShellHost:
    """A terminal as the host of a run: a progress line, and Ctrl-C as Stop. It takes files into ``folder``."""

    folder: Path

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stopped = False
        self._shown = ""

    def run_host(self) -> RunHost:
        """Return the one observer there is."""
        return self

    def interrupt(self) -> BaseException:
        """Return what Ctrl-C means."""
        return KeyboardInterrupt()

    def media_host(self) -> MediaHost:
        """Return who takes the files: all of them, as they came."""
        from ..core.media.host import FilesOnly

        return FilesOnly(self.folder)

    def state_folder(self) -> Path | None:
        """Leave the choice to the settings."""
        return None

    def stop(self, *_: object) -> None:
        """Ask the run to stop."""
        self._stopped = True
        # Another Ctrl-C leaves at once, without waiting for what is under way.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._stopped

    def report(self, progress: Progress) -> None:
        """Rewrite the progress line on a terminal; elsewhere, write a line where the text is a new one."""
        if progress.stage is Stage.FAILED:
            # The receipt follows, and says more.
            return
        line = "; ".join([progress.headline(), *progress.details()])
        if line == self._shown:
            return
        if not self._out.isatty():
            self._out.write(line + "\n")
            self._shown = line
        elif progress.ended:
            self._out.write("\r" + line.ljust(len(self._shown)) + "\n")
            self._shown = ""
        else:
            # A line that wraps cannot be rewritten.
            line = line[: _columns(self._out) - 1]
            self._out.write("\r" + line.ljust(len(self._shown)))
            self._shown = line
        self._out.flush()

    def end_line(self) -> None:
        """Leave the progress line."""
        if self._out.isatty() and self._shown:
            self._out.write("\n")
        self._shown = ""


def _columns(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS
