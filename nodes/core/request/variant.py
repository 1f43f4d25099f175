"""What decides how long a job of a model takes: jobs that agree in it are alike for the pace of polling.

The journal has it as one text, "resolution=1K num_images=2".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..schema.kind import Field
from ..schema.model import ModelSpec
from .validate import Arguments

_ROLES = ("size", "count")


def variant_of(arguments: Arguments) -> str:
    """Return the properties that decide the pace and their values."""
    return " ".join(f"{field.name}={arguments.values[field.name]}" for field in _fields(arguments.spec))


def asked_in(spec: ModelSpec, variant: str) -> Mapping[str, str]:
    """Return what a recorded variant says, by role; nothing where the model had other properties then."""
    fields = _fields(spec)
    found = re.fullmatch(" ".join(f"{re.escape(field.name)}=(.*)" for field in fields), variant, re.DOTALL)
    return {field.role: value for field, value in zip(fields, found.groups(), strict=True)} if found else {}


def _fields(spec: ModelSpec) -> list[Field]:
    return [field for role in _ROLES if (field := spec.role(role))]
