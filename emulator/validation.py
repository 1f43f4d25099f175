"""Strict validation of a submit's body against the model's published schema."""

from __future__ import annotations

import re
from typing import Any

from .answers import INVALID_BODY, Refusal
from .catalog import MEDIA, medium_of

_DATA_URIS = {
    medium: re.compile(rf"data:{medium}/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={{0,2}}", re.IGNORECASE)
    for medium in MEDIA
}


def validate(body: dict[str, Any], schema: dict[str, Any], origin: str) -> None:
    """Check a body as the schema says, refuse properties it does not name, and check the form of files' URIs.

    A file is a public https URL, a base64 data URI of its medium, or a file of this emulator.

    Raises: Refusal with code 422001 that names the first field at fault; RuntimeError without `jsonschema`.
    """
    problems = sorted(
        _validator(schema).iter_errors(body), key=lambda problem: list(map(str, problem.absolute_path))
    )
    if problems:
        first = problems[0]
        where = ".".join(map(str, first.absolute_path))
        if first.validator == "required":
            missing = [name for name in first.validator_value if name not in first.instance]
            raise Refusal(INVALID_BODY, f"{missing[0]}: the field is required", missing[0])
        text = first.message if len(first.message) < 300 else f"breaks the rule {first.validator!r}"
        raise Refusal(INVALID_BODY, f"{where}: {text}" if where else text, where or None)
    properties = schema.get("properties", {})
    for name, value in body.items():
        if name not in properties:
            raise Refusal(INVALID_BODY, f"{name}: the model has no such field", name)
        _check_files(name, value, properties[name], origin)


def require_library() -> None:
    """Raises: RuntimeError where strict validation cannot work."""
    _validator({})


def _validator(schema: dict[str, Any]) -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError as error:
        raise RuntimeError(
            "Strict validation needs jsonschema (python -m pip install jsonschema). Or choose --validation lenient."
        ) from error
    return Draft202012Validator(_plain(schema))


def _plain(schema: Any) -> Any:
    """Turn the published conventions into JSON Schema: `float` is a number, a default of null says nothing."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if not (key == "default" and value is None)}
    if plain.get("type") == "float":
        plain["type"] = "number"
    return plain


def _check_files(name: str, value: Any, field: dict[str, Any], origin: str) -> None:
    medium = medium_of(field)
    if not medium:
        return
    for number, uri in enumerate(value if isinstance(value, list) else [value]):
        where = f"{name}.{number}" if isinstance(value, list) else name
        if not (uri.startswith(("https://", f"{origin}/")) or _DATA_URIS[medium].fullmatch(uri)):
            article = "a" if medium == "video" else "an"
            problem = f"neither a public https URL nor a data URI of {article} {medium}"
            raise Refusal(INVALID_BODY, f"{where}: {problem}", where)
