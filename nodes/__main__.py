"""``python -m nodes``, or ``runcomfy-models`` where pip has installed it: the pack from a shell."""

import gc
import os
import signal
import sys

STOPPED = 130


def run() -> None:
    """Run the command line and end the process. Ctrl-C ends it with one line, at any moment."""
    _open_closed_streams()
    try:
        from .shell.commands import main

        status = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        # While it was being loaded.
        os.write(2, b"Stopped.\n")
        status = STOPPED
    if status == STOPPED:
        # What must not be lost has been waited for, unless Ctrl-C came again.
        os._exit(status)
    # At the end of a process Python searches all its objects for cycles. With those of torch this takes half a
    # second, for memory that the system takes back anyway.
    gc.freeze()
    sys.exit(status)


def _open_closed_streams() -> None:
    """Open what a caller has closed: the next file that is opened would get its number, and what is told there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


if __name__ == "__main__":
    run()
