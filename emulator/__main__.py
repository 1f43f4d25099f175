"""Serve the emulator from a shell until Ctrl-C: `python -m emulator`."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
from pathlib import Path

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
            options.queue_seconds,
            options.run_seconds,
            options.answers,
            options.validation,
            port=options.port,
            models=options.models,
        )
        emulator.start()
    except (OSError, RuntimeError, ValueError, KeyError) as error:
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
    parser.add_argument(
        "--port", type=_port, default=8288, metavar="PORT", help="0 chooses a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--models", type=Path, metavar="PATH",
        help="a page or an entry of the catalogue, a model file, or a folder of them (default: the pack's models)",
    )  # fmt: skip
    parser.add_argument(
        "--queue-seconds", type=_seconds, default=1.0, metavar="S",
        help="how long a job is queued (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--run-seconds", type=_seconds, default=3.0, metavar="S", help="how long a job runs (default: %(default)s)"
    )
    parser.add_argument(
        "--answers", choices=("documented", "tolerated"), default="documented",
        help="as the API's pages have them, or in turns every other form that was seen (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--validation", choices=("strict", "lenient"), default="strict",
        help="refuse a request that breaks the model's schema, or take it (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="PLACE:KIND",
        help="what goes wrong, may be repeated: submit:503, file:reset*2, status:hang=5@1, job:blocked*forever",
    )  # fmt: skip
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number of 0 to 65535, not {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"a number of 0 or more is expected, not {text}")
    return seconds


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(main())
