"""Serve the emulator from a shell until Ctrl-C: `python -m emulator`."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
from pathlib import Path

from . import DEFAULT_TOKEN, Emulator, Fault, parse_fault
from .fault_help import FORM, fault_help

_CONTROLS = """while it runs, without a token:
  GET /_log                  the calls so far (?what=submit: of one kind; ?after=10: those after number 10)
  GET /_faults               the faults that are set, and how often each has struck
  POST /_faults              add those of the body, one a line
  DELETE /_faults            remove all"""

_STEP = 0.5
"""Seconds between looks at the stop flag: a wait without end cannot be interrupted on Windows."""


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit code."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        emulator = _emulator(options)
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        emulator.start()
    except OSError as error:
        reason = error.strerror or error
        print(f"Port {options.port} cannot be used ({reason}). Choose another with --port.", file=sys.stderr)
        return 1
    print(f"export RUNCOMFY_MODEL_API_BASE={emulator.base_url} RUNCOMFY_API_TOKEN={emulator.token}")
    print(f"Serving. Its log: {emulator.origin}/_log, its faults: {emulator.origin}/_faults. Ctrl-C ends it.")
    sys.stdout.flush()
    while not stop.wait(_STEP):
        pass
    emulator.stop()
    return 0


def _emulator(options: argparse.Namespace) -> Emulator:
    """Return the emulator that the flags describe.

    Raises: RuntimeError, ValueError with what is wrong.
    """
    models: Path | None = options.catalogue
    try:
        emulator = Emulator(
            options.queue_seconds, options.run_seconds, options.answers, options.validation, options.token,
            port=options.port, models=models,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ValueError(f"--catalogue: {models} cannot be read: {reason}") from None
    emulator.balance_usd = options.balance
    for model_id, usd in options.price:
        if model_id and model_id not in emulator.models:
            raise ValueError(f"--price: there is no model {model_id!r}; there are {', '.join(emulator.models)}")
        emulator.prices |= dict.fromkeys([model_id] if model_id else emulator.models, usd)
    for fault in options.fault:
        emulator.fault(fault)
    return emulator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="The RunComfy Model API on loopback.",
        epilog=f"{_CONTROLS}\n\n{fault_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_flags_of_the_server(parser)
    _add_flags_of_the_account(parser)
    return parser


def _add_flags_of_the_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=_port, default=8288, metavar="PORT", help="0 chooses a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--queue-seconds", type=_number, default=1.0, metavar="S",
        help="how long a job is queued (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--run-seconds", type=_number, default=3.0, metavar="S", help="how long a job runs (default: %(default)s)"
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
        "--fault", type=_fault, action="append", default=[], metavar=FORM.partition("[")[0],
        help="what goes wrong, listed below; may be repeated",
    )  # fmt: skip


def _add_flags_of_the_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--token",
        type=_token,
        default=DEFAULT_TOKEN,
        metavar="TEXT",
        help="the one token let in (default: %(default)s)",
    )
    parser.add_argument(
        "--balance", type=_usd, default=25.0, metavar="USD",
        help="the balance, which jobs do not draw down; at 0 or less none is accepted (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--price", type=_price, action="append", default=[], metavar="[MODEL_ID=]USD",
        help="the price of one output, of one model or of all; may be repeated (default: 0.1, or the catalogue's)",
    )  # fmt: skip
    parser.add_argument(
        "--catalogue", type=Path, metavar="PATH",
        help="the models on offer: what GET /models?include_schema=true answers, saved, or a folder of model files "
        "(default: the pack's models)",
    )  # fmt: skip


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number of 0 to 65535, not {text}")
    return int(text)


def _token(text: str) -> str:
    if not text or not all("!" <= letter <= "~" for letter in text):
        raise argparse.ArgumentTypeError("a token is printable ASCII without spaces")
    return text


def _usd(text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not math.isfinite(usd):
        raise argparse.ArgumentTypeError(f"a number is expected, not {text}")
    return usd


def _price(text: str) -> tuple[str, float]:
    model_id, _, usd = text.rpartition("=")
    return model_id, _number(usd)


def _number(text: str) -> float:
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
