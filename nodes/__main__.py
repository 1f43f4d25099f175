"""``python -m nodes``, or ``runcomfy-models`` where pip has installed it: the pack from a shell."""

import gc
import os
import signal
import sys

STOPPED = 130


def run() -> None:
    """Run the command line and end the process. Ctrl-C ends it with one line, at any moment."""
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


if __name__ == "__main__":
    run()
