"""How large and how long a result is, by the roles of properties, whatever these are called."""

from __future__ import annotations

from typing import Any

import pytest
from model_files import model_file

from nodes.core.request import sizes
from nodes.core.request.validate import Arguments, check
from nodes.core.schema.kind import Given
from nodes.core.schema.parse import parse_model

TEXT = {"type": "string"}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 10**6}


def run(roles: dict[str, str], values: dict[str, Any]) -> Arguments:
    properties = {name: TEXT if isinstance(value, str) else WHOLE for name, value in values.items()}
    made = {**model_file(**properties), "roles": roles}
    return check(parse_model(made), Given(values))


@pytest.mark.parametrize(
    ("roles", "values", "label", "seconds", "pixels"),
    [
        ({"size": "a"}, {"a": "1K"}, "1K", None, 1024**2),
        ({"size": "a"}, {"a": "0.5K"}, "0.5K", None, 512**2),
        ({"size": "a"}, {"a": "2k"}, "2k", None, 2048**2),
        ({"size": "a"}, {"a": "1024x768"}, "1024x768", None, 1024 * 768),
        ({"size": "a"}, {"a": "1024*768"}, "1024*768", None, 1024 * 768),
        ({"size": "a"}, {"a": "square_hd"}, "square_hd", None, 0),
        ({"width": "a", "height": "b"}, {"a": 640, "b": 480}, "640x480", None, 640 * 480),
        ({"size": "a", "duration": "b"}, {"a": "720p", "b": 5}, "720p 5 s", 5.0, 0),
        ({"duration": "b"}, {"b": "10"}, "10 s", 10.0, 0),
        ({"duration": "b"}, {"b": "auto"}, "", None, 0),
        ({"duration_ms": "b"}, {"b": 1500}, "1.5 s", 1.5, 0),
        ({}, {"a": "4K", "b": 5}, "", None, 0),
    ],
)
def test_roles_tell_size_and_length(
    roles: dict[str, str], values: dict[str, Any], label: str, seconds: float | None, pixels: int
) -> None:
    arguments = run(roles, values)
    assert (sizes.label(arguments), sizes.seconds(arguments), sizes.pixels(arguments)) == (label, seconds, pixels)
