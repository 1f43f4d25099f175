"""What a body asks of a model, read by the roles that the model file gives to its properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalog import Model

MOST_IMAGES = 16
"""A body that was let through unchecked cannot ask for more."""


@dataclass(frozen=True)
class Asked:
    """The wishes that decide what is made; the defaults stand for what is missing or makes no sense.

    ``references`` are the addresses of all images in the body, in order. With ``inline`` the files come inside the
    answer.
    """

    prompt: str = ""
    count: int = 1
    size: str = "1K"
    shape: str = "auto"
    seed: Any = None
    make: str = "png"
    references: tuple[str, ...] = ()
    inline: bool = False


def read_body(model: Model, body: dict[str, Any]) -> Asked:
    """Read a body of a model, also one that breaks its schema."""

    def value(role: str, default: Any) -> Any:
        return body.get(model.roles.get(role, ""), default)

    count = value("count", 1)
    return Asked(
        prompt=str(value("prompt", "")),
        count=min(max(count, 1), MOST_IMAGES) if type(count) is int else 1,
        size=str(value("size", "1K")),
        shape=str(value("shape", "auto")),
        seed=value("seed", None),
        make=str(value("format", "png")),
        references=tuple(str(uri) for name in model.images for uri in _listed(body.get(name)))[:20],
        inline=value("inline", None) is True,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
