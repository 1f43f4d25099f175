"""What a price amounts to, and how an amount is written.

The page's ``price.js`` and ``format.js`` have the same rules, the latter tested with the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Period: TypeAlias = Literal["day", "month"]
Scope: TypeAlias = Literal["all", "user", "project"]

_CENTS = 2
_LEAST = "0.0001"
_DIGITS_OF_A_FLOAT = 400


@dataclass(frozen=True)
class Price:
    """The catalog's base price: a base, not a quote. ``unit`` is ``image``, ``output`` or ``second``."""

    usd: float
    unit: str

    def of(self, count: int, seconds: float | None) -> float | None:
        """Return what so many files cost at least, each so long; None where nothing tells."""
        if self.unit in ("image", "output"):
            return self.usd * count
        if self.unit == "second" and seconds is not None:
            return self.usd * count * seconds
        return None


@dataclass(frozen=True)
class Limit:
    """How many USD may be spent in a local day or month: by all together, by one user, or on one project.

    Without a ``name``, it holds for each user or each project by itself.
    """

    usd: float
    period: Period
    scope: Scope = "all"
    name: str | None = None


def money(usd: float | None) -> str:
    """Write USD with two decimals, and with up to four where two would hide something; '' when it is not known."""
    if usd is None:
        return ""
    # The host's start writes no amount, and loading this takes as long as a dozen modules of the pack.
    from decimal import ROUND_HALF_UP, Context, Decimal

    # Half a unit is rounded away from zero, as JavaScript does it; Python's own formats round it to even.
    rounded = Decimal(abs(usd)).quantize(Decimal(_LEAST), ROUND_HALF_UP, Context(prec=_DIGITS_OF_A_FLOAT))
    whole, _, decimals = f"{rounded:f}".partition(".")
    decimals = decimals[:_CENTS] + decimals[_CENTS:].rstrip("0")
    return f"{'-' if usd < 0 else ''}${whole}.{decimals}"
