"""What a price amounts to."""

from __future__ import annotations

import pytest

from nodes.core.money import Price


@pytest.mark.parametrize(
    ("unit", "count", "seconds", "usd"),
    [
        ("image", 3, None, 0.3),
        ("output", 1, 5.0, 0.1),
        ("second", 1, 5.0, 0.5),
        ("second", 2, 5.0, 1.0),
        ("second", 1, None, None),
        ("megapixel", 1, 5.0, None),
    ],
)
def test_a_price_counts_files_and_seconds(unit: str, count: int, seconds: float | None, usd: float | None) -> None:
    found = Price(0.1, unit).of(count, seconds)
    assert found is None if usd is None else found == pytest.approx(usd)
