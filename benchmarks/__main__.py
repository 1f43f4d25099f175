"""Print the table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from . import decode, encode, journal, many, server, startup, stream, waiting
from .table import Row, as_json, as_text

SUBJECTS: dict[str, Callable[[bool], list[Row]]] = {
    "waiting": waiting.rows,
    "decode": decode.rows,
    "encode": encode.rows,
    "many": many.rows,
    "stream": stream.rows,
    "startup": startup.rows,
    "journal": journal.rows,
    "server": server.rows,
}
_HEADER = """\
Ours beside its floor and beside a common policy, measured in turn in one call; medians, means where a row says so.
Seconds are this machine's and of this moment: only the ratios of a row can be compared.
Simulated figures come from drawn numbers, real ones from running code.
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ours, its floor, a common policy.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", choices=sorted(SUBJECTS), action="append", help="one subject; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer runs, smaller images")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    for name, measure in SUBJECTS.items():
        if not options.only or name in options.only:
            print(f"Measuring {name} ...", file=sys.stderr, flush=True)
            rows += measure(options.quick)
    print(as_json(rows) if options.json else f"{_HEADER}\n{as_text(rows)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
