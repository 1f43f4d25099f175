"""The rows of the table, and how they are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_HEADS = ("what", "figures", "ours", "floor", "common", "ours/floor", "common/ours", "target", "met", "beside")


@dataclass(frozen=True)
class Row:
    """One figure of ours, the least that is possible, and what common code takes, all in ``unit``.

    ``figures`` says what they are: simulated or real. ``met`` is None where no target is set.
    """

    what: str
    figures: str
    unit: str
    ours: float
    floor: float | None = None
    common: float | None = None
    target: str = ""
    met: bool | None = None
    beside: str = ""

    @property
    def above_floor(self) -> float | None:
        """How many times the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def gain(self) -> float | None:
        """How many times better than the common policy."""
        return self.common / self.ours if self.common is not None and self.ours else None

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        values = (_figure(value, self.unit) for value in (self.ours, self.floor, self.common))
        ratios = (_figure(value, "x") for value in (self.above_floor, self.gain))
        met = "" if self.met is None else "yes" if self.met else "NO"
        return (self.what, self.figures, *values, *ratios, self.target, met, self.beside)


def as_text(rows: Sequence[Row]) -> str:
    """Return an aligned table."""
    lines = [_HEADS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 2 <= place <= 6 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows as JSON, ratios included."""
    return json.dumps([{**asdict(row), "ours/floor": row.above_floor, "common/ours": row.gain} for row in rows])


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f} {unit}"
