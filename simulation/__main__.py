"""``python -m simulation``: play histories, and say what did not hold."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .parallel import Failure, Order, Tally, play_all
from .planted import PLANTED
from .real.histories import RealPlan
from .rows import ROWS

_LINE_EVERY_SECONDS = 30.0
_EACH = "each"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what was asked for; return 1 where anything did not hold, or where a bug of ``each`` was not found."""
    options = _parser().parse_args(arguments)
    if options.list_planted:
        for planted in PLANTED.values():
            print(f"{planted.name:26} {planted.about}")
        return 0
    if options.list_rows:
        for row in ROWS.values():
            print(f"{row.name:22} {row.about}")
        return 0
    order = _order(options)
    numbers = range(options.histories) if options.history is None else range(options.history, options.history + 1)
    workers = 1 if options.history is not None else options.workers
    with _server(options.engine) as address:
        order = replace(order, server=address)
        if options.plant == _EACH:
            return _find_each(order, numbers)
        return 1 if _play(order, numbers, workers).failures else 0


@contextlib.contextmanager
def _server(engine: str) -> Iterator[str]:
    """Start a server where one is asked for; yield its address."""
    if engine == "sqlite":
        yield ""
        return
    from tests.postgres import Server

    with Server(fsync="off") as server:
        yield server.address()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default: %(default)s)")
    parser.add_argument("--history", type=int, metavar="NUMBER", help="this one alone, with its story")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument(
        "--profile", choices=("default", "base"), default="default",
        help="default: some of the rows in each history; base: none",
    )  # fmt: skip
    parser.add_argument(
        "--row", action="append", default=[], choices=sorted(ROWS), help="this row in every history"
    )
    parser.add_argument(
        "--plant", default="", choices=(_EACH, *sorted(PLANTED)), metavar="NAME",
        help="with this bug, which must be found; each: with every bug, one after the other",
    )  # fmt: skip
    parser.add_argument(
        "--shrink", type=int, default=3, metavar="COUNT", help="so many kinds of failure (default: %(default)s)"
    )
    parser.add_argument(
        "--engine", choices=("sqlite", "postgres"), default="sqlite",
        help="where the record lies; postgres: a server in a folder of its own (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--real", type=int, metavar="COUNT",
        help="so many histories of real processes beside the others (default: one for a hundred)",
    )  # fmt: skip
    parser.add_argument("--first", action="store_true", help="end with the first that fails")
    parser.add_argument("--list-planted", action="store_true", help="name the bugs that can be planted")
    parser.add_argument("--list-rows", action="store_true", help="name the rows")
    return parser


def _order(options: argparse.Namespace) -> Order:
    chosen = ROWS if options.profile == "default" else ()
    return Order(
        seed=options.seed,
        rows=frozenset(options.row or chosen),
        always=bool(options.row),
        plant=options.plant,
        stop_at_first=options.first or bool(options.plant),
        shrinks=options.shrink,
        real=_real(options),
    )


def _real(options: argparse.Namespace) -> int:
    if options.real is not None:
        return int(options.real)
    simulated_alone = options.plant or options.row or options.history is not None or options.engine != "sqlite"
    return 0 if simulated_alone or not hasattr(os, "fork") else int(options.histories) // 100


def _find_each(order: Order, numbers: range) -> int:
    """Find every planted bug; print the table of the README. One after the other, so that it is always the same."""
    found = {name: _first(replace(order, plant=name), numbers) for name in PLANTED}
    print("\n| planted bug | found after |\n|---|---|")
    for name, number in found.items():
        print(f"| {PLANTED[name].about} (`{name}`) | {'not found' if number is None else number} |")
    return 1 if None in found.values() else 0


def _first(order: Order, numbers: range) -> int | None:
    """Return after how many histories a planted bug is found; None where it is not."""
    print(f"\n{order.plant}:", flush=True)
    tally = _play(order, numbers, workers=1)
    return tally.histories if tally.failures else None


def _play(order: Order, numbers: range, workers: int) -> Tally:
    began = last = time.monotonic()
    tally, told = Tally(), 0
    for tally in play_all(order, numbers, workers):
        for failure in tally.failures[told:]:
            _tell(order, failure)
        told = len(tally.failures)
        if time.monotonic() - last > _LINE_EVERY_SECONDS:
            last = time.monotonic()
            print(f"{tally.histories} histories, {told} violated, {last - began:.0f} s", flush=True)
    counts = tally.counts
    print(
        f"{tally.histories} histories with seed {order.seed} in {time.monotonic() - began:.1f} s: "
        f"{len(tally.failures)} violated. {counts['runs']} runs, {counts['jobs']} jobs, {counts['calls']} calls, "
        f"{counts['deaths']} kills, {counts['seconds'] / 86400:.1f} simulated days."
    )
    if order.real:
        print(f"{counts['real']} of real processes: {counts['real_jobs']} jobs, {counts['real_kills']} signals.")
    for kind, count in tally.kinds.most_common():
        print(f"  {kind}: {count}")
    return tally


def _tell(order: Order, failure: Failure) -> None:
    if isinstance(failure.plan, RealPlan):
        print(f"\nHistory {failure.number} of real processes", *failure.violations, sep="\n  ")
        print(f"\n  {failure.plan}\n\n{failure.story}\n", flush=True)
        return
    again = f"--seed {order.seed} --history {failure.number}"
    print(f"\nHistory {failure.number} ({again})", *failure.violations, sep="\n  ")
    if failure.plan is not None:
        print(f"\nThe same in small: {failure.plan}\n\n{failure.story}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
