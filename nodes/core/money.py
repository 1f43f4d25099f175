"""How an amount of money is written. The page's ``format.js`` has the same rule, tested with the same table."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_CENTS = 2
_LEAST = Decimal("0.0001")


def money(usd: float | None) -> str:
    """Write USD with two decimals, and with up to four where two would hide something; '' when it is not known."""
    if usd is None:
        return ""
    # Half a unit is rounded away from zero, as JavaScript does it; Python's own formats round it to even.
    whole, _, decimals = f"{Decimal(abs(usd)).quantize(_LEAST, ROUND_HALF_UP):f}".partition(".")
    decimals = decimals[:_CENTS] + decimals[_CENTS:].rstrip("0")
    return f"{'-' if usd < 0 else ''}${whole}.{decimals}"
