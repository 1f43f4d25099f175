"""Serve the emulator from a shell until Ctrl-C: `python -m emulator`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from . import Emulator, Fault, parse_fault

_STEP = 0.5
"""Seconds between looks at the stop flag: a wait without end cannot be interrupted on Windows."""


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit code."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        emulator = Emulator(
            options.queue_seconds, options.run_seconds, options.answers, options.validation, port=options.port
        )
        emulator.start()
    except (OSError, RuntimeError) as error:
        print(f"The emulator cannot start on port {options.port}: {error}", file=sys.stderr)
        return 1
    for fault in options.fault:
        emulator.fault(fault)
    print(f"export RUNCOMFY_MODEL_API_BASE={emulator.base_url} RUNCOMFY_API_TOKEN={emulator.token}")
    print("Serving. Ctrl-C ends it.", flush=True)
    while not stop.wait(_STEP):
        pass
    emulator.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="The RunComfy Model API on loopback.")
    parser.add_argument("--port", type=int, default=8288, help="0 chooses a free one")
    parser.add_argument("--queue-seconds", type=float, default=1.0, metavar="S")
    parser.add_argument("--run-seconds", type=float, default=3.0, metavar="S")
    parser.add_argument("--answers", choices=("documented", "tolerated"), default="documented")
    parser.add_argument("--validation", choices=("strict", "lenient"), default="strict")
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="PLACE:KIND",
        help="what goes wrong, may be repeated: submit:503, file:reset*2, status:hang=5@1, job:blocked*forever",
    )  # fmt: skip
    return parser


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(main())
