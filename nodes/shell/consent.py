"""What runs will cost, said before anything is sent; above an amount a person has to agree."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..app.before_run import Forecast
from ..core.errors import PackError, step
from ..core.money import money
from .terminal import ShellHost

ASK_ABOVE_USD = 1.0


@dataclass(frozen=True)
class Total:
    """All runs together: how many new jobs they make, and how many have been paid for before.

    ``usd`` is what the new ones are reckoned to cost, at least that where ``base_only``; None where nothing tells.
    """

    new: int
    paid: int
    usd: float | None
    base_only: bool

    def text(self) -> str:
        """Return it in one line."""
        cost = "at a price that nothing tells" if self.usd is None else money(self.usd)
        told = f"{_jobs(self.new)}, {'from ' if self.base_only and self.usd else ''}{cost}"
        return f"{told}; {_jobs(self.paid)} paid for already" if self.paid else told


def add_consent_flags(parser: argparse._ActionsContainer) -> None:
    """Add the flags of what may be spent."""
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, say what it would cost, send nothing"
    )
    parser.add_argument("--yes", "-y", action="store_true", help="agree to the total price beforehand")
    parser.add_argument(
        "--ask-above",
        type=amount,
        default=ASK_ABOVE_USD,
        metavar="USD",
        help="ask before more than this is spent, or refuse where nobody can be asked",
    )


def amount(text: str) -> float:
    """Read USD from a flag."""
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not 0 <= usd < math.inf:
        raise argparse.ArgumentTypeError(f"a number of 0 or more is expected, not {text}")
    return usd


def total_of(forecasts: Sequence[Forecast]) -> Total:
    """Return what runs cost together: of the same inputs, one alone is a new job."""
    new = list({each.fingerprint: each for each in forecasts if each.job is None}.values())
    known = [each.usd for each in new if each.usd is not None]
    paid = len(forecasts) - sum(each.job is None for each in forecasts)
    usd = sum(known) if len(known) == len(new) else None
    return Total(len(new), paid, usd, any(each.base_only for each in new))


def require_consent(total: Total, options: argparse.Namespace, host: ShellHost) -> None:
    """Say what runs will cost, and ask where that is above the amount, or not known of several jobs.

    Raises:
        PackError: nobody agrees. Nothing was sent.
    """
    if total.usd != 0:
        host.tell(f"{total.text()}.")
    above = total.new > 1 if total.usd is None else total.usd > options.ask_above
    if not above or options.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise PackError("consent_needed", told=total.text(), next=(step("say_yes"),))
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise PackError("consent_refused")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
