"""Takes a secret out of what others have written. Pure."""

from __future__ import annotations

import re

MASK = "[token]"


def without(secret: str, value: object) -> object:
    """Return a JSON value in which no string holds the secret: an API may echo the headers it was sent."""
    if isinstance(value, str):
        return text_without(secret, value)
    if isinstance(value, list):
        return [without(secret, item) for item in value]
    if isinstance(value, dict):
        return {key: without(secret, item) for key, item in value.items()}
    return value


def text_without(secret: str, text: str) -> str:
    """Return a text without the secret, whichever of its characters are percent-encoded."""
    return re.sub(_spellings(secret), MASK, text) if "%" in text else text.replace(secret, MASK)


def _spellings(secret: str) -> str:
    return "".join(f"(?:{re.escape(letter)}|(?i:%{ord(letter):02x}))" for letter in secret)
