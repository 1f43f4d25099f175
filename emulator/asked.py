"""What a body asks of a model, read by the roles that the model file gives to its properties."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from .catalog import Model

MOST_FILES = 16
"""A body that was let through unchecked cannot ask for more."""
USUAL_SECONDS = 5.0
_SOUND = re.compile(r"(generate_|enable_|with_)?(audio|sound)")


@dataclass(frozen=True)
class Asked:
    """The wishes that decide what is made; the defaults stand for what is missing or makes no sense.

    ``references`` are the addresses of all images in the body, in order. ``seconds`` is the length of a video or a
    sound. With ``sound`` a video has one; with ``inline`` the files come inside the answer.
    """

    prompt: str = ""
    count: int = 1
    size: str = "1K"
    shape: str = "auto"
    seed: Any = None
    make: str = ""
    references: tuple[str, ...] = ()
    inline: bool = False
    output: str = "image"
    seconds: float = USUAL_SECONDS
    sound: bool = False


def read_body(model: Model, body: dict[str, Any]) -> Asked:
    """Read a body of a model, also one that breaks its schema."""

    def value(role: str, default: Any) -> Any:
        return body.get(model.roles.get(role, ""), default)

    count = value("count", 1)
    return Asked(
        prompt=str(value("prompt", "")),
        count=min(max(count, 1), MOST_FILES) if type(count) is int else 1,
        size=str(value("size", "1K")),
        shape=str(value("shape", "auto")),
        seed=value("seed", None),
        make=str(value("format", "")),
        references=tuple(str(uri) for name in model.properties_of("image") for uri in _listed(body.get(name)))[:20],
        inline=value("inline", None) is True,
        output=model.output,
        seconds=_seconds(value("duration", None)),
        sound=_wants_sound(model, body),
    )


def _seconds(value: Any) -> float:
    """Read a length: 5, "5" or "5s"."""
    try:
        seconds = float(str(value).rstrip("s"))
    except ValueError:
        return USUAL_SECONDS
    return seconds if 0 < seconds < math.inf else USUAL_SECONDS


def _wants_sound(model: Model, body: dict[str, Any]) -> bool:
    """Whether a switch for sound is on, or a sound is given."""
    given = any(_listed(body.get(name)) for name in model.properties_of("audio"))
    return given or any(value is True and _SOUND.fullmatch(name) for name, value in body.items())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
