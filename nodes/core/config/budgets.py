"""Budgets beside that of the day: ``RUNCOMFY_BUDGETS``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ..errors import ConfigError, step
from ..money import Limit

VARIABLE = "RUNCOMFY_BUDGETS"
_LIMIT = re.compile(
    r"(?P<scope>all|user|project)(:(?P<name>[^=]+))?\s*=\s*\$?(?P<usd>\d+(\.\d+)?)\s*/\s*(?P<period>day|month)"
)


def read_budgets(environ: Mapping[str, str]) -> tuple[Limit, ...]:
    """Read ``all=300/month, user=10/day, user:alice=20/day, project:spot=100/month``: USD, for whom, how long.

    Raises:
        ConfigError: a part of it is something else. A budget is never left out.
    """
    return tuple(_limit(part.strip()) for part in environ.get(VARIABLE, "").split(",") if part.strip())


def _limit(part: str) -> Limit:
    found = _LIMIT.fullmatch(part)
    if found is None or (found["scope"] == "all" and found["name"]) or not math.isfinite(float(found["usd"])):
        raise ConfigError("budget_unreadable", variable=VARIABLE, found=part, next=(step("write_budgets"),))
    scope, period = found["scope"], found["period"]
    name = found["name"].strip() if found["name"] else None
    return Limit(
        float(found["usd"]),
        "day" if period == "day" else "month",
        "user" if scope == "user" else "project" if scope == "project" else "all",
        name,
    )
