"""A terminal as the host of runs: a line that changes, and Ctrl-C as Stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..core.jobs.progress import Progress, Stage
from ..core.store.job import Author

if TYPE_CHECKING:
    from ..core.media.host import MediaHost

_USUAL_COLUMNS = 80


class Interrupted(BaseException):
    """Ctrl-C has ended a run. Not ``KeyboardInterrupt``: that would tear down the other runs of the same loop."""


class ShellHost:
    """The shell as the host of runs, which takes their files into ``folder``.

    On a terminal one line tells how far they are. ``quiet``: nothing is told there, nor elsewhere.
    """

    folder: Path

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._line = _Line(out, shown=not quiet and out.isatty())
        self._lock = threading.Lock()
        self._stopped = False
        self._left: list[str] = []
        self.count = 1
        self.ended = 0

    def run_host(self) -> ShellHost:
        """Return who watches: all runs have the same line."""
        return self

    def interrupt(self) -> BaseException:
        """Return what Ctrl-C means."""
        return Interrupted()

    def media_host(self) -> MediaHost:
        """Return who takes the files: all of them, as they came."""
        from ..core.media.host import FilesOnly

        return FilesOnly(self.folder)

    def state_folder(self) -> Path | None:
        """Leave the choice to the settings."""
        return None

    def author(self) -> Author:
        """Leave it to the settings."""
        return Author()

    def stop(self, *_: object) -> None:
        """Ask the runs to stop."""
        self._stopped = True
        # Another Ctrl-C leaves at once, without waiting for what is under way.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._stopped

    def report(self, progress: Progress) -> None:
        """Rewrite the line. What a run has come to is told by whoever waits for it."""
        if progress.stage is Stage.STOPPED:
            with self._lock:
                self._left += [text for note in progress.notes if (text := str(note)) not in self._left]
        elif not progress.ended:
            line = "; ".join([progress.headline(), *progress.details()])
            self._line.show(f"{self.ended} of {self.count} done; {line}" if self.count > 1 else line)

    def what_is_left(self) -> list[str]:
        """Return what became of the jobs that Ctrl-C has left, once that has been waited for."""
        with self._lock:
            return list(self._left)

    def tell(self, line: str) -> None:
        """Write a line that stays."""
        self._line.end()
        if not self._quiet:
            with contextlib.suppress(OSError):
                print(line, file=self._out, flush=True)

    def end_line(self) -> None:
        """Leave the line."""
        self._line.end()


class _Line:
    """A line of a terminal that is rewritten. Thread-safe; what cannot be written must not cost a run."""

    def __init__(self, out: TextIO, *, shown: bool) -> None:
        self._out = out
        self._is_shown = shown
        self._text = ""
        self._lock = threading.Lock()

    def show(self, text: str) -> None:
        with self._lock:
            # A line that wraps cannot be rewritten.
            line = text[: _columns(self._out) - 1]
            if line != self._text:
                self._write("\r" + line.ljust(len(self._text)))
                self._text = line

    def end(self) -> None:
        """Clear it: what stays comes in its place."""
        with self._lock:
            if self._text:
                self._write("\r" + " " * len(self._text) + "\r")
            self._text = ""

    def _write(self, text: str) -> None:
        if not self._is_shown:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            # The terminal is gone, and with it whoever would read.
            self._is_shown = False


def _columns(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS
